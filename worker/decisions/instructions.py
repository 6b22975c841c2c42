"""How a proposal is put into force by hand, checked and undone: the README.txt among its files. No address and no path of ours.

A name in a command is quoted for the shell; where a command has no way to say a name or a value at all, it is left out.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.domain.capacities import Mode, Resources
from shared.domain.evidence import gigabytes
from shared.domain.outgoing import readable
from shared.domain.property_change import PropertyChange
from shared.domain.proposals import Proposal, ProposedChange
from shared.domain.recommendations import Expected, Recommendation, amount, work_amount
from shared.domain.timegrid import MINUTE
from shared.domain.wording import digits
from shared.yarn.patch import inverse
from worker.decisions.sentence import hours_told

WIDTH = 100
MODES = {Mode.PERCENTAGE: " % of its parent", Mode.WEIGHT: " of weight", Mode.ABSOLUTE: " MB", Mode.MIXED: ""}
REFRESH = "yarn rmadmin -refreshQueues"
CONF = '"$RM/ws/v1/cluster/scheduler-conf'
_SIGNS = re.compile(r"[;:,=\\]")  # of `yarn schedulerconf`, which has no way to write them otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Patches:
    """Whether there are patches among the files, and of what file; or why there are none, where one was named."""

    file_name: str = ""
    refusal: str = ""


def instructions(proposal: Proposal, patches: Patches) -> str:
    """All of README.txt."""
    parts = [_head(proposal), _section("What changes", _changes(proposal)), _section("Expected effect", _effect(proposal))]
    if proposal.kept:
        parts.insert(2, _section("What stays", _kept(proposal)))
    if proposal.patch:
        parts += [
            _section("Before", _before(proposal)),
            _section("Apply", _apply(proposal.patch)),
            _section("Undo", _undo(proposal)),
        ]
        parts += [
            _section("A cluster whose configuration is a file", _file(proposal.patch, patches)),
            _section("Afterwards", AFTER),
        ]
    elif proposal.changes:
        parts.append(_section("Apply", BY_HAND))
    return re.sub(r"\n{3,}", "\n\n", "\n\n".join(parts)) + "\n"


def _head(proposal: Proposal) -> str:
    title = f"Proposal {proposal.decision_id}"
    partition = f", partition {proposal.partition}" if proposal.partition else ""
    where = f"the children of {proposal.parent}{partition}" if proposal.parent else "queues without a tree"
    whose = f"Cluster {proposal.cluster or 'not named'}, {where}."
    window = f"Made {proposal.created_at:{MINUTE}} for {proposal.start_at:{MINUTE}} to {proposal.end_at:{MINUTE}}."
    limits = "Do not use it after that, nor once anybody has configured these queues otherwise: ask for a new one."
    first = [f"It counts on {proposal.follows} being in force first."] if proposal.follows else []
    return "\n".join([title, "=" * len(title), "", *_wrapped(proposal.sentence, " ".join([whose, window, limits]), *first)])


def _section(title: str, lines: Iterable[str]) -> str:
    return "\n".join([title, "-" * len(title), "", *lines])


def _changes(proposal: Proposal) -> Iterator[str]:
    if not proposal.changes:
        yield from _wrapped("Nothing: the queues are best left as they are.", *proposal.because)
        return
    for change in proposal.changes:
        maximum = f"; maximum {change.maximum_before or 'none'} -> {change.maximum_after}" if change.maximum_after else ""
        yield f"  {readable(change.queue)}: {_from_to(change)}{maximum}"
        if change.before_at is not None:
            yield f"      needed before {change.before_at:{MINUTE}}"
        if change.donors:
            yield f"      given by {readable(', '.join(change.donors))}"
        yield from _wrapped(change.binding_recommendation.because, indent="      ")
    together = ("All of it goes in one request, or none: siblings add up only together.",) if proposal.patch else ()
    if told := (*together, *proposal.because):
        yield ""
        yield from _wrapped(*told)


def _kept(proposal: Proposal) -> Iterator[str]:
    for kept in proposal.kept:
        yield f"  {readable(kept.queue)}: {amount(kept.present, kept.unit)}"
        yield from _wrapped(kept.kept_because or kept.because, indent="      ")


def _from_to(change: ProposedChange) -> str:
    if change.mode is None:
        unit = change.binding_recommendation.unit
        return f"{amount(change.present, unit)} -> {amount(change.proposed, unit)}"
    both = (change.present_resources, change.proposed_resources)
    in_force = "" if None in both else f" ({_resources(both[0])} -> {_resources(both[1])})"
    return f"{digits(change.present)} -> {digits(change.proposed)}{MODES[change.mode]}{in_force}"


def _resources(resources: Resources | None) -> str:
    return "" if resources is None else f"{gigabytes(resources.memory_mb)}, {resources.vcores:,} vcores"


def _effect(proposal: Proposal) -> Iterator[str]:
    for change in proposal.changes:
        told = change.binding_recommendation
        yield f"  {readable(change.queue)}, {told.resource}:"
        yield f"      now:      {_expected(told, told.before)}"
        yield f"      proposed: {_expected(told, told.after)}"
    cost = proposal.cost
    yield ""
    yield from _wrapped(
        f"Cost in this time, idle capacity and weighted lack of it: {digits(cost.keep)} {cost.unit} as it is,"
        f" {digits(cost.plan)} {cost.unit} with the plan. A lack counts {_kappas(proposal)} times what lies idle."
    )


def _expected(told: Recommendation, expected: Expected) -> str:
    chance = f"chance of needing more {expected.likelihood}, " if expected.likelihood is not None else ""
    lack, idle = work_amount(expected.shortfall, told.unit), work_amount(expected.slack, told.unit)
    return f"{chance}{hours_told(expected.hours)} above it, {lack} lacking, {idle} idle"


def _kappas(proposal: Proposal) -> str:
    kappas = sorted({change.binding_recommendation.kappa for change in proposal.changes}) or [proposal.policy.rule("").weight]
    return " to ".join(f"{kappa:g}" for kappa in dict.fromkeys([kappas[0], kappas[-1]]))


def _before(proposal: Proposal) -> Iterator[str]:
    yield from _wrapped("Say where your active ResourceManager is, and keep what it has now:")
    yield from _commands("RM=http://resourcemanager:8088", f'curl -sS -H "Accept: application/json" {CONF}" -o before.json')
    yield from _wrapped(
        "With simple authentication add ?user.name=NAME of an administrator of YARN to each address; under Kerberos"
        ' "--negotiate -u :" to each curl. before.json has to show these values, where it is answered at all:'
    )
    yield from (f"  {readable(each.property_name)} = {each.before or '(not there)'}" for each in proposal.patch)
    yield ""
    yield from _wrapped(
        "YARN can try the request without taking it up. Do so at most once: it resets the queue metrics of the scheduler that"
        " runs. Releases that cannot answer 404:"
    )
    yield from _commands(_curl("POST", "sched-conf.xml", "/validate"))


def _apply(patch: Sequence[PropertyChange]) -> Iterator[str]:
    yield from _commands(_curl("PUT", "sched-conf.xml"))
    yield from _wrapped(
        "It answers 200 once the change is in force. 400 says why it was refused, and then nothing is changed. Where no"
        " answer comes, look before you send it again. sched-conf.json is the same, for releases that take it with"
        " Content-Type: application/json."
    )
    yield from _schedulerconf(patch)


def _undo(proposal: Proposal) -> Iterator[str]:
    yield from _wrapped("This brings back the values under Before, and removes what was not there:")
    yield from _commands(_curl("PUT", "inverse.xml"))
    yield from _schedulerconf(inverse(proposal.patch))


def _curl(method: str, file: str, place: str = "") -> str:
    headers = '-H "Content-Type: application/xml" -H "Accept: application/json"'
    return f'curl -i -sS -X {method} {headers} --data-binary @{file} {CONF}{place}"'


def _schedulerconf(patch: Sequence[PropertyChange]) -> Iterator[str]:
    """The same with Hadoop's own command, where it can say it."""
    queues = dict.fromkeys(each.queue for each in patch)
    if any(map(_SIGNS.search, [*queues, *(each.after for each in patch)])):
        yield from _wrapped('"yarn schedulerconf" has no way to write these names or values.')
        return
    entries = {queue: ",".join(f"{each.key}={each.after}" for each in patch if each.queue == queue) for queue in queues}
    told = shlex.quote(";".join(f"{queue}:{values}" for queue, values in entries.items()))
    yield from _wrapped("Or, the same:")
    yield from _commands(f"yarn schedulerconf -update {told}")


