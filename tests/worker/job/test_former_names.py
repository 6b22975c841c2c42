"""A renamed queue is read, verified and shown with what it was called before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pandas as pd
import pytest
from flask.testing import FlaskClient

from shared.config.settings import Settings
from shared.domain.aliases import Alias
from shared.domain.jobs import DataPlaces, JobRequest, Place
from shared.errors import EmptySeries
from tests.api.scene import MakeApp
from tests.factories import DEADLINE, MONDAY, a_job, a_load, a_request, let_in
from tests.worker.job.whole_jobs import run
from worker.job import steps
from worker.job.blocks import read_block
from worker.job.former_names import former_of, with_former_names
from worker.job.ingestion import usage_query
from worker.job.resources import Resources
from worker.sources.base import Reading

OLD, NEW, HOUR, DAY = "root.was", "root.is", timedelta(hours=1), timedelta(days=1)
RENAMED = MONDAY - 3 * DAY
ALIAS = Alias(cluster="prod", old=OLD, new=NEW, renamed_at=None, stated_at=MONDAY, stated_by="ops")


def write(here: Resources, **spans: tuple[int, int]) -> None:
    """Days before Monday from which to which a name has rows; of each name another level."""
    load, tables = a_load(), []
    for number, (name, (first, last)) in enumerate(spans.items()):
        part = load[(load.index >= MONDAY - first * DAY) & (load.index < MONDAY - last * DAY)]
        named = {
            "timestamp": part.index,
            "queue": f"root.{name.removesuffix('_')}",
            "used_capacity": part.to_numpy() + 100 * number,
        }
        tables.append(pd.DataFrame(named))
    assert here.settings.files_dir is not None
    pd.concat(tables).to_csv(here.settings.files_dir / "usage.csv", index=False)


def a_job_request(**changes: Any) -> JobRequest:
    places = DataPlaces(source=Place(name="files", path="usage.csv"), destination=Place(name="files"))
    same: dict[str, Any] = {"data": places, "cluster": "prod", "model": ("hour_mean",), "queues": (NEW,)}
    return a_request(**same | changes)


def reading(here: Resources) -> Reading:
    request = a_job_request()
    read = with_former_names(here, request, NEW, partial(here.read, project=request.project))
    return read(usage_query(request, NEW, MONDAY))


def test_rows_of_the_old_name_come_before_the_first_of_the_new_one(here: Resources) -> None:
    write(here, was=(14, 2), is_=(3, 0))
    assert len(reading(here).frame) == 3 * 24
    here.store.aliases.add(ALIAS)
    found = reading(here)
    assert len(found.frame) == 14 * 24
    assert found.frame.index.is_monotonic_increasing
    both = found.frame["used_capacity"]
    assert (both[both.index < RENAMED] < 100).all()
    assert (both[both.index >= RENAMED] >= 100).all()  # of the day that both have the new one wins
    assert found.notes[-1] == f"{11 * 24} steps are of root.was, as it was called before"
    assert found.rows == 12 * 24 + 3 * 24


def test_a_cluster_of_other_projects_has_no_former_names(here: Resources) -> None:
    write(here, was=(14, 2), is_=(3, 0))
    here.store.aliases.add(ALIAS)
    yarn = {"kind": "yarn", "cluster": "prod", "addresses": ["http://rm:8088"], "projects": ["red"]}
    here.settings = Settings(**here.settings.model_dump() | {"connections": {"hadoop": yarn}})
    request = a_job_request()
    assert former_of(here.store, here.settings, request, NEW) == ()
    assert len(reading(here).frame) == 3 * 24
    assert former_of(here.store, here.settings, replace(request, project="red"), NEW) == (ALIAS,)


def test_from_the_moment_that_is_said_rows_of_the_old_name_are_of_another_queue(here: Resources) -> None:
    write(here, was=(14, 0), is_=(3, 0))
    here.store.aliases.add(Alias(**{**vars_of(ALIAS), "renamed_at": MONDAY - 5 * DAY}))
    found = reading(here).frame
    assert len(found) == 9 * 24 + 3 * 24
    assert found[found.index < RENAMED].index[-1] == MONDAY - 5 * DAY - HOUR


def vars_of(alias: Alias) -> dict[str, Any]:
    return {name: getattr(alias, name) for name in alias.__slots__}


def test_a_name_that_has_no_row_yet_has_those_of_the_one_before(here: Resources) -> None:
    write(here, was=(14, 0))
    with pytest.raises(EmptySeries):
        reading(here)
    here.store.aliases.add(ALIAS)
    assert len(reading(here).frame) == 14 * 24
    write(here, other=(14, 0))
    with pytest.raises(EmptySeries, match=NEW):
        reading(here)


def test_names_before_that_count_too_and_those_of_another_cluster_do_not(here: Resources) -> None:
    write(here, first=(14, 8), was=(8, 3), is_=(3, 0))
    here.store.aliases.add(Alias(**{**vars_of(ALIAS), "cluster": "other"}))
    assert len(reading(here).frame) == 3 * 24
    here.store.aliases.add(ALIAS)
    here.store.aliases.add(Alias(**{**vars_of(ALIAS), "old": "root.first", "new": OLD}))
    assert len(reading(here).frame) == 14 * 24


def test_forecasts_accuracy_and_actual_values_go_on_under_the_new_name(here: Resources, make_app: MakeApp) -> None:
    write(here, was=(14, 1))
    run(here, a_job_request(queues=(OLD,), as_of=MONDAY - DAY), "before")
    write(here, was=(14, 1), is_=(1, 0))
    here.store.aliases.add(ALIAS)
    run(here, a_job_request(as_of=MONDAY), "after")
    caller: FlaskClient = make_app(here.settings).test_client()
    series = caller.get(f"/v1/queues/{NEW}/series?from={MONDAY - 10 * DAY:%Y-%m-%dT00:00:00Z}").json
    assert sum(point["actual"] is not None for point in series["points"]) == 10 * 24
    issued = caller.get(f"/v1/queues/{NEW}/forecasts").json["forecasts"]
    assert [(each["queue"], each["job_id"]) for each in issued] == [(NEW, "after"), (OLD, "before")]
    accuracy = caller.get(
        f"/v1/queues/{NEW}/accuracy?from={MONDAY - 30 * DAY:%Y-%m-%dT00:00:00Z}&to={MONDAY:%Y-%m-%dT01:00:00Z}"
    ).json
    assert accuracy["overall"]["forecasts"] == 1  # what was forecast of the old name has come true under the new one
    assert "as <bdi>root.was</bdi>" in caller.get(f"/queues/{NEW}").text


def test_queues_that_are_read_together_have_their_former_names_too(here: Resources) -> None:
    write(here, was=(14, 3), is_=(3, 0), more=(14, 0))
    here.store.aliases.add(ALIAS)
    job = here.store.jobs.add(a_job(job_id="together", request=a_job_request(queues=(NEW, "root.more"), as_of=MONDAY)))
    here.run_state.begin_job(job.job_id, DEADLINE)
    steps.plan(job.job_id)
    queues = let_in(here.run_state, job.job_id)
    assert set(read_block(job.job_id, 0)) == set(queues) == {NEW, "root.more"}
    assert here.settings.files_dir is not None
    (here.settings.files_dir / "usage.csv").write_text("timestamp,queue,used_capacity\n")  # it is not read again
    for queue in queues:
        assert steps.ingest(job.job_id, queue) is not None
    [report] = [each for each in here.store.reports.of_job("together") if each.queue == NEW]
    assert report.quality is not None
    assert report.quality.steps == 14 * 24
