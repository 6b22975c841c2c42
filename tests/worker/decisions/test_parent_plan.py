"""Plans by hand: who gets what from whom, in each mode, and what is told where nothing is planned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.basis import Basis
from shared.domain.capacities import Resources
from shared.domain.policies import Policy, QueueClass, QueueRule
from shared.domain.queue_tree import Calculator, QueueTree, Scheduler, State
from shared.domain.recommendations import Resource
from shared.yarn.configuration import tree_of
from shared.yarn.effective import resolved
from tests.shared.yarn.trees import mb, prefixed
from tests.worker.decisions.demands import Place, wanted_of, with_days
from worker.decisions.plan import NOT_FORECAST, plan
from worker.decisions.planned import ParentPlan, TreePlan
from worker.decisions.terms import Facts
from worker.decisions.wanted import Wanted, added

CLUSTER = mb(1000 * 1024, 1000)
GB = 1024
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def a_tree(total: Resources = CLUSTER, **names: str) -> QueueTree:
    """`a="60"` is the capacity of root.a, `a_x` that of root.a.x, `a_max` a maximum."""
    tops = [name for name in names if "_" not in name]
    found = {"root.queues": ",".join(tops)}
    for top in tops:
        if below := [name.split("_")[1] for name in names if name.startswith(f"{top}_") and not name.endswith("_max")]:
            found[f"root.{top}.queues"] = ",".join(below)
    for name, text in names.items():
        key = "maximum-capacity" if name.endswith("_max") else "capacity"
        found[f"root.{name.removesuffix('_max').replace('_', '.')}.{key}"] = text
    tree = resolved(tree_of(prefixed(found)), {"": total})
    return replace(tree, calculator=Calculator.DOMINANT)


def of_gb(**amounts: float) -> dict[Place, Wanted]:
    """Memory that queues want in GB; of two of the same seed all steps go together."""
    return {(f"root.{name.replace('_', '.')}", ""): wanted_of(amount * GB, spread=40.0) for name, amount in amounts.items()}


def planned(tree: QueueTree, wanted: dict[Place, Wanted], *rules: QueueRule, **limits: float) -> TreePlan:
    def policy_of(parent: str, partition: str) -> Policy:
        of_parent = tuple(rule for rule in rules if rule.queue.rpartition(".")[0] == parent)
        return replace(Policy(cluster="c", parent=parent, partition=partition, queues=of_parent), **limits)

    return plan(tree, wanted, policy_of)


def written(found: ParentPlan) -> dict[str, str]:
    return {f"{change.queue}.{change.key}": f"{change.before} → {change.after}" for change in found.patch}


def test_a_queue_that_runs_short_gets_what_another_leaves_idle() -> None:
    [root] = planned(a_tree(etl="40", bi="30", lab="30"), of_gb(etl=420, bi=300, lab=100)).plans
    assert written(root) == {"root.etl.capacity": "40 → 45.2", "root.bi.capacity": "30 → 32.3", "root.lab.capacity": "30 → 22.5"}
    raised, _, cut = root.changes
    assert (raised.donors, cut.donors) == (("root.lab",), ())
    assert raised.risk_after < raised.risk_before
    assert (raised.resources_before.memory_mb, raised.resources_after.memory_mb) == (400 * GB, 452 * GB)
    assert root.memory.plan + root.memory.changing < root.memory.keep
    assert root.kept == ()
    assert root.because[0].startswith("As it is, etl passes its guarantee ")


def test_one_that_keeps_what_it_has_is_counted_among_those_that_pass_it() -> None:
    protected = QueueRule(queue="root.etl", is_protected=True)
    [root] = planned(a_tree(etl="20", bi="40", lab="40"), of_gb(etl=600, bi=100, lab=100), protected).plans
    assert "root.etl" not in {change.queue for change in root.changes}
    assert root.because[0].startswith("As it is, etl passes its guarantee 100 % of the time, ")


def test_weights_and_amounts_are_planned_in_their_own_way() -> None:
    wanted = of_gb(etl=420, bi=300, lab=100)
    [by_weight] = planned(a_tree(etl="4w", bi="3w", lab="3w"), wanted).plans
    assert written(by_weight) == {
        "root.etl.capacity": "4w → 4.52w",
        "root.bi.capacity": "3w → 3.23w",
        "root.lab.capacity": "3w → 2.25w",
    }
    amounts = {name: f"[memory={gb * GB},vcores={gb}]" for name, gb in {"etl": 400, "bi": 300, "lab": 300}.items()}
    [by_amount] = planned(a_tree(**amounts), wanted).plans
    etl, bi, lab = [change.resources_after for change in by_amount.changes]  # etl and bi run short alike in a few GB more or less
    assert (etl.memory_mb + bi.memory_mb, lab) == (775 * GB, mb(225 * GB, 300))
    assert etl.memory_mb / GB == pytest.approx(452, abs=4)
    assert (etl.vcores, bi.vcores) == (400, 300)
    assert by_amount.vcores is None


def test_the_scarcer_resource_decides_where_capacity_is_one_number() -> None:
    wanted = of_gb(bi=150) | {("root.etl", ""): wanted_of(200 * GB, 600, spread=40.0)}
    [root] = planned(a_tree(etl="50", bi="50"), wanted).plans
    assert root.changes[0].binding is Resource.VCORES
    assert root.changes[0].is_raise


def test_both_resources_of_amounts_are_changed_in_the_same_queues_first() -> None:
    tree = a_tree(etl=f"[memory={500 * GB},vcores=500]", bi=f"[memory={500 * GB},vcores=500]")
    wanted = {("root.etl", ""): wanted_of(560 * GB, 600, spread=40.0), ("root.bi", ""): wanted_of(200 * GB, 100, spread=40.0)}
    [root] = planned(tree, wanted, max_changes=2).plans
    assert {change.queue for change in root.changes} == {"root.etl", "root.bi"}
    assert root.changes[0].after.resources is not None
    assert root.changes[0].after.resources.vcores > 500
    assert root.vcores is not None
    assert root.changes[0].after.resources.memory_mb % GB == 0


def test_a_maximum_goes_up_with_a_guarantee_that_would_pass_it() -> None:
    [root] = planned(a_tree(etl="40", etl_max="45", bi="60", bi_max="80"), of_gb(etl=600, bi=100)).plans
    assert written(root)["root.etl.maximum-capacity"] == "45 → 50"
    assert "The maximum of root.etl goes up with what it is guaranteed, to 50 %." in root.because
    assert "root.bi.maximum-capacity" not in written(root)


def test_a_parent_is_planned_with_what_it_then_has_and_wants_what_is_below_it() -> None:
    tree = a_tree(etl="40", bi="60", etl_daily="50", etl_hourly="50")
    root, etl = planned(tree, of_gb(bi=200, etl_daily=300, etl_hourly=150)).plans
    assert (root.parent, root.follows) == ("root", "")
    assert (etl.parent, etl.follows) == ("root.etl", "root")
    assert etl.whole.memory_mb == 500 * GB
    assert written(etl)["root.etl.daily.capacity"] == "50 → 60"


def test_what_is_not_known_or_not_to_be_touched_stays_and_says_why() -> None:
    tree = a_tree(etl="30", bi="20", lab="20", old="10", new="20")
    stopped = replace(tree.by_path["root.old"], state=State.STOPPED)
    tree = replace(tree, queues=tuple(stopped if queue.path == "root.old" else queue for queue in tree.queues))
    wanted = of_gb(etl=400, bi=100, lab=100, old=0)
    held = replace(wanted["root.lab", ""], facts=Facts(history_days=3.0))
    [root] = planned(tree, wanted | {("root.lab", ""): held}, QueueRule(queue="root.bi", is_protected=True)).plans
    assert {kept.queue: kept.because for kept in root.kept if kept.queue != "root.etl"} == {
        "root.bi": "its policy protects it from changes",
        "root.lab": "its demand is known of 3.0 days; at least 7 are needed",
        "root.old": "it takes no applications now",
        "root.new": "nothing is forecast of it",
    }
    assert root.changes == ()


@pytest.mark.parametrize(
    ("facts", "agreed"),
    [
        (Facts(basis=Basis(at_least=0.5)), None),
        (Facts(is_calibrated=False), None),
        (Facts(), None),
        (Facts(agreed=290.0 * GB), 29.0),
    ],
)
def test_nothing_is_lowered_on_the_word_of_a_doubtful_forecast(facts: Facts, agreed: float | None) -> None:
    wanted = of_gb(etl=720, lab=100)
    wanted["root.lab", ""] = replace(wanted["root.lab", ""], facts=facts)
    lab = QueueRule(queue="root.lab", queue_class=QueueClass.CRITICAL)
    [root] = planned(a_tree(etl="70", lab="30"), wanted, lab, min_step_percent=0.5).plans
    assert [change.after.percent for change in root.changes] == ([] if agreed is None else [100 - agreed, agreed])


def test_a_queue_whose_configuration_is_new_is_left() -> None:
    wanted = of_gb(etl=500, lab=100)
    facts = Facts(now=NOW, configured_at=NOW - timedelta(days=1))
    wanted["root.etl", ""] = replace(wanted["root.etl", ""], facts=facts)
    [root] = planned(a_tree(etl="40", lab="60"), wanted).plans
    assert root.changes == ()
    assert "looked at for 3 days first" in {kept.queue: kept.because for kept in root.kept}["root.etl"]


def test_where_the_parent_itself_is_full_that_is_said() -> None:
    [root] = planned(a_tree(etl="50", bi="50"), of_gb(etl=700, bi=650)).plans
    assert any("whatever its children are guaranteed: that takes more nodes or less work." in each for each in root.because)
    assert root.memory.then is not None
    assert root.memory.now is not None
    assert root.memory.then.waits == pytest.approx(root.memory.now.waits)
    assert root.memory.then.waits > 300 * GB * 20


def test_bounds_that_cannot_be_kept_are_a_sentence_and_change_nothing() -> None:
    tree = a_tree(etl="50", bi="50")
    floors = [QueueRule(queue="root.etl", floor=60.0), QueueRule(queue="root.bi", floor=44.0)]
    found = planned(tree, of_gb(etl=500, bi=500), *floors)
    assert [each.refused for each in found.plans] == [
        "No plan keeps all that is asked for: floors of etl and bi add up to 104 %."
    ]
    assert found.tree == tree


def test_mixed_modes_dynamic_queues_and_the_fair_scheduler_are_left_with_a_sentence() -> None:
    wanted = of_gb(a=500, b=500)
    mixed = a_tree(a="50", b=f"[memory={500 * GB},vcores=500]")
    dynamic = a_tree(a="5w", b="5w")
    made = replace(dynamic, queues=tuple(replace(q, is_dynamic=q.path == "root.b") for q in dynamic.queues))
    fair = replace(a_tree(a="50", b="50"), scheduler=Scheduler.FAIR)
    for tree, said in ((mixed, "several modes (absolute, percentage)"), (made, "(b)"), (fair, "edited by hand")):
        [root] = planned(tree, wanted).plans
        assert said in root.refused
        assert root.patch == ()
    [nothing] = planned(a_tree(a="50", b="50"), {}).plans
    assert nothing.refused == NOT_FORECAST


@pytest.mark.parametrize("mode", ["percent", "weight", "amount"])
def test_what_had_a_much_higher_week_gets_more_and_is_no_likelier_to_run_short(mode: str) -> None:
    amounts = {name: f"[memory={gb * GB},vcores={gb}]" for name, gb in {"etl": 400, "bi": 300, "lab": 300}.items()}
    texts = {"percent": {"etl": "40", "bi": "30", "lab": "30"}, "weight": {"etl": "4w", "bi": "3w", "lab": "3w"}}
    tree, plain = a_tree(**texts.get(mode, amounts)), of_gb(etl=380, bi=220, lab=150)
    times = {"root.etl": 1.6}
    high = {place: with_days(each, times.get(place[0], 1.0)) for place, each in plain.items()}
    after = []
    for wanted in (plain, high):
        [root] = planned(tree, wanted).plans
        found = {change.queue: change for change in root.changes}
        after.append(found["root.etl"].resources_after.memory_mb if "root.etl" in found else 400 * GB)
        assert len(root.days) == (7 if wanted is high else 0)
    assert after[1] > after[0]
    assert found["root.etl"].risk_before == pytest.approx(
        float((plain["root.etl", ""].memory.values > 400 * GB).mean()), abs=0.02
    )


def test_a_family_of_which_one_has_no_week_is_planned_as_if_none_had() -> None:
    tree, plain = a_tree(etl="40", bi="30", lab="30"), of_gb(etl=380, bi=220, lab=150)
    some = {place: with_days(each, 3.0) if place[0] != "root.lab" else each for place, each in plain.items()}
    assert planned(tree, some) == planned(tree, plain)
    all_of_them = {place: with_days(each, 1.6 if place[0] == "root.etl" else 1.0) for place, each in plain.items()}
    assert planned(tree, all_of_them).patch != planned(tree, plain).patch


def test_a_parent_without_a_forecast_is_planned_by_the_sums_of_each_day() -> None:
    tree = a_tree(etl="40", bi="60", etl_daily="50", etl_hourly="50")
    plain = of_gb(bi=200, etl_daily=200, etl_hourly=150)
    high = {place: with_days(each, 1.0 if place[0] == "root.bi" else 1.5) for place, each in plain.items()}
    before, after = (next(each.after.percent for each in planned(tree, wanted).plans[0].changes) for wanted in (plain, high))
    assert (after or 0.0) > (before or 0.0)
    whole = {
        ("root.etl", ""): added([high["root.etl.daily", ""], high["root.etl.hourly", ""]]),
        ("root.bi", ""): high["root.bi", ""],
    }
    known = {place: wanted for place, wanted in whole.items() if wanted is not None}
    assert planned(tree, known).plans[0].changes == planned(tree, high).plans[0].changes


def test_small_siblings_move_in_small_steps_where_nobody_has_said_a_step() -> None:
    names = {f"q{place}": "5" for place in range(20)}
    wanted = of_gb(**{name: 90 if place == 0 else 10 + place / 10 for place, name in enumerate(names)})  # equal ones go together
    [root] = planned(a_tree(**names), wanted).plans
    moves = [(change.before.percent or 0.0) - (change.after.percent or 0.0) for change in root.changes]
    assert root.changes[0].queue == "root.q0"
    assert all(abs(move) >= 0.5 for move in moves)
    assert min(map(abs, moves)) < 2.0


def test_small_siblings_that_cannot_give_a_whole_step_are_told_what_would_let_them() -> None:
    names = {f"q{place}": "5" for place in range(20)}
    wanted = of_gb(**{name: 90 if name == "q0" else 10 for name in names})
    [root] = planned(a_tree(**names), wanted, min_step_percent=2.0).plans
    assert root.changes == ()
    assert any("Smaller steps or larger cuts would have to be allowed." in each for each in root.because)


@pytest.mark.parametrize("times", [2, 1024])
def test_a_tree_and_a_demand_so_many_times_as_large_get_the_same_plan(times: int) -> None:
    names = {"etl": "40", "bi": "30", "lab": "30"}
    small = planned(a_tree(**names), of_gb(etl=420, bi=300, lab=100))
    whole = Resources(memory_mb=CLUSTER.memory_mb * times, vcores=CLUSTER.vcores * times)
    large = planned(a_tree(whole, **names), of_gb(etl=420 * times, bi=300 * times, lab=100 * times))
    assert large.patch == small.patch != ()


def test_where_changes_are_beyond_price_nothing_is_changed() -> None:
    found = planned(a_tree(etl="40", bi="30", lab="30"), of_gb(etl=420, bi=300, lab=100), price_hours=1e6)
    assert found.patch == ()


@pytest.mark.parametrize("week", [None, 0.5, 1.0, 1.5])
def test_equal_queues_get_equal_capacities_and_more_kappa_never_lowers(week: float | None) -> None:
    tree, wanted = a_tree(a="20", b="20", lab="60"), of_gb(a=260, b=260, lab=300)
    if week is not None:
        wanted = {place: with_days(each, 1.0 if place[0] == "root.lab" else week) for place, each in wanted.items()}
    [root] = planned(tree, wanted).plans
    by_queue = {change.queue: change.after.percent for change in root.changes}
    assert by_queue["root.a"] == by_queue["root.b"]
    found = []
    for kappa in (2.0, 5.0, 10.0, 14.0, 15.0, 20.0, 50.0):
        after = planned(tree, wanted, QueueRule(queue="root.a", kappa=kappa), min_step_percent=0.1).tree
        share = after.by_path["root.a"].share()
        found.append(0.0 if share is None else share.capacity.percent or 0.0)
    assert found == sorted(found)
