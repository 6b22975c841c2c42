"""Options that say which series of a queue is meant, where several have its name: once, for each command that asks for one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, get_type_hints

import typer

Choice = dict[str, str | None]  # what is asked for, by its name in HTTP
Text = str | None
Level = Annotated[float | None, typer.Option(help="Also tell how likely it is exceeded.", show_default="the limits alone")]

_OPTIONS = {
    "job": Annotated[Text, typer.Option("--job", help="Name of the job.", show_default="of the newest forecast")],
    "cluster": Annotated[Text, typer.Option(help="Needed where queues of several have the name.", show_default="any")],
    "project": Annotated[Text, typer.Option(help="Likewise.", show_default="any")],
    "target": Annotated[Text, typer.Option(help="Likewise.", show_default="any")],
    "where": Annotated[Text, typer.Option("--where", help="Likewise: partition=gpu, as the choices say it.", show_default="any")],
}


def with_choice(command: Callable[..., None]) -> Callable[..., None]:
    """The command with these options in the place of its argument `choice`, which has what they say."""

    @wraps(command)
    def chosen(**given: object) -> None:
        choice = {name: given.pop(name) for name in _OPTIONS}
        command(**given, choice=choice)

    hints = get_type_hints(command, include_extras=True)
    parameters: dict[str, inspect.Parameter] = {}
    for name, parameter in inspect.signature(command).parameters.items():
        if name == "choice":
            parameters |= {option: inspect.Parameter(option, parameter.kind, default=None) for option in _OPTIONS}
        else:
            parameters[name] = parameter
    hints = {name: kind for name, kind in (hints | _OPTIONS).items() if name in parameters}
    chosen.__annotations__ = hints | {"return": None}
    signed = [each.replace(annotation=hints[name]) for name, each in parameters.items()]
    chosen.__signature__ = inspect.Signature(signed)  # type: ignore[attr-defined] # typer reads the options from both
    return chosen
