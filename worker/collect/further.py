"""What a cluster is asked beside its queues, less often: waiting times, nodes, the configuration. One question a look at most.

    /jmx              every minute      how long applications wait, what is taken back
    /cluster/nodes    every 10 min      the largest room on a node
    scheduler-conf    once a day, and after a guarantee has changed; where that is refused, the file that the connection names

Nothing of it is needed: what is refused is said once, and asked for again as seldom as the configuration is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from shared.domain.queue_tree import DEFAULT_PARTITION, QueueTree
from shared.drivers.yarn import YarnCluster
from shared.errors import QueuecastError, SourceAway
from shared.telemetry.said_once import Outage
from shared.yarn.configuration import Rules, rules_of, with_rules
from shared.yarn.hadoop_xml import read_file, values_of
from shared.yarn.jmx import QueueMetrics
from worker.collect.beside import Beside, since

EVERY = {"configuration": timedelta(days=1), "nodes": timedelta(minutes=10), "metrics": timedelta(seconds=60)}
AFTER_A_STEP = timedelta(minutes=10)  # between two questions for the configuration, however often it changes
REST = timedelta(days=1)  # after a refusal
SLACK = timedelta(seconds=1)  # of looks, which are not taken to the millisecond
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
MISSES = {
    "configuration": "the configuration of a cluster is not known",
    "nodes": "the nodes of a cluster are not known",
    "metrics": "waiting times of a cluster are not known",
}

log = structlog.get_logger(__name__)


class Further:
    """Of one cluster; used by one thread. Nothing is raised."""

    def __init__(self, cluster: YarnCluster, name: str, configuration: Path | None = None) -> None:
        self._cluster, self._file = cluster, configuration
        self._due = dict.fromkeys(EVERY, FIRST)
        self._configured_at = FIRST
        told = log.bind(cluster=name)
        self._outages = {name: Outage(told, words, f"{words.replace(' not', '')} again") for name, words in MISSES.items()}
        self._rules: Rules | None = None
        self._counted: Mapping[str, QueueMetrics] = {}
        self._address = ""
        self._beside = Beside()

    def ask(self, address: str, at: datetime) -> Beside:
        """Ask the active one, of which a tree was just had, what is due; returns what is known now."""
        self._beside = replace(self._beside, queues={})
        if address != self._address:  # another one has counted otherwise
            self._address, self._counted = address, {}
        questions = {"configuration": self._ask_configuration, "nodes": self._ask_nodes, "metrics": self._ask_metrics}
        due = next((name for name in questions if self._due[name] <= at + SLACK), None)
        if due is not None:
            self._due[due] = at + EVERY[due]
            self._asked(due, questions[due], at)
        return self._beside

    def with_rules(self, tree: QueueTree) -> QueueTree:
        """The tree with what only the configuration tells."""
        return tree if self._rules is None else with_rules(tree, self._rules)

    def guarantees_have_changed(self) -> None:
        """Ask for the configuration again soon."""
        self._due["configuration"] = min(self._due["configuration"], self._configured_at + AFTER_A_STEP)

    def _asked(self, name: str, question: Callable[[datetime], None], at: datetime) -> None:
        try:
            question(at)
        except QueuecastError as error:
            self._outages[name].met(error)
            if not isinstance(error, SourceAway):
                self._due[name] = at + REST
        else:
            self._outages[name].over()

    def _ask_configuration(self, at: datetime) -> None:
        self._configured_at = at
        try:
            self._rules = rules_of(self._cluster.configuration(self._address))
        except QueuecastError:
            if self._file is None:
                raise
            self._rules = rules_of(_properties_in(self._file))

    def _ask_nodes(self, _at: datetime) -> None:
        self._beside = replace(self._beside, largest_free=None)  # what was known is old
        nodes = self._cluster.nodes(self._address)
        running = [node for node in nodes if node.state == "RUNNING" and node.partition == DEFAULT_PARTITION]
        free = [node.total - node.used for node in running if node.total is not None and node.used is not None]
        self._beside = replace(self._beside, largest_free=max(free, key=lambda each: each.memory_mb, default=None))

    def _ask_metrics(self, _at: datetime) -> None:
        before, self._counted = self._counted, {}
        self._counted = self._cluster.queue_metrics(self._address)
        told = {path: since(before.get(path), now) for path, now in self._counted.items()}
        self._beside = replace(self._beside, queues=told)


def _properties_in(file: Path) -> dict[str, str]:
    """What a capacity-scheduler.xml says; raises YarnUnreadable, and SourceAway where it cannot be read now."""
    try:
        return values_of(read_file(file.read_bytes()))
    except OSError as error:
        raise SourceAway(f"{file}: {error.strerror}") from error
