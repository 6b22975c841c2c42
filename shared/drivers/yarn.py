"""A YARN cluster by the REST API of its ResourceManagers. Only read: what else is sent than GET, yarn_changes.py sends.

    snapshot   scheduler and metrics of the one that is active: two questions
    standby    answers 307: then each address is asked for its /info, and the first that says ACTIVE is the one from then on

An answer may lead anywhere; what is asked are the addresses of the connection, and no others.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from typing import TypeVar
from urllib.parse import quote, urlsplit

from shared.domain.identifiers import shown
from shared.domain.queue_tree import QueueTree
from shared.drivers.bounded_http import Answer, NotPlainError, TooLargeError, fetch
from shared.drivers.kerberos import negotiate
from shared.drivers.yarn_answers import CONFIGURATION, INFO, JMX, METRICS, NODES, SCHEDULER, good, host_of, in_short
from shared.errors import QueuecastError, SourceAway, YarnUnreadable
from shared.yarn.cluster_info import ClusterInfo, Node, read_info, read_nodes
from shared.yarn.jmx import BEANS, QueueMetrics, read_queue_metrics
from shared.yarn.reading import read_tree
from shared.yarn.scheduler_conf import read_configuration

INFO_SECONDS, ANSWER_SECONDS = 4.0, 10.0
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 10.0, 60.0
MAX_MIB = 64
PLACES = {JMX: ("/jmx", [f"qry={quote(f'{BEANS},*')}"])}
QUESTIONS = (INFO, SCHEDULER, METRICS, NODES, CONFIGURATION, JMX)
NO_HEADERS: Mapping[str, str] = {}
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The queues of a cluster at one moment.

    at: when it was asked, since answers tell no time. address: of the ResourceManager that has told it.
    """

    at: datetime
    tree: QueueTree
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the addresses: what it says of itself, or why it does not."""

    address: str
    info: ClusterInfo | None = None
    error: QueuecastError | None = None


class YarnCluster:
    """The ResourceManagers of one cluster, one of which is active. It is used by one thread, and keeps no connection open.

    Every method raises SourceAway, CredentialsRefused, SourceNotFound, YarnUnreadable, and ExtraMissing under Kerberos.

    Args:
        addresses: `http://rm1:8088`, in the order in which they are asked.
        user: who asks, of clusters with simple authentication. ca_file: who vouches for their certificates.
        has_kerberos: tell by SPNEGO who we are.
    """

    def __init__(
        self, addresses: Sequence[str], *, user: str | None = None, ca_file: str | None = None, has_kerberos: bool = False
    ) -> None:
        self._addresses = tuple(addresses)
        self._user = user
        self._ca_file = ca_file
        self._has_kerberos = has_kerberos
        self.asked: Counter[str] = Counter()  # so often each question was sent
        self._active: str | None = None
        self._failures = 0
        self._rests_until = 0.0
        self._last_error: QueuecastError | None = None

    def snapshot(self) -> Snapshot:
        """The tree now. After failures nothing is asked for 10 s, 20 s, up to 60 s, and the last error is raised again."""
        with self._resting():
            return self._ask_active(self._snapshot)

    def nodes(self, address: str | None = None) -> tuple[Node, ...]:
        """The nodes, lost ones too. address: of a snapshot that was just taken; None = of whichever is active."""
        return self._ask(address, lambda each: read_nodes(self._get(each, NODES)))

    def queue_metrics(self, address: str) -> dict[str, QueueMetrics]:
        """What the ResourceManager of a snapshot counts of its queues, by path."""
        return read_queue_metrics(self._get(address, JMX))

    def configuration(self, address: str | None = None) -> dict[str, str]:
        """The scheduler's configuration, where it can be changed over the API, and where we may see it.

        Args:
            address: of a snapshot that was just taken; None = of whichever is active.

        Raises:
            SourceNotFound: it comes from a file. CredentialsRefused: only administrators of YARN see it.
        """
        return self._ask(address, lambda each: read_configuration(self._get(each, CONFIGURATION)))

    def members(self) -> tuple[Member, ...]:
        """What each address says of itself; raises nothing."""
        return tuple(map(self._member, self._addresses))

    def _snapshot(self, address: str) -> Snapshot:
        at = datetime.now(UTC)
        scheduler = self._get(address, SCHEDULER)
        return Snapshot(at=at, tree=read_tree(scheduler, self._get(address, METRICS)), address=address)

    def _ask(self, address: str | None, question: Callable[[str], T]) -> T:
        return self._ask_active(question) if address is None else question(address)

    def _ask_active(self, question: Callable[[str], T]) -> T:
        """The answer of the active one; all of it is asked again of another one where that has changed meanwhile."""
        last, self._active = self._active, None
        if last is not None:
            with suppress(QueuecastError):  # another one may be active by now, and something else may answer here
                answer = question(last)
                self._active = last
                return answer
        found = self._find(last)
        answer = question(found)
        self._active = found
        return answer

    def _find(self, last: str | None) -> str:
        """The address of the one that says it is active; the one that was is asked last: it may not know yet that it is not."""
        members = []
        for address in sorted(self._addresses, key=lambda each: each == last):
            member = self._member(address)
            if member.info is not None and member.info.is_active:
                return address
            members.append(member)
        errors = (member.error for member in members if member.error is not None)
        if (mendable := next((error for error in errors if not isinstance(error, SourceAway)), None)) is not None:
            raise mendable
        raise SourceAway(f"no ResourceManager is active: {'; '.join(map(words_of, members))}")

    def _member(self, address: str) -> Member:
        try:
            return Member(address=address, info=read_info(self._get(address, INFO, seconds=INFO_SECONDS)))
        except QueuecastError as error:
            return Member(address=address, error=error)

    @contextmanager
    def _resting(self) -> Iterator[None]:
        """Whoever asks every few seconds asks a server that is in trouble less often."""
        if self._last_error is not None and time.monotonic() < self._rests_until:
            raise type(self._last_error)(self._last_error.detail, **self._last_error.ids)
        try:
            yield
        except QueuecastError as error:
            pause = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self._failures)
            self._failures, self._last_error, self._rests_until = self._failures + 1, error, time.monotonic() + pause
            raise
        self._failures, self._last_error = 0, None

    def _get(self, address: str, path: str, *, seconds: float = ANSWER_SECONDS) -> bytes:
        """The content of a good answer."""
        return good(self.sent(address, path, seconds=seconds), path, address).content

    def sent(
        self,
        address: str,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        """The answer of one address to one question, whatever its status, asked once."""
        host = host_of(address)
        place, query = PLACES.get(path, (f"/ws/v1/cluster/{path}", []))
        query = query + ([f"user.name={quote(self._user, safe='')}"] if self._user else [])
        told = {"Accept": "application/json", "User-Agent": "queuecast", **headers}
        if self._has_kerberos:
            told["Authorization"] = negotiate(str(urlsplit(address).hostname))
        url = f"{address.rstrip('/')}{place}{'?' if query else ''}{'&'.join(query)}"
        self.asked[path] += 1
        try:
            most, ca_file = MAX_MIB << 20, self._ca_file
            return fetch(url, told, method=method, body=body, seconds=seconds, max_bytes=most, ca_file=ca_file)
        except (OSError, HTTPException) as error:
            raise SourceAway(f"{host}: {type(error).__name__}: {in_short(str(error))}") from error
        except (TooLargeError, NotPlainError) as error:
            raise YarnUnreadable(f"{host}, {path}: {error}") from error


def words_of(member: Member) -> str:
    """What there is to say of it."""
    if member.info is None:
        return member.error.detail if member.error is not None else ""
    return f"{host_of(member.address)}: {shown(str(member.info.ha_state or 'active')).lower()}"
