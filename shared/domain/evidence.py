"""The numbers of a verdict as sentences: why a queue waits, as a person says it. Memory is told in GB."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared.domain.units import MEGABYTES_PER_GIGABYTE
from shared.domain.waiting import Cause, Numbers, Verdict


def evidence_of(verdict: Verdict) -> str:
    """The numbers in a sentence; "" where they are not known."""
    try:
        return EVIDENCE[verdict.cause](verdict.numbers)
    except KeyError:
        return ""


def gigabytes(memory_mb: float) -> str:
    """1.5 TB as 1,536 GB, small amounts with a digit."""
    amount = memory_mb / MEGABYTES_PER_GIGABYTE
    return f"{amount:,.0f} GB" if amount >= 10 or amount == int(amount) else f"{amount:.1f} GB"


def _masters(said: Numbers) -> str:
    limit, used = gigabytes(said["am_limit_memory_mb"]), gigabytes(said["am_used_memory_mb"])
    whole = f"{gigabytes(said['used_memory_mb'])} of its guarantee of {gigabytes(said['guaranteed_memory_mb'])}"
    return f"Application masters had {used} of the {limit} that they may have, while the queue used {whole}."


def _parallel_apps(said: Numbers) -> str:
    own, above = said.get("max_parallel_apps"), said.get("parent_max_parallel_apps")
    if above is not None and (own is None or said["apps_active"] < own):
        its_own = f"{said['apps_active']:,.0f} of them its own; {said['apps_pending']:,.0f} waited"
        return f"{above:,.0f} applications ran below its parent of at most {above:,.0f}, {its_own}."
    if own is None:  # as reports of earlier releases have it, which do not tell the limit of its parent
        return f"{said['apps_pending']:,.0f} applications waited, since as many of its parent ran as may."
    return f"{said['apps_active']:,.0f} applications ran of at most {said['max_parallel_apps']:,.0f}."


def _user_limit(said: Numbers) -> str:
    most = gigabytes(said["guaranteed_memory_mb"] * said["user_limit_factor"])
    used = gigabytes(said["used_memory_mb"] * said.get("max_user_share", 1.0))
    return f"One user had {used}; one may have {most} ({said['user_limit_factor']:g} times the guarantee), however much is free."


def _fragmentation(said: Numbers) -> str:
    free = gigabytes(said["largest_free_memory_mb"]) if "largest_free_memory_mb" in said else ""
    nodes = f", and no node had more than {free} free" if free else ""
    return f"{gigabytes(said['reserved_memory_mb'])} were reserved on nodes without room{nodes}; it asked for {_pieces(said)}."


def _pieces(said: Numbers) -> str:
    size = said["pending_memory_mb"] / said["pending_containers"] if said.get("pending_containers") else None
    return gigabytes(said["pending_memory_mb"]) + (f" in containers of {gigabytes(size)}" if size else "")


def _ceiling(said: Numbers) -> str:
    used, most = gigabytes(said["used_memory_mb"]), gigabytes(said["maximum_memory_mb"])
    return f"It used {used} of its maximum of {most}, while {gigabytes(said['free_memory_mb'])} were free above it."


def _label(said: Numbers) -> str:
    asked = gigabytes(said["pending_memory_mb"])
    free = f"{gigabytes(said['default_free_memory_mb'])} were" if "default_free_memory_mb" in said else "as much was"
    return f"{asked} waited for its nodes, while {free} free on nodes without a label."


def _parent(said: Numbers) -> str:
    return f"No more than {gigabytes(said['free_memory_mb'])} were left for it; it asked for {_pieces(said)}."


EVIDENCE: Mapping[Cause, Callable[[Numbers], str]] = {
    Cause.MASTERS: _masters,
    Cause.PARALLEL_APPS: _parallel_apps,
    Cause.USER_LIMIT: _user_limit,
    Cause.FRAGMENTATION: _fragmentation,
    Cause.CEILING: _ceiling,
    Cause.LABEL: _label,
    Cause.PARENT: _parent,
    Cause.UNEXPLAINED: lambda _: "",
}
