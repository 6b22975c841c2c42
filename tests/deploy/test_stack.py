"""The stack of one machine as data: addresses, commands that exist, settings that exist."""

from __future__ import annotations

import shlex
import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy import late_collector
from deploy.late_collector import LateCollector
from deploy.ports import FLOWER_PORT
from deploy.stack import HEAVY_LANES, WORKER_LANES, broker, fleet, make_layout, running, tell_of_broker, worker
from deploy.supervise import Program, Supervisor, supervision
from deploy.valkey import forget_socket
from shared.config.settings import Settings, unknown_names
from shared.connections.yarn import YarnConnection
from shared.domain.lanes import MAX_TASK_SECONDS, Lane
from shared.drivers.redis_server import SOCKET_NOTE
from shared.errors import SetupError
from shared.fleet.runstate import RunState
from shared.fleet.runstate.values import LivingWorker
from tests.architecture.house import fail_on, mistakes
from tests.up import QUEUECAST
from worker.fleet.liveness import pulse_file


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, Program]:
    settings = Settings(data_dir=tmp_path)
    return {program.name: program for program in fleet(settings, make_layout(workers=3))}


def test_a_port_that_is_taken_is_refused_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=rf"--port {port} on 127.0.0.1 cannot be had") as refusal:
            make_layout(port=port)
        assert "\n" not in str(refusal.value)
        with pytest.raises(SetupError, match=f"--flower-port {port} "):
            make_layout(flower_port=port)


def test_port_zero_becomes_one_that_is_free() -> None:
    layout = make_layout(port=0, flower_port=0)
    for port in (layout.port, layout.flower_port):
        socket.create_server(("127.0.0.1", port)).close()


def test_flower_moves_on_when_nobody_has_chosen_its_port_and_it_is_taken() -> None:
    with socket.socket() as occupant:
        occupant.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            occupant.bind(("127.0.0.1", FLOWER_PORT))
            occupant.listen()
        except OSError:
            pass  # taken by somebody else: as good
        assert make_layout().flower_port not in {0, FLOWER_PORT}


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_addresses_are_urls_and_there_is_at_least_one_worker(host: str, shown: str) -> None:
    try:
        layout = make_layout(host=host)
    except SetupError:
        pytest.skip("this machine has no IPv6 loopback")
    assert layout.url == f"http://{shown}:{layout.port}"
    assert layout.flower_url == f"http://127.0.0.1:{layout.flower_port}"
    assert layout.workers >= 1


def test_the_command_of_every_program_exists_with_all_its_options(programs: dict[str, Program]) -> None:
    assert {program.command[0] for program in programs.values()} == {QUEUECAST}
    fail_on(mistakes(shlex.join(program.command) for program in programs.values()))


def test_every_name_in_an_environment_is_a_setting(programs: dict[str, Program]) -> None:
    assert programs["api"].environment
    assert [name for program in programs.values() for name in unknown_names(program.environment)] == []


def test_a_worker_has_time_to_finish_what_it_does(programs: dict[str, Program]) -> None:
    assert programs["worker"].stop_seconds == programs["heavy"].stop_seconds == MAX_TASK_SECONDS + 30


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("control", "work --lanes select,check --concurrency 1 --name control"),  # questions have a slot of their own
        ("worker", "work --lanes select,check,plan,score --concurrency 3 --name worker"),
        ("heavy", "work --lanes heavy --concurrency 1 --name heavy"),  # heavy candidates have a process of their own
        ("flower", "flower --port"),
    ],
)
def test_a_program_is_a_verb_of_this_environment_with_its_lanes(programs: dict[str, Program], name: str, words: str) -> None:
    assert " ".join(programs[name].command).startswith(f"{QUEUECAST} {words}")


def test_a_worker_is_ready_when_one_that_serves_its_lanes_shows_life(settings: Settings, run_state: RunState) -> None:
    lanes = {"worker": WORKER_LANES, "heavy": HEAVY_LANES}
    programs = {name: worker(name, served, 1, settings, 1) for name, served in lanes.items()}
    assert {name: program.is_ready() for name, program in programs.items()} == {"worker": False, "heavy": False}
    run_state.members.announce(LivingWorker(worker_id="a", lanes=(Lane.HEAVY.value,), slots=1))
    assert not programs["heavy"].is_ready()  # one of another machine, or the one before it
    pulse = pulse_file(settings, "heavy")
    pulse.parent.mkdir(exist_ok=True)
    pulse.touch()
    assert {name: program.is_ready() for name, program in programs.items()} == {"worker": False, "heavy": True}
    programs["heavy"].forget()  # before it is started again
    assert not programs["heavy"].is_ready()


def test_nothing_is_ready_while_the_broker_is_away(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert not worker("worker", WORKER_LANES, 1, settings, 1).is_ready()
    program = broker(settings)
    assert not program.is_ready()
    with supervision(tmp_path) as supervisor:
        supervisor.start([program])
        assert program.is_ready()
    forget_socket(tmp_path)


def test_a_broker_of_others_that_is_away_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    tell_of_broker(Settings(data_dir=tmp_path, broker_url=SecretStr(f"redis://bob:secret@127.0.0.1:{port}/0")))
    said = " ".join(capsys.readouterr().err.split())
    assert f"the broker at 127.0.0.1:{port} cannot be reached: The broker cannot be reached" in said
    assert "secret" not in said


def test_the_api_is_not_ready_while_nobody_answers(programs: dict[str, Program]) -> None:
    assert not programs["api"].is_ready()


def test_a_stack_that_is_refused_leaves_the_running_ones_socket_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with supervision(tmp_path):
        (tmp_path / SOCKET_NOTE).write_text(str(tmp_path / "live" / "redis.sock"))
        with pytest.raises(SetupError, match="another stack"), running(settings, make_layout()):
            pass
        assert (tmp_path / SOCKET_NOTE).exists()


def test_clusters_are_collected_where_there_are_any(tmp_path: Path, programs: dict[str, Program]) -> None:
    cluster = YarnConnection(cluster="prod", addresses=("http://rm:8088",))
    settings = Settings(data_dir=tmp_path, connections={"hadoop": cluster})
    assert {program.name for program in fleet(settings, make_layout(workers=3))} == {*programs, "collector"}


def test_a_cluster_that_is_added_while_a_stack_runs_is_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "queuecast.toml"
    monkeypatch.setenv("QUEUECAST_CONFIG_FILE", str(file))
    monkeypatch.setattr(late_collector, "LOOK_SECONDS", 0.0)
    added: list[Program] = []
    supervisor = Supervisor(tmp_path, print)
    monkeypatch.setattr(supervisor, "add", added.append)
    late = LateCollector(Settings(data_dir=tmp_path), supervisor)
    for text in ("", "[connections.hadoop", '[connections.own]\nkind = "files"\npath = "/srv"\n'):
        file.write_text(text)
        late.look()
        assert added == []
    file.write_text('[connections.hadoop]\nkind = "yarn"\ncluster = "prod"\naddresses = ["http://rm:8088"]\n')
    assert [late.look() for _ in range(3)] == [False] * 3
    assert [program.name for program in added] == ["collector"]
