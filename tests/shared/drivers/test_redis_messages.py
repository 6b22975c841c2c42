"""What a message looks like: ours are all taken for messages, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import celery
import pytest
import redis

from shared.config.settings import Settings
from shared.domain.lanes import Lane
from shared.drivers.redis_messages import why_no_message
from shared.drivers.redis_server import redis_client, redis_server
from shared.fleet.broker import TaskName, make_celery
from shared.fleet.lanes import Lanes

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def broker(settings: Settings, run_state: object) -> Iterator[redis.Redis]:
    """The broker's database with what Celery itself sends: a task, one that waits for its time, a chord of two."""
    with closing(make_celery(redis_server(settings), "worker")) as app:
        for options in ({}, {"countdown": 60}, {"expires": 60}):
            app.send_task(TaskName.PLAN.value, args=["job-1"], task_id=f"id-{options}", **options)
        header = [celery.signature(TaskName.SCORE.value, args=["job-1", "q", n, n, False], app=app) for n in range(2)]
        header[0].set(argsrepr="q candidate 0", shadow="x")
        celery.chord(header, celery.signature(TaskName.SELECT.value, args=["job-1", "q", False], app=app)).apply_async()
    with closing(redis_client(redis_server(settings).broker, is_patient=False)) as client:
        yield client


def messages(broker: redis.Redis) -> list[dict[str, Any]]:
    return [json.loads(text) for lane in Lane for text in broker.lrange(lane.value, 0, -1)]  # type: ignore[union-attr]


def test_what_celery_sends_is_a_message(broker: redis.Redis) -> None:
    sent = messages(broker)
    assert len(sent) == 5
    assert [why_no_message(message) for message in sent] == [None] * 5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: [1], "no JSON object"),
        (lambda it: it | {"headers": None}, "its headers is NoneType"),
        (lambda it: it | {"body": 7}, "its body is int"),
        (lambda it: it | {"properties": {}}, "its delivery_tag is NoneType"),
        (lambda it: it | {"headers": it["headers"] | {"id": {"a": 1}}}, "its id is dict"),
        (lambda it: it | {"headers": it["headers"] | {"timelimit": ["a", None]}}, "its timelimit is not two numbers"),
        (lambda it: it | {"headers": it["headers"] | {"retries": "many"}}, "its retries is str"),
        (lambda it: it | {"headers": it["headers"] | {"eta": "yesterday"}}, "its eta is no time"),
        (lambda it: it | {"headers": it["headers"] | {"compression": "zlib"}}, "its compression is str"),
        (lambda it: it | {"properties": it["properties"] | {"body_encoding": "rot13"}}, "its body_encoding is none"),
    ],
)
def test_nothing_else_is(broker: redis.Redis, change: Change, reason: str) -> None:
    assert reason in str(why_no_message(change(messages(broker)[0])))


def test_whoever_counts_messages_passes_over_what_is_none(broker: redis.Redis, settings: Settings) -> None:
    for text in (b"\x80", b"[" * 100_000, b"{}", b"7"):
        broker.lpush(Lane.PLAN.value, text)
        broker.hset("unacked", str(len(text)), text)
    view = Lanes.open(settings).look()
    assert (view.depth(Lane.PLAN), view.depth(Lane.SCORE), view.held) == (3, 2, {})
