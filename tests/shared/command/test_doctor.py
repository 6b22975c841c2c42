"""What the doctor finds: on the real embedded broker, on folders and stores that are right or wrong."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.command.doctor import diagnose
from shared.command.doctor.databases import file_system
from shared.command.doctor.findings import Finding, asked
from shared.config.data_folder import open_data_folder
from shared.config.settings import Settings
from shared.connections.yarn import YarnConnection
from shared.domain.jobs import JobState
from shared.domain.lanes import Lane
from shared.domain.model_cards import ModelCard
from shared.domain.tokens import Scope, make_token
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.broker import enqueue_job, make_celery
from shared.fleet.runstate import RunState
from shared.fleet.runstate.collections import Collected
from shared.fleet.runstate.values import LivingWorker
from shared.store import open_store
from tests.factories import MONDAY, a_job
from tests.parrot import parrot
from tests.redis_servers import running_redis
from tests.servers import free_port

CARD = ModelCard(name="prophet", summary="trend and seasons", lane=Lane.SCORE, cost=9, is_baseline=False)
WORKER = LivingWorker(worker_id="w1", lanes=tuple(Lane), slots=2, version=version("queuecast"))


def findings(settings: Settings) -> dict[str, Finding]:
    """Name → finding."""
    return {finding.name: finding for finding in diagnose(settings)}


@pytest.fixture
def healthy(settings: Settings, run_state: RunState) -> Settings:
    """A stack in which everything is as it should be."""
    folder = settings.all_connections["files"].path
    assert folder
    folder.mkdir()
    open_data_folder(settings)
    run_state.members.announce(WORKER)
    run_state.members.publish([CARD])
    assert run_state.members.holds(run_state.members.lock("reaper", 60))
    with closing(open_store(settings.store_location)) as store:
        store.tokens.add(make_token(name="ci", scope=Scope.READ, created_at=MONDAY)[0])
    return settings


def test_a_healthy_stack_has_nothing_to_complain_about(healthy: Settings) -> None:
    answers = findings(healthy)
    assert [finding for finding in answers.values() if not finding.is_well or finding.advice] == []
    assert answers["lane heavy"].detail == "slots of living workers: 2, of them busy with this lane: 0"
    assert answers["versions"].detail == f"{version('queuecast')} everywhere"
    assert answers["failed jobs"].detail == "none within the last hour"
    assert answers["catalogue"].detail == "prophet"
    assert answers["broker's file"].detail == "appendonly yes"


def test_a_lane_without_a_living_worker_is_ill_and_the_others_are_not(healthy: Settings, run_state: RunState) -> None:
    run_state.members.announce(LivingWorker(worker_id="w1", lanes=("select", "plan", "score"), slots=1))
    answers = findings(healthy)
    assert not answers["lane heavy"].is_well
    assert answers["lane heavy"].advice == "start one: `queuecast work --lanes heavy`"
    assert answers["lane score"].is_well


def test_a_key_of_the_lanes_that_holds_something_else_is_ill_and_its_lane_is_unknown(healthy: Settings) -> None:
    with closing(redis_client(redis_server(healthy).broker, is_patient=False)) as broker:
        broker.set("score", "somebody else's")
        broker.set("unacked", "somebody else's")
    answers = findings(healthy)
    assert answers["messages"].detail.startswith("waiting + taken: select 0 + unknown, check 0 + unknown")
    assert "score unknown + unknown" in answers["messages"].detail
    assert "DEL score" in answers["key score"].advice
    assert not answers["key score"].is_well
    assert not answers["key unacked"].is_well


def test_without_files_worker_and_tokens_this_is_told(settings: Settings, run_state: RunState) -> None:
    with closing(open_store(settings.store_location)) as store:
        store.check()
    answers = findings(settings)
    assert [answers[name].is_well for name in ("catalogue", "connection files")] == [False, False]
    assert answers["tokens"].verdict == "note"  # the service is open to all


def test_a_fleet_without_a_reaper_is_ill(healthy: Settings, run_state: RunState) -> None:
    run_state.client.delete("reaper")
    assert findings(healthy)["reaper"].advice.startswith("start one: `queuecast reap`")


def test_a_job_that_nobody_has_ended_is_ill_and_a_young_one_is_not(healthy: Settings) -> None:
    with closing(open_store(healthy.store_location)) as store:
        store.jobs.add(a_job(created_at=datetime.now(UTC)))
        assert findings(healthy)["oldest job"].is_well
        store.jobs.add(a_job(job_id="old"))
    assert "old, " in findings(healthy)["oldest job"].detail
    assert not findings(healthy)["oldest job"].is_well


def test_versions_that_differ_are_told_apart_and_old_workers_are_unknown(healthy: Settings, run_state: RunState) -> None:
    run_state.members.announce_version("reaper", "0.0.1")
    run_state.members.announce(LivingWorker(worker_id="w0", lanes=("plan",), slots=1))
    finding = findings(healthy)["versions"]
    assert finding.verdict == "note"
    assert finding.detail == f"0.0.1: reaper; {version('queuecast')}: this command, worker w1; unknown: worker w0"


def test_slots_that_are_busy_are_counted(healthy: Settings) -> None:
    app = make_celery(redis_server(healthy), "api")
    enqueue_job(app, "job-1")
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue("plan").get(timeout=60)
        assert findings(healthy)["lane plan"].detail == "slots of living workers: 2, of them busy with this lane: 1"
        message.ack()


def test_jobs_that_failed_lately_are_named(healthy: Settings) -> None:
    now = datetime.now(UTC)
    with closing(open_store(healthy.store_location)) as store:
        for number in range(5):
            store.jobs.add(a_job(job_id=f"job-{number}", created_at=now - timedelta(minutes=number)))
            at = now - timedelta(hours=2 if number == 4 else 0)
            store.jobs.move(f"job-{number}", [JobState.QUEUED], JobState.FAILED, "no data", at)
    finding = findings(healthy)["failed jobs"]
    assert finding.detail == "4 within the last hour: job-0, job-1, job-2 and 1 more"
    assert finding.verdict == "note"


@pytest.mark.parametrize(
    "answer", [b"+OK\r\n", b"*0\r\n", b":1\r\n", b"-ERR unknown command\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"]
)
def test_no_answer_ends_the_doctor(tmp_path: Path, answer: bytes) -> None:
    with parrot(answer * 20) as port:
        url = f"redis://127.0.0.1:{port}/0"
        answers = findings(Settings(data_dir=tmp_path, broker_url=SecretStr(url), result_backend_url=SecretStr(url)))
    assert not answers["broker"].is_well


def test_an_error_that_nobody_has_foreseen_is_a_finding() -> None:
    def ask() -> list[Finding]:
        raise KeyError("redis_version")

    (finding,) = asked("broker", ask)
    assert (finding.verdict, finding.detail) == ("ill", "an unexpected answer (KeyError: 'redis_version')")


def test_a_broker_that_is_a_cluster_or_refuses_us_is_ill_and_not_away(tmp_path: Path) -> None:
    with running_redis(tmp_path / "redis", "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        finding = findings(Settings(data_dir=tmp_path, broker_url=SecretStr(f"redis://127.0.0.1:{server.port}/0")))["broker"]
        assert (finding.verdict, finding.detail.partition(",")[0]) == ("ill", "The broker is a Redis Cluster")
    with running_redis(tmp_path / "closed", password="secret") as server:
        finding = findings(Settings(data_dir=tmp_path, broker_url=SecretStr(f"redis://127.0.0.1:{server.port}/0")))["broker"]
        assert finding.verdict == "ill"
        assert finding.detail.startswith("The broker refuses Queuecast's user name or password")


def test_a_broker_that_is_a_replica_is_away(tmp_path: Path) -> None:
    with running_redis(tmp_path / "a") as master, running_redis(tmp_path / "b") as other:
        with other.client() as admin:
            admin.replicaof("127.0.0.1", master.port)
        finding = findings(Settings(data_dir=tmp_path, broker_url=SecretStr(f"redis://127.0.0.1:{other.port}/0")))["broker"]
    assert finding.verdict == "away"
    assert finding.detail == "The broker's address leads to a replica: its role is replica"


@pytest.mark.parametrize(
    ("option", "value", "name"),
    [
        ("appendonly", "no", "broker's file"),
        ("maxmemory-policy", "allkeys-lru", "broker's eviction"),
        ("maxmemory", "1200000", "broker's memory"),
    ],
)
def test_a_broker_that_may_lose_tasks_is_ill(healthy: Settings, run_state: RunState, option: str, value: str, name: str) -> None:
    usual = run_state.client.config_get(option)[option]
    run_state.client.config_set(option, value)
    try:
        ill = [finding for finding in diagnose(healthy) if not finding.is_well]
    finally:
        run_state.client.config_set(option, usual)
    assert [finding.name for finding in ill] == [name]
    assert ill[0].advice
    assert not ill[0].is_away


def test_a_broker_that_does_not_run_is_away_and_nothing_is_made(tmp_path: Path) -> None:
    answers = findings(Settings(data_dir=tmp_path / "fresh"))
    assert [answers[name].is_well for name in ("data folder", "store")] == [False, False]
    assert not (tmp_path / "fresh").exists()
    assert answers["broker"].is_away
    assert answers["broker"].verdict == "away"
    assert "queuecast up" in answers["broker"].detail
    assert "catalogue" not in answers
    answers = findings(
        Settings(data_dir=tmp_path, broker_url="redis://127.0.0.1:1/0", result_backend_url="redis://127.0.0.1:1/1")
    )
    assert answers["broker"].is_away
    assert answers["result backend"].is_away


def test_a_result_backend_of_its_own_is_asked_too(healthy: Settings, broker_dir: Path) -> None:
    socket = (broker_dir / "broker.socket").read_text()
    url = SecretStr(f"redis+socket://{socket}?virtual_host=1")
    assert findings(healthy.model_copy(update={"result_backend_url": url}))["result backend"].is_well


def test_a_store_that_cannot_be_opened_is_away(settings: Settings, run_state: RunState, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    broken = Settings(data_dir=settings.data_dir, store_url=f"sqlite://{tmp_path}/a file/queuecast.db")
    assert not findings(broken)["store"].is_well


def test_a_data_folder_that_cannot_be_made_or_written_is_ill_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finding = findings(Settings(data_dir=tmp_path / "file"))["data folder"]
    assert (finding.is_well, "a file is in its place" in finding.detail) == (False, True)
    if Path("/proc/self").is_dir():  # only Linux has a folder in which not even root may write
        assert not findings(Settings(data_dir=Path("/proc/self")))["data folder"].is_well


MOUNTS = r"""
/dev/sda1 / ext4 rw 0 0
server:/export /mnt/share nfs4 rw 0 0
server:/other /mnt/my\040share cifs rw 0 0
overlay /mnt/share/local overlay rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/queuecast", "ext4"),
        ("/mnt/share/queuecast", "nfs4"),
        ("/mnt/my share/q", "cifs"),
        ("/mnt/share/local/q", "overlay"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path, folder: str, kind: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS.lstrip())
    assert file_system(Path(folder), mounts) == kind


