"""A service that is away is two lines of a process, whoever meets it: requests, probes, scrapes."""

from __future__ import annotations

import signal

from structlog.testing import capture_logs

from api.edge.context import EXTENSION
from api.edge.outages import LOOK_EVERY_SECONDS, Outages
from shared.errors import StoreAway, WorkersAway
from tests.api.bodies import a_body
from tests.api.scene import MakeApp, OwnBroker, in_time
from tests.factories import a_job


def told(lines: list[dict[str, object]]) -> list[tuple[object, object]]:
    """Of what is away, and how often that was met."""
    return [(line["event"], line.get("times")) for line in lines if "away" in str(line) or "back" in str(line)]


def test_a_broker_that_was_away_is_its_beginning_and_its_end(make_app: MakeApp, own_broker: OwnBroker) -> None:
    settings, server = own_broker
    app = make_app(settings)
    client = app.test_client()
    app.extensions[EXTENSION].store.jobs.add(a_job())
    body = {"name": "daily", "cron": "0 6 * * *", "request": a_body()}
    calls = [
        *(("POST", "/v1/schedules", body), ("GET", "/v1/jobs/job-1", None), ("POST", "/v1/jobs", a_body())),
        *(("GET", "/readyz", None), ("GET", "/metrics", None)),
    ]
    with capture_logs() as lines:
        server.send_signal(signal.SIGSTOP)
        for call in calls * 2:
            in_time(client, *call)
        server.send_signal(signal.SIGCONT)
        assert client.get("/readyz").status_code == 200
    assert told(lines) == [("the broker is away", None), ("the broker is back", 12)]


def test_who_asks_anything_finds_out_after_a_while_that_a_service_is_back() -> None:
    now, looked = [0.0], list[str]()
    outages = Outages(clock=lambda: now[0])
    checks = {name: lambda name=name: looked.append(name) for name in ("broker", "store")}
    with capture_logs() as lines:
        assert (outages.met(StoreAway("refused")), outages.met(WorkersAway())) == (True, False)
        outages.look(checks)
        assert looked == []
        now[0] += LOOK_EVERY_SECONDS
        outages.look(checks)
        outages.look(checks)
    assert looked == ["store"]
    assert told(lines) == [("the store is away", None), ("the store is back", 1)]
