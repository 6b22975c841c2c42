"""What a page's address asks for, checked like a query under /v1."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar
from urllib.parse import quote, urlencode

from flask import request
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from api.edge.refusals import field_problems
from api.schema.forms import Form
from shared.domain.forecasts import Forecast
from shared.domain.outgoing import in_path
from shared.errors import InvalidRequest

Query = TypeVar("Query", bound=Form)


def queue_address(forecast: Forecast) -> str:
    """Of the page of a forecast's queue."""
    of_it = {"cluster": forecast.cluster, "project": forecast.project, "target": forecast.metric, "job": forecast.job}
    return f"/queues/{in_path(forecast.queue)}?{urlencode(of_it, quote_via=quote)}"


def query_of(form: type[Query], *, several: Collection[str] = (), blank: Collection[str] = ()) -> Query:
    """The query of the request; what is left empty, as forms send it, counts as not given.

    Args:
        several: names that may be given more than once.
        blank: names that may be given as nothing.

    Raises:
        InvalidRequest: with every name that is unknown and every value that is not accepted.
    """
    return _read(form, request.args, several, blank)


def form_of(form: type[Query], *, several: Collection[str] = (), beside: Collection[str] = ()) -> Query:
    """The form that was sent, likewise; `beside`: names in it that are none of its fields."""
    return _read(
        form, MultiDict([(name, value) for name, value in request.form.items(multi=True) if name not in beside]), several
    )


def _read(form: type[Query], sent: MultiDict[str, str], several: Collection[str], blank: Collection[str] = ()) -> Query:
    given = {name: [value for value in values if value or name in blank] for name, values in sent.lists()}
    asked = {name: tuple(values) if name in several else values[-1] for name, values in given.items() if values}
    try:
        return form.model_validate(asked)
    except ValidationError as error:
        wrong = "; ".join(item.line() for item in field_problems(error, form))
        raise InvalidRequest(wrong) from error
