"""What YARN's driver asks, follows and takes: one ResourceManager of several, and some that answer otherwise."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Thread

import pytest

from shared.domain.queue_tree import Totals
from shared.drivers import yarn
from shared.drivers.yarn import MAX_MIB, YarnCluster
from shared.errors import CredentialsRefused, ExtraMissing, QueuecastError, SourceAway, SourceNotFound, YarnUnreadable
from shared.yarn.answers import metrics_answer, scheduler_answer
from shared.yarn.configuration import tree_of
from tests.certificates import Certificates
from tests.gateway import Answer, Gateway, gateway
from tests.parrot import answering
from tests.shared.yarn.trees import CLUSTER, as_bytes, properties

TREE = tree_of(properties(etl="60", adhoc="40"))
METRICS = as_bytes(metrics_answer(Totals(total=CLUSTER)))
SCHEDULER = as_bytes(scheduler_answer(TREE))
STANDBY: Answer = (307, {"Location": "http://elsewhere.invalid:8088/ws/v1/cluster/scheduler"}, b"This is standby RM")


def info(state: str | None = "ACTIVE") -> bytes:
    told = {"id": 1700000000000, "state": "STARTED", "resourceManagerVersion": "3.4.1"}
    return as_bytes({"clusterInfo": told | ({} if state is None else {"haState": state})})


@dataclass
class ResourceManager:
    """One that does as it is told: it is active or not, and answers some paths otherwise."""

    state: str = "ACTIVE"
    otherwise: dict[str, Answer] = field(default_factory=dict)

    def answer(self, _method: str, path: str, _body: bytes) -> Answer:
        name = path.partition("?")[0].removeprefix("/ws/v1/cluster/")
        if name in self.otherwise:
            return self.otherwise[name]
        if name == "info":
            return 200, {}, info(self.state)
        if self.state != "ACTIVE":
            return STANDBY
        return 200, {}, {"scheduler": SCHEDULER, "metrics": METRICS}[name]


@contextmanager
def running(*managers: ResourceManager) -> Iterator[list[Gateway]]:
    """They are there until the block ends."""
    with ExitStack() as stack:
        yield [stack.enter_context(gateway(each.answer)) for each in managers]


def asked(seen: Gateway) -> list[str]:
    """What was asked since the last time."""
    paths = [path.removeprefix("/ws/v1/cluster/") for _, path, _ in seen.asked]
    seen.asked.clear()
    return paths


def test_the_active_one_is_asked_two_questions_a_snapshot_until_it_steps_down() -> None:
    one, other = ResourceManager("STANDBY"), ResourceManager()
    with running(one, other) as (first, second):
        cluster = YarnCluster([first.url, second.url])
        assert cluster.snapshot().address == second.url
        assert (asked(first), asked(second)) == (["info"], ["info", "scheduler", "metrics"])
        snapshot = cluster.snapshot()
        assert snapshot.tree.by_path.keys() == TREE.by_path.keys()
        assert snapshot.tree.totals == Totals(total=CLUSTER)
        assert (asked(first), asked(second)) == ([], ["scheduler", "metrics"])
        one.state, other.state = "ACTIVE", "STANDBY"
        assert cluster.snapshot().address == first.url
        assert (asked(first), asked(second)) == (["info", "scheduler", "metrics"], ["scheduler"])


def test_both_halves_of_a_snapshot_are_of_one_resource_manager() -> None:
    one, other = ResourceManager(), ResourceManager("STANDBY")
    with running(one, other) as (first, second):
        cluster = YarnCluster([first.url, second.url])
        cluster.snapshot()
        one.otherwise["metrics"], other.state = STANDBY, "ACTIVE"
        assert cluster.snapshot().address == second.url
        assert asked(second) == ["info", "scheduler", "metrics"]


def test_another_one_takes_over_from_what_is_gone_or_something_else() -> None:
    one, other = ResourceManager(), ResourceManager("STANDBY")
    for answer in ((200, {}, b"<html>Sign in</html>"), (404, {}, b"not found"), (503, {}, b"starting")):
        one.state, other.state = "ACTIVE", "STANDBY"
        with running(one, other) as (first, second):
            cluster = YarnCluster([first.url, second.url])
            cluster.snapshot()
            one.otherwise = dict.fromkeys(("info", "scheduler", "metrics"), answer)
            other.state = "ACTIVE"
            assert cluster.snapshot().address == second.url
        one.otherwise = {}


def test_no_redirect_is_followed_not_even_to_an_address_of_the_list() -> None:
    with running(ResourceManager("STANDBY")) as [trap]:
        for leads in (f"{trap.url}/ws/v1/cluster/scheduler", "file:///etc/passwd", "//\x1b[31m"):
            answer: Answer = (307, {"Location": leads}, b"")
            manager = ResourceManager(otherwise={"scheduler": answer})
            with running(manager) as [first], pytest.raises(SourceAway, match=r"status 307, .* leads to .*not followed"):
                YarnCluster([first.url, trap.url]).snapshot()
        assert asked(trap) == []


def test_without_an_active_one_it_is_said_what_each_is() -> None:
    with running(ResourceManager("STANDBY"), ResourceManager("INITIALIZING")) as (first, second):
        cluster = YarnCluster([first.url, second.url, "http://127.0.0.1:1"])
        with pytest.raises(
            SourceAway, match=r"no ResourceManager is active: .*: standby; .*: initializing; 127\.0\.0\.1:1: Conn"
        ):
            cluster.snapshot()
        assert asked(first) == asked(second) == ["info"]
        with pytest.raises(SourceAway, match="no ResourceManager is active"):  # said again, and not asked so soon
            cluster.snapshot()
        assert asked(first) == asked(second) == []


def test_after_failures_it_is_asked_less_often_the_longer_they_last(monkeypatch: pytest.MonkeyPatch) -> None:
    manager, now = ResourceManager(otherwise={"scheduler": (500, {}, b"out of memory")}), [0.0]
    monkeypatch.setattr(yarn.time, "monotonic", lambda: now[0])
    with running(manager) as [seen]:
        cluster, tried = YarnCluster([seen.url]), []
        for second in range(250):
            now[0] = float(second)
            with pytest.raises(SourceAway, match="status 500: out of memory"):
                cluster.snapshot()
            tried += [second] if asked(seen) else []
        assert tried == [0, 10, 30, 70, 130, 190]
        manager.otherwise.clear()
        now[0] = 250.0
        assert cluster.snapshot().address == cluster.snapshot().address


def test_who_asks_is_said_and_a_configuration_is_read_where_it_may_be() -> None:
    answers = {
        "scheduler-conf": (200, {}, as_bytes({"property": [{"name": "yarn.scheduler.capacity.root.queues", "value": "a"}]})),
        "nodes": (200, {}, as_bytes({"nodes": None})),
    }
    with running(ResourceManager(otherwise=answers)) as [seen]:
        cluster = YarnCluster([f"{seen.url}/"], user="yarn/rm@EXAMPLE.ORG")
        assert cluster.configuration() == {"yarn.scheduler.capacity.root.queues": "a"}
        assert cluster.nodes() == ()
        who = "?user.name=yarn%2Frm%40EXAMPLE.ORG"
        assert asked(seen) == [f"info{who}", f"scheduler-conf{who}", f"nodes{who}"]


def test_what_may_not_be_read_or_is_in_a_file_costs_the_snapshots_nothing() -> None:
    refused = {"RemoteException": {"exception": "X", "message": "Configuration change only supported by MutableConfScheduler."}}
    cases: list[tuple[Answer, type[QueuecastError], str]] = [
        ((403, {}, b"User: nobody is not an admin"), CredentialsRefused, "not allowed: User: nobody is not an admin"),
        ((400, {}, json.dumps(refused, separators=(",", ":")).encode()), SourceNotFound, "from a file: .* only supported by Mut"),
    ]
    for answer, error, words in cases:
        with running(ResourceManager(otherwise={"scheduler-conf": answer})) as [seen]:
            cluster = YarnCluster([seen.url])
            with pytest.raises(error, match=words):
                cluster.configuration()
            assert cluster.snapshot().address == seen.url


ANSWERS: dict[str, tuple[Answer, type[QueuecastError], str]] = {
    "a login page": ((200, {}, b"<html>Sign in<br></html>"), YarnUnreadable, "it is no XML"),
    "garbage": ((200, {}, b"\xff\x00"), YarnUnreadable, "neither JSON nor XML"),
    "another API": ((404, {}, b"404 page not found"), SourceNotFound, "no ResourceManager of YARN at .*404 page"),
    "no right": ((403, {}, b"forbidden"), CredentialsRefused, "not allowed: forbidden"),
    "Kerberos": ((401, {"WWW-Authenticate": "Negotiate"}, b""), CredentialsRefused, 'authentication = "kerberos"'),
    "a fault": ((503, {}, b"\x1b[2Jbusy"), SourceAway, r"status 503: '\\x1b\[2Jbusy'"),
    "too large": (
        (200, {"Content-Encoding": "gzip"}, gzip.compress(b" " * ((MAX_MIB << 20) + 1))),
        YarnUnreadable,
        f"larger than the accepted {MAX_MIB} MiB",
    ),
    "badly packed": ((200, {"Content-Encoding": "gzip"}, b"{}"), YarnUnreadable, "not packed as gzip says"),
    "half packed": ((200, {"Content-Encoding": "gzip"}, gzip.compress(SCHEDULER)[:-9]), YarnUnreadable, "does not end where"),
    "otherwise packed": ((200, {"Content-Encoding": "br"}, b"{}"), YarnUnreadable, "encoding is 'br'; accepted is gzip"),
    "deep": ((200, {}, b'{"a":' * 100_000), YarnUnreadable, "neither JSON nor XML"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_is_no_answer_of_a_resource_manager_is_told_by_its_family(answer: str) -> None:
    given, error, words = ANSWERS[answer]
    with running(ResourceManager(otherwise={"scheduler": given})) as [seen], pytest.raises(error, match=words):
        YarnCluster([seen.url]).snapshot()


def test_an_answer_that_is_packed_is_the_same() -> None:
    packed: Answer = (200, {"Content-Encoding": "gzip"}, gzip.compress(SCHEDULER))
    with running(ResourceManager(otherwise={"scheduler": packed}), ResourceManager()) as (first, second):
        assert YarnCluster([first.url]).snapshot().tree == YarnCluster([second.url]).snapshot().tree


def in_bits(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" ")
        time.sleep(0.05)  # the slow server itself, no wait of the test


def headers_without_end(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.05)  # likewise


def silent(handler: BaseHTTPRequestHandler) -> None:
    handler.rfile.read()


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'{"scheduler"')


def lines_without_end(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 200_000)


@pytest.mark.parametrize(
    ("behaves", "words"),
    [
        (in_bits, "not complete after 0.5 s"),
        (headers_without_end, "not complete after 0.5 s"),
        (silent, "not complete after 0.5 s"),
        (cut, "99988 bytes are missing"),
        (lines_without_end, "LineTooLong|IncompleteRead|Connection"),
    ],
)
def test_an_answer_that_does_not_end_in_time_or_ends_too_early_is_away(
    behaves: Callable[[BaseHTTPRequestHandler], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yarn, "INFO_SECONDS", 0.5)

    def answer(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        with suppress(OSError):
            behaves(handler)
        handler.close_connection = True

    with answering(answer) as url:
        began = time.monotonic()
        [member] = YarnCluster([url]).members()
    assert isinstance(member.error, SourceAway)
    assert time.monotonic() - began < 5
    assert re.search(words, member.error.detail), member.error.detail


def test_a_handshake_that_never_ends_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yarn, "INFO_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        [member] = YarnCluster([f"https://127.0.0.1:{server.getsockname()[1]}"]).members()
    assert "TimeoutError" in str(member.error)


def test_a_name_that_no_host_can_have_is_away() -> None:
    for host in ("a..b", "a" * 70):
        with pytest.raises(SourceAway, match="cannot be the name of a host"):
            YarnCluster([f"http://{host}:8088"]).snapshot()


def test_over_tls_only_a_certificate_that_is_vouched_for_is_accepted(certificates: Certificates) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.key)
    with answering(lambda handler, _body: tell_info(handler)) as plain, tls_before(plain, context) as url:
        [trusted] = YarnCluster([url], ca_file=str(certificates.authority)).members()
        [unknown] = YarnCluster([url]).members()
    assert trusted.info is not None, trusted.error
    assert "certificate verify failed" in str(unknown.error)


def tell_info(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(info())


@contextmanager
def tls_before(url: str, context: ssl.SSLContext) -> Iterator[str]:
    """A server for TLS in front of another one, for two connections."""

    def serve() -> None:
        for _ in range(2):
            with suppress(OSError), ExitStack() as stack:
                plain = stack.enter_context(listener.accept()[0])
                line = stack.enter_context(context.wrap_socket(plain, server_side=True))
                behind = stack.enter_context(socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))))
                behind.sendall(line.recv(4_096))
                while part := behind.recv(4_096):
                    line.sendall(part)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def test_kerberos_says_what_has_to_be_installed() -> None:
    with running(ResourceManager()) as [seen]:
        with pytest.raises(ExtraMissing, match=r"install queuecast\[kerberos\] \(No module"):
            YarnCluster([seen.url], has_kerberos=True).snapshot()
        assert asked(seen) == []
