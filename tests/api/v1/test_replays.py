"""Replays over HTTP: of a queue that one may see, whole; of a decision's queues together."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from shared.domain.forecasts import Forecast
from shared.domain.replays import DO_NOTHING, ReplayVerdict
from shared.store import Store
from shared.store.replays import Evidence, KeptReplay
from tests.api.a_cluster import NOW
from tests.api.decided import keep_proposal
from tests.api.scene import Granting
from tests.decisions import a_verdict
from tests.factories import a_forecast

PATH = "/v1/queues/root.etl/replay"


def keep(store: Store, verdict: ReplayVerdict | None, **changes: Any) -> Forecast:
    forecast = a_forecast(**changes)
    store.forecasts.save(forecast)
    same = {"series_id": forecast.series_id, "job": forecast.job, "queue": forecast.queue}
    evidence = Evidence.ISSUED if verdict else Evidence.NONE
    store.replays.save([KeptReplay(**same, made_at=NOW, evidence=evidence, verdict=verdict, reason="too few issues")])
    return forecast


def test_a_replay_is_told_with_all_that_it_was_compared_with(client: FlaskClient, store: Store) -> None:
    keep(store, a_verdict("root.etl"))
    told = client.get(PATH).json
    assert {name: told[name] for name in ("is_offered", "days", "kappa", "evidence", "changes_a_day")} == {
        "is_offered": True,
        "days": 21,
        "kappa": 10.0,
        "evidence": "issued forecasts",
        "changes_a_day": 2 / 21,
    }
    assert (told["chosen"]["ratio"], [each["rule"] for each in told["beside"]]) == (0.84, [DO_NOTHING])
    assert told["frontier"] == [{"level": 0.9, "slack": 1.2, "breach_share": 0.05}]


def test_where_nothing_could_be_replayed_the_reason_is_told(client: FlaskClient, store: Store) -> None:
    assert client.get(PATH).status_code == 404
    store.forecasts.save(a_forecast())
    missing = client.get(PATH)
    assert (missing.status_code, missing.json["type"]) == (404, "urn:queuecast:replay-not-found")
    keep(store, None)
    told = client.get(PATH).json
    assert (told["is_offered"], told["sentence"], told["chosen"], told["beside"]) == (False, "too few issues", None, [])


def test_it_is_there_for_the_queues_project_alone(client: FlaskClient, store: Store, grant: Granting) -> None:
    keep(store, a_verdict("root.etl"), project="red")
    keep(store, a_verdict("root.etl", 99.0), project="blue", job_id="2" * 32)
    assert client.get(PATH, headers=grant("read", "red")).json["chosen"]["ratio"] == 0.84
    assert client.get(PATH, headers=grant("read", "blue")).json["chosen"]["ratio"] == 0.99
    assert client.get(PATH, headers=grant("read", "white")).status_code == 404
    assert client.get(f"{PATH}?project=red", headers=grant("read", "blue")).status_code == 404
    assert client.get(PATH, headers=grant("read")).status_code == 409


def test_of_a_decision_those_of_its_queues_are_added_up(client: FlaskClient, store: Store) -> None:
    etl, adhoc = keep(store, a_verdict("root.etl", 80.0)), keep(store, a_verdict("root.adhoc", 90.0), queue="root.adhoc")
    made = keep_proposal(store, forecast_jobs=(etl.job_id, adhoc.job_id))
    told = client.get(f"/v1/decisions/{made.decision_id}").json["replay"]
    assert told == {"days": 21, "policy": 0.85, "do_nothing": 1.0, "wrong_cuts": 2, "queues": 2}
    bare = keep_proposal(store, parent="root.users")
    assert client.get(f"/v1/decisions/{bare.decision_id}").json["replay"] is None
