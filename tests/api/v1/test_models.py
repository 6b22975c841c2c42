"""What the workers offer."""

from __future__ import annotations

from flask.testing import FlaskClient

from shared.fleet.runstate import RunState
from tests.api.scene import CARDS


def test_models_are_shown_with_their_hyperparameters(client: FlaskClient, run_state: RunState) -> None:
    run_state.members.publish(CARDS)
    shown = client.get("/v1/models").json
    assert [model["name"] for model in shown["models"]] == ["seasonal_naive", "prophet"]
    [growth] = shown["models"][1]["hyperparameters"]
    assert (growth["name"], growth["type"], growth["grid"], growth["choices"]) == (
        "growth",
        "str",
        ["flat", "linear"],
        ["flat", "linear"],
    )
    assert shown["note"] is None


def test_without_a_worker_the_list_is_empty_and_says_why(client: FlaskClient) -> None:
    shown = client.get("/v1/models").json
    assert shown["models"] == []
    assert "no worker has published" in shown["note"]