def _file(patch: Sequence[PropertyChange], patches: Patches) -> Iterator[str]:
    if patches.file_name:
        yield from _patching(shlex.quote(patches.file_name), shlex.quote(f"{patches.file_name}.before"))
        return
    if patches.refusal:
        yield from _wrapped(f"There is no patch of its file: {patches.refusal}")
    yield from _wrapped("Set these in capacity-scheduler.xml, and have them taken up:")
    for each in patch:
        yield f"  {readable(each.property_name)}: {each.before or '(not there)'} -> {each.after or '(take it out)'}"
    yield from _commands(REFRESH)


def _patching(name: str, copy: str) -> Iterator[str]:
    yield from _wrapped("In the folder of the file, with a copy of it kept:")
    tried = f"patch -p0 --binary --dry-run -- {name} capacity-scheduler.patch"
    yield from _commands(f"cp -p -- {name} {copy}", tried, f"patch -p0 --binary -- {name} capacity-scheduler.patch", REFRESH)
    yield from _wrapped("Undo:")
    yield from _commands(f"patch -p0 --binary -- {name} capacity-scheduler.inverse.patch", REFRESH)


AFTER = textwrap.wrap(
    "Look at what the queues get and at what waits in them. Queuecast sees the change itself, says so with the proposal, and"
    " compares after 1, 3 and 7 days what it cost with what was expected. Without preemption a guarantee comes back only as"
    " containers end.",
    WIDTH,
)


BY_HAND = textwrap.wrap(
    "Set these capacities where you set them. Queuecast knows no scheduler that these queues are of, and sees the change in the"
    " limits of their next samples alone. What each has now undoes it.",
    WIDTH,
)


def _commands(*lines: str) -> list[str]:
    return ["", *(f"  {line}" for line in lines), ""]


def _wrapped(*texts: str, indent: str = "") -> Iterator[str]:
    """Each on lines of its own; what comes from outside ends none of them."""
    for text in texts:
        yield from textwrap.wrap(
            readable(" ".join(text.split())),
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
