"""What capacities set by rules would have cost on real pools: `python -m tests.bench.decisions --data DIR --cache DIR`.

One decision a day on every pool, at each cutoff of tests/bench/chances.py, from the product's own forecast there; the cache is
the same, and holds what was fitted. The capacity that there is at first is that which suffices for so much of the first week;
doing nothing leaves it. Costs are idle amounts + κ × missing ones, without the price of changes, ÷ those of doing nothing:
geometric means over series; `paid` has the price of changes on top. What lies idle is ÷ mean demand, where 5 % of the hours are
above the capacity.

Parameters are those of `Terms`, fixed before the half that checks was looked at.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from shared.domain.replays import RECOMMENDED
from tests.bench.chances import POOLS
from tests.bench.decisions import joint
from tests.bench.decisions.pasts import past_of
from tests.bench.decisions.table import KAPPAS, Line, lines, offered, slack_at, timetables
from tests.bench.series import DataSet, queues_of
from worker.decisions.replay import Past
from worker.decisions.rules import baselines

MIDDLE = KAPPAS[1]
HOLD = {"batch pools": 0.945, "VM pools": 0.75}
CHANGES, WRONG_CUTS = 0.35, 6.5


def main() -> None:
    """Read what is asked and print the table of each kind of pools."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=lambda text: Path(text).resolve(), required=True, help="folder with the Parquet files")
    parser.add_argument("--cache", type=lambda text: Path(text).resolve(), required=True, help="folder for what was fitted")
    parser.add_argument("--half", choices=("tune", "check", "all"), default="check")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    print(f"{datetime.now(UTC):%Y-%m-%d} half={options.half}")
    with ProcessPoolExecutor(options.jobs) as pool:
        for name, sets in POOLS.items():
            asked = [(data, queue) for data in sets for queue in queues_of(data, options.data, half=options.half, most=0, seed=0)]
            pasts = [past for past in pool.map(partial(_past_of, options), asked) if past.cutoffs]
            print(f"\n{name}, {len(pasts)} series, {sum(len(past.cutoffs) for past in pasts)} days")
            print("\n".join(printed(pasts, name)))


def printed(pasts: Sequence[Past], name: str) -> Iterator[str]:
    """The table of one kind of pools."""
    by_kappa = {kappa: lines(pasts, kappa) for kappa in KAPPAS}
    yield f"{'':30}  κ = 5 / 10 / 20         paid    changes  wrong cuts  undone  above   idle"
    for rule in by_kappa[MIDDLE]:
        ratios = " / ".join(f"{by_kappa[kappa][rule].ratio:.3f}" for kappa in KAPPAS)
        swept = rule in {each.name for each in baselines(MIDDLE)} | {RECOMMENDED}
        idle = slack_at(pasts, rule) if swept else None
        yield f"{rule:30}  {ratios}   {_figures(by_kappa[MIDDLE][rule])}   {'' if idle is None else f'{idle:.2f}'}".rstrip()
    count, ratio = offered(pasts, MIDDLE)
    yield f"offered for {count} of {len(pasts)} series; those alone, and nothing elsewhere: {ratio:.3f}"
    yield timetables(pasts, MIDDLE)
    yield joint.told(pasts, MIDDLE)
    yield _held(by_kappa[MIDDLE], HOLD[name])


def _figures(line: Line) -> str:
    undone = "" if line.days_until_undone is None else f"{line.days_until_undone:.1f} d"
    counts = f"{line.changes_a_day:7.2f}  {line.wrong_cuts:10.1f}"
    return f"{line.paid_ratio:.3f}  {counts}  {undone:>6}  {100 * line.breach_share:4.1f} %"


def _held(found: dict[str, Line], limit: float) -> str:
    own, best = found[RECOMMENDED], min(found[rule.name].ratio for rule in baselines(MIDDLE))
    checks = {
        f"cost {own.ratio:.3f} of at most {limit}": own.ratio <= limit,
        f"changes {own.changes_a_day:.2f} a day of at most {CHANGES}": own.changes_a_day <= CHANGES,
        f"wrong cuts {own.wrong_cuts:.1f} of at most {WRONG_CUTS}": own.wrong_cuts <= WRONG_CUTS,
        f"best baseline {best:.3f}": own.ratio < best,
    }
    return "; ".join(f"{what}: {'held' if held else 'missed'}" for what, held in checks.items())


def _past_of(options: argparse.Namespace, asked: tuple[DataSet, str]) -> Past:
    return past_of(*asked, options.data, options.cache)


if __name__ == "__main__":
    main()
