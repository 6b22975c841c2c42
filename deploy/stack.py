"""Which processes make up Queuecast on one machine, with which arguments, and how each shows that it is ready.

stage 1   broker   the embedded Valkey, unless QUEUECAST_BROKER_URL names another server
stage 2   api      answers HTTP                          reaper  sends again what was lost
          worker   lanes select, check, plan, score      flower  shows operators what runs
          control  lanes select, check: a slot that no candidate takes
          heavy    lane heavy: one slow candidate at a time      collector  samples clusters, where there are any
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import urllib3

from api.edge.bind_address import check_address
from deploy.ports import HERE, flower_port_of, free_port
from deploy.supervise import Program, Supervisor, supervision
from deploy.valkey import forget_socket, valkey_command
from shared.command.terminal import notice
from shared.config.data_folder import open_data_folder
from shared.config.machine import this_machine
from shared.config.settings import PREFIX, Settings
from shared.connections.yarn import readers
from shared.domain.lanes import Lane
from shared.drivers.redis_server import redis_server
from shared.errors import BrokerAway
from shared.fleet.membership import membership
from shared.fleet.runstate import RunState
from shared.fleet.runstate.members import REAPER
from shared.telemetry.metrics_folder import FOLDER, empty_folder, metrics_folder
from worker.fleet.allotment import child_of_stack, slots_of_stack
from worker.fleet.liveness import COLLECTOR_PULSE, is_alive, pulse_file

WORKER_LANES = (Lane.SELECT, Lane.CHECK, Lane.PLAN, Lane.SCORE)  # callbacks first
CONTROL_LANES = (Lane.SELECT, Lane.CHECK)  # a slot of their own, so that questions are answered while all others are busy
HEAVY_LANES = (Lane.HEAVY,)  # a process of its own, else short candidates starve it
QUEUECAST = str(Path(sys.executable).with_name("queuecast"))

_IMPORT_SECONDS = 120.0  # forecasting libraries on a cold, loaded machine
_DRAIN_SECONDS = 30.0  # after a task in progress has finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a person chooses about the stack of one machine."""

    host: str
    port: int
    flower_port: int
    workers: int

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def flower_url(self) -> str:
        """Where Flower answers, on this machine only."""
        return f"http://{HERE}:{self.flower_port}"


def make_layout(*, host: str = HERE, port: int = 0, flower_port: int | None = None, workers: int | None = None) -> Layout:
    """Choose what is not given: port 0 = any free one, `workers` = cores, or as memory allows.

    Raises SetupError for a port that is taken.
    """
    return Layout(
        host=host,
        port=free_port(host, port, "--port"),
        flower_port=flower_port_of(flower_port),
        workers=workers or slots_of_stack(this_machine()),
    )


@contextmanager
def running(settings: Settings, layout: Layout) -> Iterator[Supervisor]:
    """The stack, ready; on the way out everything ends in order.

    Raises SetupError when another stack has the data folder, or others could reach the API while no token exists.
    """
    if note := check_address(layout.host, settings, notice):
        notice(note, style="yellow")
    if note := open_data_folder(settings, is_needed=True):
        notice(note, style="yellow")
    with supervision(settings.data_dir) as supervisor:
        if settings.files_dir is None:
            (settings.data_dir / "files").mkdir(exist_ok=True)  # where people put what requests shall read
        try:
            if settings.broker_url is None:
                forget_socket(settings.data_dir)
                supervisor.start([broker(settings)])
            else:
                tell_of_broker(settings)
            empty_folder(_metrics(settings))
            supervisor.start(fleet(settings, layout))
            yield supervisor
        finally:
            supervisor.stop()
            if settings.broker_url is None:
                forget_socket(settings.data_dir)


def broker(settings: Settings) -> Program:
    """The embedded Valkey."""
    return Program(
        name="broker", command=valkey_command(settings.data_dir), is_ready=lambda: _broker_says(settings, _answers_ping)
    )