def test_without_a_list_of_mounts_the_file_system_is_unknown(tmp_path: Path) -> None:
    assert file_system(tmp_path, tmp_path / "absent") == "unknown file system"


def test_a_data_folder_that_others_can_look_into_is_ill(healthy: Settings) -> None:
    file = healthy.data_dir / "broker.socket"
    for path, mode in ((file, 0o640), (file.parent, 0o755)):
        usual = path.stat().st_mode
        path.chmod(mode)
        finding = findings(healthy)["data folder's modes"]
        path.chmod(usual)
        assert not finding.is_well
        assert f"1 open to others, such as {path} (mode {mode:04o}" in finding.detail
        assert f"`chmod -R go= {healthy.data_dir}`" in finding.advice


def test_how_old_the_samples_of_a_cluster_are_is_told(healthy: Settings, run_state: RunState) -> None:
    yarn = YarnConnection(cluster="prod", addresses=("http://127.0.0.1:1",))
    own = healthy.model_copy(update={"connections": {"hadoop": yarn}})
    answers = findings(own)
    assert [answers[name].is_well for name in ("collector", "samples of prod")] == [False, False]
    assert run_state.members.holds(run_state.members.lock("collector", 60))
    collected = Collected(
        cluster="prod", connection="hadoop", interval_seconds=30, tried_at=MONDAY, collected_at=datetime.now(UTC), series=3
    )
    run_state.collections.tell(collected)
    answers = findings(own)
    assert [answers[name].is_well for name in ("collector", "samples of prod")] == [True, True]
    assert answers["samples of prod"].detail.startswith("3 series, the newest of 0 s ago")
    assert "kept by files for all projects" in answers["samples of prod"].detail
    run_state.collections.tell(replace(collected, collected_at=MONDAY, problem="it is away"))
    late = findings(own)["samples of prod"]
    assert (late.is_well, "it is away" in late.detail) == (False, True)


def test_to_which_clusters_decisions_may_be_applied_is_told(healthy: Settings) -> None:
    reading = YarnConnection(cluster="prod", addresses=("http://127.0.0.1:1",))
    only = healthy.model_copy(update={"connections": {"hadoop": reading}})
    both = healthy.model_copy(update={"connections": {"hadoop": reading, "own": reading.model_copy(update={"may_apply": True})}})
    assert "applying" not in findings(healthy)
    for settings, detail in (
        (only, "off: no connection of a cluster has `may_apply`"),
        (both, "approved decisions may be applied to prod, by a person's click"),
        (both.model_copy(update={"apply": "off"}), "off by the setting apply; there are connections for it to prod"),
    ):
        assert findings(settings)["applying"].detail == detail
        assert [name for name in findings(settings) if name.startswith("samples of")] == ["samples of prod"]
