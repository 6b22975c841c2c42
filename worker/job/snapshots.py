"""Snapshots that this process has at hand: the steps of a queue often meet in one, and what was made of it stays."""

from __future__ import annotations

from collections import OrderedDict

from worker.pipeline.snapshot import Snapshot

KEPT = 8  # of the queues that run at a time, in each process

_kept: OrderedDict[bytes, Snapshot] = OrderedDict()


def to_content(snapshot: Snapshot) -> bytes:
    """What is kept of it in the run state."""
    content = snapshot.to_bytes()
    _keep(content, snapshot)
    return content


def snapshot_of(content: bytes) -> Snapshot:
    """The snapshot that this was made of: the same one, as long as it is at hand."""
    snapshot = _kept.get(content) or Snapshot.from_bytes(content)
    _keep(content, snapshot)
    return snapshot


def _keep(content: bytes, snapshot: Snapshot) -> None:
    _kept[content] = snapshot
    _kept.move_to_end(content)
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