def fleet(settings: Settings, layout: Layout) -> list[Program]:
    """All that needs a broker."""
    serve = [QUEUECAST, "serve", "--host", layout.host, "--port", str(layout.port)]
    flower = [QUEUECAST, "flower", "--port", str(layout.flower_port)]
    environment = _environment(settings)
    flower_url = settings.flower_url or layout.flower_url
    return [
        Program(
            name="api",
            command=serve,
            environment=environment | {f"{PREFIX}FLOWER_URL": flower_url},
            is_ready=lambda: _answers(f"{layout.url}/readyz"),
            is_alive=lambda: _answers(f"{layout.url}/healthz"),
            ready_seconds=_IMPORT_SECONDS,
            stop_seconds=30.0,
        ),
        worker("worker", WORKER_LANES, layout.workers, settings, layout.workers),
        worker("control", CONTROL_LANES, 1, settings, layout.workers),
        worker("heavy", HEAVY_LANES, 1, settings, layout.workers),
        Program(
            name="reaper",
            command=[QUEUECAST, "reap"],
            environment=environment,
            is_alive=lambda: _broker_says(settings, _has_reaper) or not _broker_says(settings, _answers_ping),
            is_essential=False,
        ),
        *([collector(settings)] if has_clusters(settings) else []),
        Program(name="flower", command=flower, environment=_data_dir(settings), is_essential=False),
    ]


def has_clusters(settings: Settings) -> bool:
    """Whether there is anything to collect from."""
    return bool(readers(settings.all_connections))


def collector(settings: Settings) -> Program:
    """Of the clusters that have a connection."""
    return Program(
        name="collector",
        command=[QUEUECAST, "collect"],
        environment=_environment(settings),
        forget=lambda: pulse_file(settings, COLLECTOR_PULSE).unlink(missing_ok=True),
        is_alive=lambda: is_alive(settings, COLLECTOR_PULSE),
        stop_seconds=30.0,
        is_essential=False,
    )


def worker(name: str, lanes: tuple[Lane, ...], concurrency: int, settings: Settings, workers: int) -> Program:
    """A worker process for these lanes, on a machine that `workers` candidates share with all others."""
    memory = settings.child_memory_mb or child_of_stack(this_machine(), lanes, workers)
    options = ["--lanes", ",".join(lanes), "--concurrency", str(concurrency), "--name", name]
    return Program(
        name=name,
        command=[QUEUECAST, "work", *options],
        environment=_environment(settings) | {f"{PREFIX}CHILD_MEMORY_MB": str(memory)},
        forget=lambda: pulse_file(settings, name).unlink(missing_ok=True),  # the killed one counts as living for a while
        is_ready=lambda: is_alive(settings, name) and _broker_says(settings, lambda state: _has_worker(state, lanes)),
        ready_seconds=_IMPORT_SECONDS,
        is_alive=lambda: is_alive(settings, name) or not _broker_says(settings, _answers_ping),  # without it no pulse beats
        stop_seconds=settings.task_seconds + _DRAIN_SECONDS,
        is_essential=False,
    )


def _data_dir(settings: Settings) -> dict[str, str]:
    """The data folder; the other settings reach each process as they reached us."""
    return {f"{PREFIX}DATA_DIR": str(settings.data_dir)}


def _environment(settings: Settings) -> dict[str, str]:
    """Of all that counts: in one folder, so that the API shows the whole stack. Flower counts for itself, names of its own."""
    return _data_dir(settings) | {FOLDER: str(_metrics(settings))}


def _metrics(settings: Settings) -> Path:
    return metrics_folder(settings.data_dir, "up")


def _broker_says(settings: Settings, question: Callable[[RunState], bool]) -> bool:
    """The broker's answer; no while it is away."""
    try:
        run_state = RunState.open(settings, is_patient=False)
        with closing(run_state):
            return question(run_state)
    except BrokerAway:
        return False


def tell_of_broker(settings: Settings) -> None:
    """Say at once when somebody else's broker is away: all others wait for it, and only their logs would tell why.

    Raises FleetDiffers when others live there with other settings.
    """
    try:
        with closing(RunState.open(settings, is_patient=False)) as run_state:
            run_state.ping()
        with membership(settings, "up"):  # which must be possible
            pass
    except BrokerAway as error:
        address = redis_server(settings).broker.address
        notice(f"the broker at {address} cannot be reached: {error.headline}. Queuecast is ready once it answers", style="yellow")


def _answers_ping(run_state: RunState) -> bool:
    run_state.ping()
    return True


def _has_reaper(run_state: RunState) -> bool:
    return run_state.members.is_held(REAPER)


def _has_worker(run_state: RunState, lanes: tuple[Lane, ...]) -> bool:
    return any(set(worker.lanes) == set(lanes) for worker in run_state.members.workers())


def _answers(url: str) -> bool:
    """Whether a GET is answered with 200; never through a proxy, which the environment may name."""
    try:
        return urllib3.request("GET", url, timeout=2, retries=False).status == HTTPStatus.OK
    except urllib3.exceptions.HTTPError:
        return False
