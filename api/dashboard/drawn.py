"""A queue as the scripts of charts read it: where its series is, and what was forecast of it."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from api.v1.choice import choice_of
from shared.domain.forecasts import Forecast
from shared.domain.outgoing import in_path


def drawn(forecast: Forecast, *, is_newest: bool = True) -> dict[str, str]:
    """A queue that is drawn: its name, the address of its series, and when its forecast was issued."""
    this = {"issued_at": forecast.issued_at.isoformat(), "job_id": forecast.job_id}
    parameters = urlencode(choice_of(forecast) if is_newest else this, quote_via=quote)
    address = f"/v1/queues/{in_path(forecast.queue)}/series?{parameters}"
    return {"name": forecast.queue, "address": address, "issued_at": forecast.issued_at.isoformat()}
