"""What each kind of a schedule's runs costs a queue: `python -m tests.bench.cadences [--queues 40] [--model auto]`.

CPU of the whole tree of `queuecast up`, less what it costs when idle, for a search, a refit and a reading of actual values, one
after the other, over 14 days of hours in one Parquet file and a day ahead.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import psutil

from shared.config.settings import Settings
from shared.domain.jobs import DataPlaces, JobState
from shared.domain.places import Place
from shared.domain.runs import Run
from shared.drivers.redis_server import redis_server
from shared.fleet.broker import enqueue_job, make_celery
from shared.fleet.runstate import RunState
from shared.lifecycle import Lifecycle
from shared.store import open_store
from tests.bench.flat import cpu_of, idleness, stack
from tests.bench.fleet.figures import circumstances
from tests.factories import a_job, a_load, a_request
from tests.polling import eventually


def main() -> None:
    """Measure one run of each kind, after one of the same kinds that warms all up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--queues", type=int, default=40)
    parser.add_argument("--model", default="auto")
    wanted = parser.parse_args()
    print(json.dumps(circumstances()), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        write(folder / "files", "warm", 4, now)
        write(folder / "files", "all", wanted.queues, now)
        with stack(folder, 1) as (process, _url):
            each = {run: cost(folder, process, run, wanted) for run in Run}
    for run, (cpu, wall) in each.items():
        each_ms, share = 1e3 * cpu.total() / wanted.queues, cpu.total() / each[Run.SEARCH][0].total()
        parts = ", ".join(f"{role} {1e3 * seconds / wanted.queues:.1f}" for role, seconds in cpu.most_common() if seconds > 0.01)
        print(f"{run:8} {each_ms:7.1f} ms CPU a queue in {wall:.0f} s, {share:.3f} of a search: {parts}")


def write(folder: Path, name: str, queues: int, end: datetime) -> None:
    """So many queues in one Parquet file."""
    folder.mkdir(exist_ok=True)
    loads = (a_load(seed=number, end=end).rename_axis("timestamp").reset_index() for number in range(queues))
    pd.concat(load.assign(queue=f"root.q{number:04d}") for number, load in enumerate(loads)).to_parquet(
        folder / f"{name}.parquet"
    )


def cost(folder: Path, process: psutil.Process, run: Run, wanted: argparse.Namespace) -> tuple[Counter[str], float]:
    """CPU seconds by process, and wall seconds."""
    do(folder, run, "warm", wanted.model)
    idle = idleness(process)
    before, began = cpu_of(process), time.monotonic()
    do(folder, run, "all", wanted.model)
    wall, cpu = time.monotonic() - began, cpu_of(process)
    cpu.subtract(before)
    cpu.subtract({role: seconds * wall for role, seconds in idle.items()})
    return cpu, wall


def do(folder: Path, run: Run, name: str, model: str) -> None:
    """One job as a schedule makes it, to its end."""
    settings = Settings(data_dir=folder, files_dir=folder / "files")
    with closing(open_store(settings.store_location)) as store, closing(RunState.open(settings, is_patient=True)) as run_state:
        data = DataPlaces(source=Place(name="files", path=f"{name}.parquet"), destination=Place(name="files"))
        models = model if model == "auto" else tuple(model.split(","))
        request = a_request(job_name=name, data=data, as_of=None, model=models, max_candidates=100_000)
        job = a_job(job_id=f"{run}-{name}", request=request, created_at=datetime.now(UTC), run=run, keeps_winners=True)
        Lifecycle(store, run_state).start(store.jobs.add(job), partial(enqueue_job, make_celery(redis_server(settings), "api")))

        def ended() -> JobState | None:
            time.sleep(1)  # between looks, which cost the store something
            state = store.jobs.get(job.job_id).state
            return state if state.is_terminal else None

        assert eventually(ended, within=3_600, what="the end of the job") is JobState.SUCCEEDED
    time.sleep(3)  # no wait for anything: what comes after its end, verification, is of the job's cost


if __name__ == "__main__":
    main()
