"""What a job forecasts of a parent and of its children: their paths come from the same blocks, and add up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from flask.testing import FlaskClient

from shared.domain.durations import Duration
from shared.domain.jobs import DataPlaces, Place
from shared.domain.joint import Joint
from shared.domain.timegrid import TimeGrid
from tests.api.scene import MakeApp
from tests.factories import a_request
from tests.worker.job.whole_jobs import run
from worker.job.resources import Resources

DAYS, PARENT, NAMES = 28, "root.etl", ("root.etl.a", "root.etl.b", "root.etl.c")


def write(here: Resources, end: datetime) -> None:
    """Three children that are high on the same days, and the sum of them."""
    times = pd.date_range(end - timedelta(days=DAYS), end, freq="h", inclusive="left")
    wild = np.random.default_rng(4)
    days = np.repeat(wild.normal(1.0, 0.15, DAYS + 1), 24)[: len(times)]
    wave = 1 + 0.5 * np.sin(times.hour.to_numpy() / 24 * 2 * np.pi)
    loads = {name: 1_000 * (number + 1) * wave * days + wild.normal(0, 20, len(times)) for number, name in enumerate(NAMES)}
    loads[PARENT] = sum(loads.values())
    frames = [pd.DataFrame({"timestamp": times, "queue": name, "used_memory_mb": load}) for name, load in loads.items()]
    assert here.settings.files_dir is not None
    pd.concat(frames).to_csv(here.settings.files_dir / "usage.csv", index=False)


def test_the_childrens_sum_of_a_real_job_is_told_beside_the_parents_own_outlook(here: Resources, make_app: MakeApp) -> None:
    end = TimeGrid(3_600).bucket_start(datetime.now(UTC))
    write(here, end)
    places = DataPlaces(source=Place(name="files", path="usage.csv"), destination=Place(name="files"))
    request = a_request(
        data=places,
        target="used_memory_mb",
        model=("hour_mean", "seasonal_naive"),
        as_of=end,
        data_ingestion_time_period=Duration(DAYS, "d"),
        queues=("root.*",),
    )
    run(here, request, "family")
    parent = here.store.forecasts.with_paths(here.store.forecasts.find(PARENT)[0])
    joint = Joint.of(here.store.forecasts.beside(parent, NAMES))
    assert parent.paths is not None
    assert len(joint.draws.places) == parent.paths.count  # none is left out: all have the same blocks
    assert joint.draws.blocks >= 7
    total = np.array(joint.total())
    assert total.tolist() == np.sum([np.array(joint.rows_of(name)) for name in NAMES], axis=0).tolist()
    own, alone = (
        np.array(parent.paths.rows()).mean(axis=1).std(),
        np.sqrt(sum(np.var(np.array(rows).mean(axis=1)) for rows in joint.rows)),
    )
    assert total.mean(axis=1).std() > 1.3 * alone  # drawn each by itself, they would seldom be high at once
    assert 0.6 < total.mean(axis=1).std() / own < 1.6
    client: FlaskClient = make_app(here.settings).test_client()
    children = client.get(f"/v1/queues/{PARENT}/outlook").json["children"]
    assert (children["queues"], children["missing"], children["reason"]) == ([*NAMES], [], None)
    assert "What its children add up to" in client.get(f"/queues/{PARENT}").text
