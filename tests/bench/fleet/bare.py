"""The same work in one bare process: read, prepare, score, select, fit again; no broker, no store, no Celery."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from shared.connections.files import FilesConnection
from shared.domain.jobs import JobRequest
from tests.factories import MONDAY
from worker.job.catalogue import model_cards
from worker.job.ingestion import usage_query
from worker.pipeline.backtest import backtest
from worker.pipeline.forecast import refit
from worker.pipeline.queue import prepare_queue
from worker.pipeline.score import score
from worker.pipeline.selection.choose import Terms, choose
from worker.sources.file_source import FileSource


@dataclass(frozen=True, kw_only=True)
class Bare:
    """CPU seconds: of the candidates alone, and of everything; how many candidates there were."""

    candidates: int
    scoring: float
    everything: float


def run_bare(request: JobRequest, folder: Path) -> Bare:
    """Every queue of the request, one after the other."""
    source = FileSource(FilesConnection(path=folder))
    began = time.process_time()
    found = [_queue(request, source, queue) for queue in source.queues(usage_query(request, "", MONDAY))]
    everything = time.process_time() - began
    return Bare(candidates=sum(count for count, _ in found), scoring=sum(cpu for _, cpu in found), everything=everything)


def _queue(request: JobRequest, source: FileSource, queue: str) -> tuple[int, float]:
    cards = model_cards()
    reading = source.read(usage_query(request, queue, MONDAY))
    prepared = prepare_queue(request, reading, queue=queue, issued_at=MONDAY, cards=cards)
    spec, windows = prepared.work.spec, backtest(prepared.snapshot, prepared.work.spec)
    began = time.process_time()
    outcomes = [score(candidate, windows, spec) for candidate in prepared.work.candidates]
    scoring = time.process_time() - began
    refit(choose(outcomes, Terms(costs={card.name: card.cost for card in cards})), prepared.snapshot, spec)
    return len(outcomes), scoring
