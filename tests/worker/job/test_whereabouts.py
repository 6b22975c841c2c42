"""A connection's name is no identity: what led to one place and leads to another is told apart, or nobody reads there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from shared.command.configuration import config
from shared.command.doctor.databases import look_at_connection
from shared.config.origins import CONFIG_FILE
from shared.config.settings import Settings
from shared.domain.jobs import DataPlaces, Job, Place
from shared.errors import ConnectionMoved, MovedMeanwhile
from shared.fleet.runstate.values import LivingWorker
from tests.factories import a_job, a_request, let_in
from worker.job import steps
from worker.job.resources import Resources, use
from worker.job.validation import validate
from worker.job.whereabouts import check_unmoved

QUEUE = "root.etl"
PLACES = DataPlaces(source=Place(name="lake", path="*.csv"), destination=Place(name="files"))


@pytest.fixture
def two_folders(here: Resources, tmp_path: Path) -> tuple[Path, Path]:
    """The same queues at two places."""
    assert here.settings.files_dir is not None
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        shutil.copytree(here.settings.files_dir, folder)
    return folders


@contextmanager
def led_to(here: Resources, folder: Path, **fields: Any) -> Iterator[Resources]:
    """A worker whose connection `lake` leads there."""
    lake = {"kind": "files", "path": str(folder)} | fields
    settings = Settings(data_dir=here.settings.data_dir, store_url=here.settings.store_url, connections={"lake": lake})
    with use(Resources(settings)) as given:
        yield given
        given.store.close()


def planned(here: Resources, **changes: Any) -> Job:
    """A job that has been planned."""
    request = a_request(**{"data": PLACES, "queues": (QUEUE,), "model": ("hour_mean",)} | changes)
    job = here.store.jobs.add(
        a_job(job_id=uuid4().hex, request=here.settings.with_cluster(request), created_at=datetime.now(UTC))
    )
    here.run_state.begin_job(job.job_id, job.deadline_at)
    steps.plan(job.job_id)
    let_in(here.run_state, job.job_id)
    return here.store.jobs.get(job.job_id)


def test_a_connection_that_leads_elsewhere_is_not_read(here: Resources, two_folders: tuple[Path, Path]) -> None:
    before, after = two_folders
    with led_to(here, before) as there:
        planned(there)
    with led_to(here, after) as there:
        with pytest.raises(ConnectionMoved, match=f"it led to {before} and leads to {after}") as refusal:
            planned(there)
        assert str(after) not in refusal.value.public  # whoever asks is told of no host and no folder
        assert "connection lake" in refusal.value.public
        said = validate(a_request(data=PLACES, queues=(QUEUE,), model=("hour_mean",)), datetime.now(UTC))
        assert [problem.field for problem in said.problems] == ["data.source"]
        moved = look_at_connection(there.settings, "lake")[1]
        assert not moved.is_well
        assert str(before) in moved.detail
        assert "accept-move lake" in moved.advice


def test_an_administrator_accepts_that_it_has_moved(
    here: Resources, two_folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before, after = two_folders
    with led_to(here, before) as there:
        planned(there)
    configuration = tmp_path / "queuecast.toml"
    configuration.write_text(f'[connections.lake]\nkind = "files"\npath = "{after}"\n')
    monkeypatch.setenv(CONFIG_FILE, str(configuration))
    monkeypatch.setenv("QUEUECAST_STORE_URL", here.settings.store_location)
    said = CliRunner().invoke(config, ["accept-move", "lake"])
    assert (said.exception, str(before) in said.output.replace("\n", "")) == (None, True)
    with led_to(here, after) as there:
        assert planned(there).led_to["lake"] == (str(after),)
    assert "nothing to accept" not in CliRunner().invoke(config, ["accept-move", "lake"]).output
    assert "nothing to accept" in CliRunner().invoke(config, ["accept-move", "lake"]).output


def test_a_named_cluster_says_whose_queues_they_are(here: Resources, two_folders: tuple[Path, Path]) -> None:
    before, after = two_folders
    with led_to(here, before) as there:
        planned(there)
    for folder in (after, before):
        with led_to(here, folder, cluster="prod") as there:
            assert planned(there).led_to["lake"] == (str(folder),)
    with led_to(here, after) as there, pytest.raises(ConnectionMoved):  # that of no cluster stays where it was
        planned(there)


def test_a_job_is_not_of_two_places(here: Resources, two_folders: tuple[Path, Path]) -> None:
    before, after = two_folders
    with led_to(here, before, cluster="prod") as there:
        job = planned(there)
        work = steps.ingest(job.job_id, QUEUE)
        assert work is not None
        steps.score(job.job_id, QUEUE, range(len(work.candidates)))
    with led_to(here, after, cluster="prod") as there, pytest.raises(MovedMeanwhile):
        steps.select(job.job_id, QUEUE, is_heavy=False)
    with led_to(here, before, cluster="prod") as there:
        assert there.store.forecasts.newest_of_each(QUEUE) == []
        assert steps.select(job.job_id, QUEUE, is_heavy=False) is steps.Selecting.HAS_ENDED
        there.lifecycle.finish(job.job_id, datetime.now(UTC))
    with led_to(here, after, cluster="prod") as there:  # who tries it again wants it as it is now
        there.lifecycle.retry(
            job.job_id, "all", datetime.now(UTC), lambda _: None, warnings=(), allowance=here.settings.allowance
        )
        check_unmoved(there, there.store.jobs.get(job.job_id))


def telling(here: Resources, folder: Path) -> None:
    """Another worker lives, and says that `lake` leads there."""
    other = LivingWorker(worker_id="other", lanes=("score",), slots=1, addresses={"lake": frozenset({str(folder)})})
    here.run_state.members.announce(other)


def test_what_one_worker_calls_it_changes_nothing_of_a_known_place(here: Resources, two_folders: tuple[Path, Path]) -> None:
    one, two = two_folders
    with led_to(here, one) as there:
        planned(there)
        telling(there, two)
        job = planned(there)
        assert job.led_to["lake"] == (str(one),)
    with led_to(here, two), pytest.raises(MovedMeanwhile):
        steps.ingest(job.job_id, QUEUE)


def test_a_worker_that_has_not_heard_of_a_move_takes_nothing_back(here: Resources, two_folders: tuple[Path, Path]) -> None:
    one, two = two_folders
    telling(here, one)
    with led_to(here, one) as there:
        planned(there)
    here.store.whereabouts.accept_move("lake")
    with led_to(here, two) as there:
        assert planned(there).led_to["lake"] == (str(two),)
    with led_to(here, one) as there, pytest.raises(ConnectionMoved):
        planned(there)


def test_what_the_workers_call_it_at_first_are_names_of_one_place(here: Resources, two_folders: tuple[Path, Path]) -> None:
    one, two = two_folders
    telling(here, two)
    with led_to(here, one) as there:
        job = planned(there)
    with led_to(here, two) as there:
        assert steps.ingest(job.job_id, QUEUE) is not None  # the same job
        planned(there)  # and the next


def test_a_folder_inside_the_data_folder_moves_with_it(here: Resources, tmp_path: Path) -> None:
    inside = Settings(data_dir=tmp_path / "a").connection("files")
    assert inside.leads_to(PLACES.source, tmp_path / "a") == {"files"}  # type: ignore[arg-type]


MONGO, INFLUX = "mongodb_url", "influxdb_url"


@pytest.mark.parametrize(
    ("setting", "before", "now", "is_same"),
    [
        (MONGO, "mongodb://ann:secret@db1,db2:27018/lake?w=1", "mongodb://DB1:27017/lake", True),
        (MONGO, "mongodb://db1/lake", "mongodb://db1/other", False),
        (MONGO, "mongodb://db1/lake", "mongodb://db2/lake", False),
        (MONGO, "mongodb+srv://a.example/lake", "mongodb+srv://b.example/lake", False),
        (INFLUX, "http://ann:secret@db1:8086/", "https://db1:8086", True),
        (INFLUX, "http://db1:8086/one", "http://db1:8086/two", False),
    ],
)
def test_credentials_and_options_are_no_part_of_where_it_leads(
    setting: str, before: str, now: str, is_same: bool, tmp_path: Path
) -> None:
    kind = setting.partition("_")[0]
    place = Place(name=kind)
    led, leads = (Settings(**{setting: url}).connection(kind).leads_to(place, tmp_path) for url in (before, now))
    assert led.isdisjoint(leads) is not is_same
    assert "secret" not in str(led)
