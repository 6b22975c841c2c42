"""`queuecast models`: what the workers offer."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from api.command.service import DEFAULT_URL, Url, connect, show
from shared.command.tables import print_table, tabular
from shared.command.terminal import AsJson, notice
from shared.domain.codec import Document

Row = tuple[object, ...]

group = typer.Typer()


@group.command("models", epilog="Example: queuecast models --json")
@tabular
def list_models(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the models that the workers offer, with their hyperparameters and default grids."""
    show(connect(url).get("models"), _print, as_json=as_json)


def _print(page: Document) -> None:
    """What the workers offer, and what they try of it by default."""
    columns = ("model", "lane", "hyperparameter", "type", "default", "tried", "what it does")
    rows = [row for card in page["models"] for row in _model(card)]
    print_table(columns, rows, spare=("type", "lane", "default"), text=("tried", "what it does"))
    if page["note"]:
        notice(page["note"], style="yellow")


def _model(card: Document) -> Iterable[Row]:
    """One row per hyperparameter; the first one says what the model is."""
    rows = [_hyperparameter(hyperparameter) for hyperparameter in card["hyperparameters"]] or [(None,) * 4]
    yield card["name"], card["lane"], *rows[0], card["summary"]
    for row in rows[1:]:
        yield card["name"], card["lane"], *row, None


def _hyperparameter(card: Document) -> Row:
    return card["name"], card["type"], str(card["default"]), ", ".join(map(str, card["grid"]))
