"""A queue that is too new waits for its parent's forecast of the same run, and gets its own from that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient

from shared.connections.yarn import YarnConnection
from shared.domain.capacities import Resources as Amount
from shared.domain.forecasts import FROM_PARENT
from shared.domain.jobs import DataPlaces, Job, JobState, Place, QueueState
from shared.errors import DataError
from shared.yarn.configuration import tree_of
from shared.yarn.effective import resolved
from tests.api.scene import MakeApp
from tests.factories import MONDAY, a_job, a_load, a_request, let_in
from tests.shared.yarn.trees import prefixed
from worker.job import steps
from worker.job.cold_start import freed_queues, unheld_queues
from worker.job.resources import Resources

PARENT, NEW, JOB = "root.a", "root.a.new", "job-1"


def write(here: Resources, steps_known: int = 2, *, parent: str = PARENT, last: str = NEW) -> None:
    """A fifth of what the parent has, in its last steps."""
    assert here.settings.files_dir is not None
    load = a_load() * 10
    tables = [pd.DataFrame({"timestamp": load.index, "queue": parent, "used_memory_mb": load.to_numpy()})]
    new = load.iloc[len(load) - steps_known :]
    tables.append(pd.DataFrame({"timestamp": new.index, "queue": last, "used_memory_mb": new.to_numpy() / 5}))
    pd.concat(tables).to_csv(here.settings.files_dir / "usage.csv", index=False)


def begun(here: Resources, **changes: Any) -> Job:
    places = DataPlaces(source=Place(name="files", path="usage.csv"), destination=Place(name="files"))
    same: dict[str, Any] = {"data": places, "target": "used_memory_mb", "cluster": "prod"}
    same |= {"model": ("hour_mean",), "as_of": MONDAY}
    job = here.store.jobs.add(a_job(job_id=JOB, request=a_request(**same | changes), created_at=datetime.now(UTC)))
    here.run_state.begin_job(JOB, job.deadline_at)
    steps.plan(JOB)
    return here.store.jobs.get(JOB)


def ingest(here: Resources, queue: str) -> bool:
    """As the task does; whether there is something to be scored."""
    try:
        work = steps.ingest(JOB, queue)
    except DataError as error:
        here.lifecycle.fail_queue(JOB, queue, error.public)
        return False
    if work is not None:
        steps.score(JOB, queue, range(len(work.candidates)))
    return work is not None


def test_it_waits_for_its_parent_and_is_derived_from_that(here: Resources, make_app: MakeApp) -> None:
    write(here)
    begun(here)
    assert let_in(here.run_state, JOB) == [PARENT, NEW]
    assert not ingest(here, NEW)
    assert here.run_state.waiting_for(JOB) == {NEW: "the forecast of its parent root.a"}
    assert [queue.queue for queue in unheld_queues(here.run_state, JOB)] == [PARENT]
    assert freed_queues(here.run_state, JOB) == []
    assert ingest(here, PARENT)
    steps.select(JOB, PARENT, is_heavy=True)
    assert freed_queues(here.run_state, JOB) == [NEW]
    assert [queue.queue for queue in unheld_queues(here.run_state, JOB)] == [NEW]
    for _ in range(2):  # a message may come twice
        assert not ingest(here, NEW)
    here.lifecycle.finish(JOB, datetime.now(UTC))
    job = here.store.jobs.get(JOB)
    assert (job.state, job.progress.queues.failed) == (JobState.SUCCEEDED, 0)
    parent, found = (here.store.forecasts.find(queue)[0] for queue in (PARENT, NEW))
    assert (found.model, found.issued_at, found.job_id) == (FROM_PARENT, MONDAY, JOB)
    assert found.prediction == pytest.approx(np.array(parent.prediction) / 5)
    report = here.store.reports.get(JOB, NEW)
    assert (report.state, report.outcomes) == (QueueState.SUCCEEDED, ())
    assert report.quality is not None
    assert report.quality.warnings[0].startswith("forecast from its parent root.a, 20 % of that, by the 2 steps that both have")
    client: FlaskClient = make_app(here.settings).test_client()
    page = client.get(f"/queues/{NEW}").text
    assert "Derived from its parent root.a" in page
    assert "forecast from its parent root.a" in page
    assert client.get(f"/v1/queues/{NEW}/outlook").json["now"] is None


def test_as_soon_as_it_has_enough_it_has_a_forecast_of_its_own(here: Resources) -> None:
    write(here, steps_known=60)
    begun(here)
    let_in(here.run_state, JOB)
    assert ingest(here, NEW)
    steps.select(JOB, NEW, is_heavy=True)
    assert here.store.forecasts.find(NEW)[0].model == "hour_mean"


def test_where_the_parent_has_none_it_is_as_before(here: Resources) -> None:
    write(here, parent="root.b")
    begun(here)
    let_in(here.run_state, JOB)
    assert not ingest(here, NEW)
    report = here.store.reports.get(JOB, NEW)
    assert (report.state, str(report.reason).partition(",")[0]) == (QueueState.SKIPPED, "too new to be forecast")
    assert here.run_state.waiting_for(JOB) == {}


def test_a_parent_that_fails_ends_the_wait(here: Resources) -> None:
    write(here)
    begun(here, queues=(PARENT, NEW))
    let_in(here.run_state, JOB)
    assert not ingest(here, NEW)
    here.lifecycle.fail_queue(JOB, PARENT, "broken")
    assert freed_queues(here.run_state, JOB) == [NEW]
    assert not ingest(here, NEW)
    assert here.store.reports.get(JOB, NEW).state is QueueState.FAILED
    here.lifecycle.finish(JOB, datetime.now(UTC))
    assert here.store.jobs.get(JOB).state is JobState.FAILED


def test_a_retry_of_it_alone_takes_what_its_parent_has_got(here: Resources) -> None:
    write(here)
    begun(here, queues=(PARENT, NEW))
    let_in(here.run_state, JOB)
    assert ingest(here, PARENT)
    steps.select(JOB, PARENT, is_heavy=True)
    here.lifecycle.fail_queue(JOB, NEW, "its process was lost")
    here.lifecycle.finish(JOB, datetime.now(UTC))
    here.lifecycle.retry(JOB, "failed", datetime.now(UTC), lambda _: None, warnings=(), allowance=here.settings.allowance)
    steps.plan(JOB)
    assert let_in(here.run_state, JOB) == [NEW]
    assert not ingest(here, NEW)
    assert here.store.forecasts.find(NEW)[0].model == FROM_PARENT


def test_a_queue_of_the_tree_without_a_value_has_its_guarantees_share(here: Resources) -> None:
    write(here, steps_known=0)
    names = prefixed({"root.queues": "a,b", "root.a.queues": "new,old", "root.a.capacity": "50", "root.b.capacity": "50"})
    names |= prefixed({"root.a.new.capacity": "10", "root.a.old.capacity": "90"})
    tree = resolved(tree_of(names), {"": Amount(memory_mb=2_000, vcores=20)})
    here.store.trees.put("prod", tree, MONDAY)
    yarn = YarnConnection(cluster="prod", addresses=("http://rm:8088",))
    here.settings = here.settings.model_copy(update={"connections": {"yarn": yarn}})
    begun(here, queues=(PARENT, NEW))
    let_in(here.run_state, JOB)
    assert ingest(here, PARENT)
    steps.select(JOB, PARENT, is_heavy=True)
    assert not ingest(here, NEW)
    parent, found = (here.store.forecasts.find(queue)[0] for queue in (PARENT, NEW))
    assert found.prediction == pytest.approx(np.array(parent.prediction) / 10)
    assert (found.guaranteed, found.maximum) == (100.0, 2_000.0)


def test_a_queue_that_is_gone_gets_nothing_from_its_parent(here: Resources) -> None:
    assert here.settings.files_dir is not None
    write(here)
    load = a_load(end=MONDAY - timedelta(days=4))
    gone = pd.DataFrame({"timestamp": load.index, "queue": "root.a.gone", "used_memory_mb": load.to_numpy()})
    with (here.settings.files_dir / "usage.csv").open("a") as file:
        gone.to_csv(file, index=False, header=False)
    begun(here)
    let_in(here.run_state, JOB)
    assert not ingest(here, "root.a.gone")
    assert here.store.reports.get(JOB, "root.a.gone").state is QueueState.SKIPPED
