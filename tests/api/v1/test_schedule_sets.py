"""Schedules as code: what a set becomes, and that all of it is checked before any of it is written."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.v1.schedules import ScheduleBody
from shared.domain.schedule_sets import OF_ITS_OWN
from shared.domain.schedules import Schedule
from shared.store import Store
from tests.api.bodies import BODY
from tests.api.scene import Granting
from tests.factories import MONDAY, a_schedule

APPLY = "/v1/schedules/apply"


def named(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "cron": "0 6 * * 1-5", "request": BODY} | changes


def applied(client: FlaskClient, *schedules: dict[str, Any], **options: Any) -> dict[str, tuple[str, list[str]]]:
    """Name → what becomes of it, and which fields change; of an added one that is not told."""
    answer = client.post(APPLY, json={"schedules": schedules, **options})
    assert answer.status_code == 200, answer.json
    steps = answer.json["schedules"]
    changes = {step["name"]: [each["field"] for each in step["changes"] if step["action"] != "added"] for step in steps}
    return {step["name"]: (step["action"], changes[step["name"]]) for step in steps}


def test_a_set_is_made_then_changed_field_by_field_and_the_same_again_does_nothing(client: FlaskClient, store: Store) -> None:
    first, second = named("daily"), named("weekly", cron="0 7 * * 1", is_paused=True)
    assert applied(client, first, second, dry_run=True) == {"daily": ("added", []), "weekly": ("added", [])}
    assert store.schedules.all() == []
    applied(client, first, second)
    made = {each.name: each for each in store.schedules.all()}
    assert (made["daily"].managed_by, made["weekly"].is_paused) == ("default", True)
    assert applied(client, first, second) == {"daily": ("unchanged", []), "weekly": ("unchanged", [])}

    run = replace(made["daily"], last_job_id="job-1", last_due_at=MONDAY)
    store.schedules.replace(made["daily"], run)
    other = named(
        "daily", cron="0 8 * * *", timezone="Europe/Berlin", request=BODY | {"model": ["prophet"], "queues": ["root.*"]}
    )
    changed = ("changed", ["cron", "timezone", "request.model", "request.queues"])
    assert applied(client, other, second, dry_run=True)["daily"] == applied(client, other, second)["daily"] == changed
    after = {each.name: each for each in store.schedules.all()}["daily"]
    assert (after.schedule_id, after.last_job_id, after.cron) == (run.schedule_id, "job-1", "0 8 * * *")
    assert after.due_at != run.due_at


def test_a_pause_by_hand_stays_unless_the_set_says_otherwise(client: FlaskClient, store: Store) -> None:
    applied(client, named("daily"))
    [made] = store.schedules.all()
    client.post(f"/v1/schedules/{made.schedule_id}/pause")
    assert applied(client, named("daily")) == {"daily": ("unchanged", [])}
    assert applied(client, named("daily", is_paused=False)) == {"daily": ("changed", ["is_paused"])}
    assert not store.schedules.all()[0].is_paused


def test_only_what_the_same_set_has_made_is_pruned_and_only_when_asked(client: FlaskClient, store: Store) -> None:
    store.schedules.add(a_schedule())
    applied(client, named("of-others"), managed_by="others")
    applied(client, named("one"), named("two"))
    assert applied(client, named("one")) == {"one": ("unchanged", [])}
    assert applied(client, named("one"), prune=True) == {"one": ("unchanged", []), "two": ("removed", [])}
    assert {each.name for each in store.schedules.all()} == {a_schedule().name, "of-others", "one"}
    taken = client.post(APPLY, json={"schedules": [named("of-others")]})
    assert taken.status_code == 422
    assert "belongs to the set 'others'" in taken.json["detail"]


def test_one_that_was_made_by_hand_is_taken_over_by_its_name_and_project(client: FlaskClient, store: Store) -> None:
    mine = a_schedule(name="daily")
    store.schedules.add(mine)
    elsewhere = named("daily", request=BODY | {"project": "another"})
    here = named("daily", request=BODY | {"project": mine.request.project})
    steps = client.post(APPLY, json={"schedules": [elsewhere, here]}).json["schedules"]
    assert [step["action"] for step in steps] == ["added", "changed"]
    assert {each.schedule_id == mine.schedule_id for each in store.schedules.all() if each.managed_by} == {True, False}


def test_of_a_new_one_all_is_told_that_is_not_at_its_default(client: FlaskClient) -> None:
    new = named("daily", is_paused=True, request=BODY | {"baselines": True, "interval": 0.8})
    [step] = client.post(APPLY, json={"schedules": [new], "dry_run": True}).json["schedules"]
    changes = {change["field"]: change["after"] for change in step["changes"] if change["before"] is None}
    assert len(changes) == len(step["changes"])
    assert (changes["cron"], changes["is_paused"], changes["request.interval"]) == ("0 6 * * 1-5", True, 0.8)
    assert not {"request.baselines", "refit_cron", "due_at", "schedule_id", "name"} & {*changes}


def test_a_set_of_another_project_is_not_pruned_and_that_is_said(client: FlaskClient, store: Store) -> None:
    theirs, mine = (named(name, request=BODY | {"project": name}) for name in ("theirs", "mine"))
    applied(client, theirs, mine)
    second = named("second", request=BODY | {"project": "mine"})
    pruned = applied(client, second, prune=True)
    assert pruned == {"second": ("added", []), "mine": ("removed", []), "theirs": ("left", [])}
    assert {each.name for each in store.schedules.all()} == {"theirs", "second"}
    nobodys = client.post(APPLY, json={"schedules": [], "prune": True})
    assert nobodys.status_code == 422
    assert "one of several projects ('mine', 'theirs')" in nobodys.json["detail"]
    client.post(APPLY, json={"schedules": [second], "prune": True})
    store.schedules.remove(next(each.schedule_id for each in store.schedules.all() if each.name == "theirs"))
    assert applied(client, prune=True) == {"second": ("removed", [])}


def test_names_that_look_the_same_are_the_same(client: FlaskClient, store: Store) -> None:
    composed, apart = "caf\u00e9  night", "cafe\u0301 night"
    applied(client, named(composed))
    twice = client.post(APPLY, json={"schedules": [named(composed), named(apart)]})
    assert (twice.status_code, "stands there 2 times" in twice.json["detail"]) == (422, True)
    assert applied(client, named(apart)) == {apart: ("changed", ["name"])}
    unseen = f"\u200b{apart}"
    assert client.post(APPLY, json={"schedules": [named(apart), named(unseen)]}).status_code == 422
    assert (
        "nothing of it is to be seen" in client.post(APPLY, json={"schedules": [named("\u200b\u200d")]}).json["errors"][0]["msg"]
    )
    assert [each.name for each in store.schedules.all()] == [apart]


@pytest.mark.parametrize(
    ("schedules", "told"),
    [
        ([named("a"), named("b"), named("a")], ["schedule 'a' stands there 2 times"]),
        ([named("a"), named("b", cron="never")], ["schedule 'b'", "accepted are five fields"]),
        (
            [named("a"), named("b", request=BODY | {"data": {"source": {"name": "no"}, "destination": {"name": "nor"}}})],
            ["schedule 'b': request.data.source.name", "'no'"],
        ),
    ],
)
def test_what_is_wrong_with_one_keeps_all_from_being_written(
    client: FlaskClient, store: Store, schedules: list[dict[str, Any]], told: list[str]
) -> None:
    answer = client.post(APPLY, json={"schedules": schedules})
    assert answer.status_code == 422
    assert [part for part in told if part not in answer.json["detail"]] == []
    assert store.schedules.all() == []


def test_a_name_that_several_have_is_refused_with_their_ids(client: FlaskClient, store: Store) -> None:
    for schedule_id in ("s-1", "s-2"):
        store.schedules.add(a_schedule(schedule_id=schedule_id, name="daily"))
    body = named("daily", request=BODY | {"project": a_schedule().request.project})
    answer = client.post(APPLY, json={"schedules": [body]})
    assert (answer.status_code, "s-1, s-2" in answer.json["detail"]) == (422, True)


def test_a_dry_run_takes_connections_that_are_to_come_and_no_other_call_does(client: FlaskClient, store: Store) -> None:
    late = named("late", request=BODY | {"data": {"source": {"name": "late"}, "destination": {"name": "files"}}})
    assert applied(client, late, dry_run=True, coming=["late"]) == {"late": ("added", [])}
    assert client.post(APPLY, json={"schedules": [late], "dry_run": True}).status_code == 422
    assert client.post(APPLY, json={"schedules": [late], "coming": ["late"]}).status_code == 422
    assert store.schedules.all() == []


def test_two_that_add_the_same_at_once_add_one_and_another_sets_stays(
    client: FlaskClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(client, named("daily"), managed_by="first")
    [made] = store.schedules.all()
    with monkeypatch.context() as patched:  # what all of them saw before any had added
        patched.setattr(type(store.schedules), "all", lambda *_: [])
        assert applied(client, named("daily", cron="0 8 * * *"), managed_by="first") == {"daily": ("added", [])}
        answer = client.post(APPLY, json={"schedules": [named("daily")], "managed_by": "second"})
    assert answer.status_code == 409
    assert [each.cron for each in store.schedules.all()] == ["0 8 * * *"]
    assert store.schedules.all()[0].schedule_id == made.schedule_id


def test_a_token_applies_to_its_own_projects(client: FlaskClient, store: Store, grant: Granting) -> None:
    theirs = a_schedule(schedule_id="s-9", name="daily", managed_by="default")
    store.schedules.add(theirs)
    body = {"schedules": [named("daily")], "prune": True}
    assert client.post(APPLY, json=body, headers=grant("read", "etl")).status_code == 403
    answer = client.post(APPLY, json=body, headers=grant("write", "etl"))
    assert [(step["action"], step["project"]) for step in answer.json["schedules"]] == [("added", "etl")]
    assert theirs in store.schedules.all()
    foreign = {"schedules": [named("x", request=BODY | {"project": "other"})]}
    assert client.post(APPLY, json=foreign, headers=grant("write", "etl")).status_code == 403


def test_every_field_that_a_schedule_can_be_given_is_one_that_a_set_can_change() -> None:
    given = {each for each in ScheduleBody.model_fields if each != "is_paused"}
    changed = {each.name for each in fields(Schedule)} - OF_ITS_OWN
    assert given <= changed
