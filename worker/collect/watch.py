"""One cluster, looked at every interval by a thread of its own: a slow cluster keeps no other waiting."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum

import structlog

from shared.connections.yarn import YarnConnection
from shared.drivers.yarn import QUESTIONS
from shared.errors import BrokerAway, QueuecastError, ServiceError
from shared.fleet.runstate import RunState
from shared.fleet.runstate.collections import Collected
from shared.telemetry import metrics
from shared.telemetry.said_once import Outage
from worker.collect.further import Further
from worker.collect.keeping import Keeping

LEAST_SECONDS = 10.0  # between two looks at a cluster, whoever takes them
SLACK_SECONDS = 0.2  # of clocks
ADVISED_SECONDS = 60
ASIDE_SECONDS = 1.0  # after which one that takes over from another collector looks
JITTER_SECONDS = 5.0  # so that collectors of several clusters do not ask all at once

log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """What comes of a look."""

    COLLECTED = "collected"
    TOO_SOON = "too_soon"  # another collector has just asked
    LATE = "late"  # the answer took longer than the interval, so nobody knows of when it is
    FAILED = "failed"  # there was none, or none that can be read
    NOT_KEPT = "not_kept"  # it could not be written, and waits


class Watch:
    """Looks at a cluster while `leads` is set, until `end`; missed looks are not made up for."""

    def __init__(
        self, name: str, connection: YarnConnection, keeping: Keeping, run_state: RunState, leads: threading.Event
    ) -> None:
        self.connection = connection
        self._name, self._run_state, self._leads = name, run_state, leads
        self._cluster = connection.resource_managers()
        self._keeping = keeping
        self._further = Further(self._cluster, connection.cluster, connection.configuration)
        self._counted: Counter[str] = Counter()  # questions that the metrics have
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"collect {name}", daemon=True)
        told = log.bind(cluster=connection.cluster)
        self._outages = {
            Outcome.FAILED: Outage(told, "nothing is collected", "collecting goes on"),
            Outcome.NOT_KEPT: Outage(told, "samples wait: they cannot be written", "samples are written again"),
        }
        self._outages[Outcome.LATE] = self._outages[Outcome.FAILED]
        self._collected_at: datetime | None = None
        self._has_taken_over = False
        self._series = 0
        metrics.expect_collections(connection.cluster, Outcome, QUESTIONS)
        if connection.interval_seconds > ADVISED_SECONDS:
            log.warning(
                "more than a minute between samples misses peaks", cluster=connection.cluster, seconds=connection.interval_seconds
            )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Stop after the look that is being taken."""
        self._ended.set()

    def join(self, seconds: float) -> None:
        """Wait for that."""
        self._thread.join(seconds)

    def _run(self) -> None:
        interval = float(self.connection.interval_seconds)
        due_at = time.monotonic() + random.uniform(0.0, min(interval / 2, JITTER_SECONDS))  # noqa: S311 - decides a moment
        while not self._ended.wait(max(0.0, due_at - time.monotonic())):
            if not self._leads.is_set():
                self._has_taken_over = False
                due_at = time.monotonic() + ASIDE_SECONDS
                continue
            self.look()
            behind = max(0.0, time.monotonic() - due_at)
            due_at += interval * (1 + behind // interval)
        self._keeping.end()

    def look(self) -> Outcome:
        """Take one look; whatever goes wrong, the next one may do better."""
        began = time.monotonic()
        try:
            outcome = self._look(began)
        except Exception:  # an answer that nobody has foreseen, or a bug of ours
            log.exception("a look at a cluster failed", cluster=self.connection.cluster)
            self._tell("an internal error; the log of the collector says more")
            outcome = Outcome.FAILED
        metrics.COLLECTIONS.labels(self.connection.cluster, outcome).inc()
        for question, times in (self._cluster.asked - self._counted).items():
            metrics.COLLECT_QUESTIONS.labels(self.connection.cluster, question).inc(times)
        self._counted = self._cluster.asked.copy()
        if outcome is Outcome.COLLECTED:
            metrics.COLLECT_SECONDS.labels(self.connection.cluster).observe(time.monotonic() - began)
            for outage in self._outages.values():
                outage.over()
        return outcome

    def _look(self, began: float) -> Outcome:
        if not self._may_ask():
            return Outcome.TOO_SOON
        self._take_over()
        try:
            snapshot = self._cluster.snapshot()
        except QueuecastError as error:
            return self._failed(error, Outcome.FAILED)
        if time.monotonic() - began > self.connection.interval_seconds:
            return self._failed(ServiceError("the answer took longer than the interval"), Outcome.LATE)
        at = snapshot.at.replace(microsecond=0)  # as exact as every sink is
        try:
            beside = self._further.ask(snapshot.address, at)
            self._series = self._keeping.keep(self._further.with_rules(snapshot.tree), at, beside)
            if self._keeping.has_changed:
                self._further.guarantees_have_changed()
        except QueuecastError as error:
            return self._failed(error, Outcome.NOT_KEPT)
        self._collected_at = at
        metrics.COLLECTED_SAMPLES.labels(self.connection.cluster).inc(self._series)
        metrics.COLLECTED_SERIES.labels(self.connection.cluster).set(self._series)
        metrics.COLLECTED_AT.labels(self.connection.cluster).set(at.timestamp())
        self._tell("")
        return Outcome.COLLECTED

    def _take_over(self) -> None:
        """Know how far a collector before this one has come, if it was not this one."""
        if self._has_taken_over:
            return
        with suppress(BrokerAway):  # then only what it has left to put together an hour ago or more stays so
            told = self._run_state.collections.all().get(self.connection.cluster)
            self._collected_at = told.collected_at if told is not None else None
        self._keeping.forget_what_was_known(self._collected_at)
        self._has_taken_over = True

    def _failed(self, error: QueuecastError, outcome: Outcome) -> Outcome:
        self._outages[outcome].met(error)
        self._tell(str(error))
        return outcome

    def _may_ask(self) -> bool:
        """Whoever cannot ask the broker keeps the interval all the same."""
        try:
            return self._run_state.collections.may_ask(self.connection.cluster, LEAST_SECONDS - SLACK_SECONDS)
        except BrokerAway:
            return True

    def _tell(self, problem: str) -> None:
        collected = Collected(
            cluster=self.connection.cluster,
            connection=self._name,
            interval_seconds=self.connection.interval_seconds,
            tried_at=datetime.now(UTC),
            collected_at=self._collected_at,
            series=self._series,
            problem=problem,
        )
        try:
            self._run_state.collections.tell(collected)
        except BrokerAway:  # it is told with the next look
            log.debug("nobody can be told what was collected")
