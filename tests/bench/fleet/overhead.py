"""(b) Our own CPU time on top of a candidate's: of one that is a task, and of one in a block."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.bench.fleet.bare import run_bare
from tests.bench.fleet.figures import Figure, Say
from tests.bench.fleet.stage import LANES, Stage, request_of, stage_over, write_files
from tests.factories import a_request

QUEUES = 40
MILLISECONDS = 1_000


@dataclass(frozen=True, kw_only=True)
class Way:
    """A model of 0 ms, and the numbers of variants between which the price of one more is taken."""

    name: str
    model: str
    few: int
    many: int
    hold: float


WAYS = (
    Way(name="a candidate task", model="alone", few=4, many=29, hold=4.0),  # 1,000 tasks more
    Way(name="a candidate in a block", model="quick", few=12, many=137, hold=0.5),  # 5,000 candidates more
)


def measure(say: Say, repeat: int) -> None:
    """Jobs of few and of many candidates on the same queues; what one more costs the worker, less what it costs bare."""
    with stage_over(write_files, QUEUES, lanes=f"{LANES},heavy") as here:
        say(Figure(part="b", what="idle worker", value=here.idle * MILLISECONDS, unit="ms CPU / s"))
        for way in WAYS:
            _price(say, here, here.settings.data_dir / "files", way, repeat)


def _price(say: Say, here: Stage, folder: Path, way: Way, repeat: int) -> None:
    spent, main, bare = {}, {}, {}
    for variants in (way.few, way.many):
        wanted = request_of(way.model, variants)
        ran = [here.run(**wanted) for _ in range(repeat)]
        assert ran[0].candidates == QUEUES * (variants + 4)
        spent[variants] = min(each.worker_cpu for each in ran)  # whatever else the machine did only adds
        main[variants] = min(each.main_cpu for each in ran)
        bare[variants] = min(run_bare(a_request(**wanted), folder).everything for _ in range(repeat))
    more = QUEUES * (way.many - way.few) / MILLISECONDS
    fleet, alone = (spent[way.many] - spent[way.few]) / more, (bare[way.many] - bare[way.few]) / more
    say(Figure(part="b", what=f"{way.name}: worker CPU", value=fleet, unit="ms"))
    share = (main[way.many] - main[way.few]) / more
    say(Figure(part="b", what=f"{way.name}: of that, Celery's main process", value=share, unit="ms"))
    say(Figure(part="b", what=f"{way.name}: CPU in a bare process", value=alone, unit="ms"))
    say(Figure(part="b", what=f"{way.name}: ours on top", value=fleet - alone, unit="ms", hold=("≤", way.hold)))
    fixed = 1e3 * (spent[way.few] - bare[way.few]) / QUEUES
    say(Figure(part="b", what=f"a whole queue of {way.few + 4} candidates, {way.model}: ours on top", value=fixed, unit="ms"))
