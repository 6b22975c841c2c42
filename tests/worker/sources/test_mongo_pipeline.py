"""The pipeline as data: names that may stand in it, and queues that are no text."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from shared.domain.jobs import Aggregation, Place
from shared.errors import InvalidRequest
from tests.worker.sources.queries import START, a_query
from worker.sources._mongo_pipeline import documents_at, documents_of, queue_filter, queue_text, samples_of, steps_pipeline

ID = ObjectId("65a000000000000000000001")
HOSTILE = ["$ROOT", "$where", "a.$b", "a..b", "", "a b", "a\0", "x" * 121, {"$ne": ""}]


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (7, "7"), (7.0, "7"), (7.5, "7.5"), (ID, str(ID)), (2.0**70, f"{2**70}")]
    + [(value, None) for value in (None, "", True, float("nan"), float("inf"), ["a"], {"a": 1}, b"a")],
)
def test_a_queue_of_any_type_has_one_text(value: object, text: str | None) -> None:
    assert queue_text(value) == text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("root.etl", {"$eq": "root.etl"}),
        ("7", {"$in": ["7", 7, 7.0]}),
        ("-7", {"$in": ["-7", -7, -7.0]}),
        ("7.5", {"$in": ["7.5", 7.5]}),
        ("7.50", {"$eq": "7.50"}),
        ("007", {"$eq": "007"}),
        ("1e5", {"$eq": "1e5"}),
        ("nan", {"$eq": "nan"}),
        ("True", {"$eq": "True"}),
        (str(2**70), {"$in": [str(2**70), 2.0**70]}),
        (str(ID), {"$in": [str(ID), ID]}),
    ],
)
def test_a_text_matches_every_value_that_is_shown_as_it(name: str, expected: dict[str, Any]) -> None:
    assert queue_filter(name) == expected


def test_a_queue_that_is_no_text_is_refused() -> None:
    query = a_query(Place(name="m", collection="c"), queue={"$ne": ""})
    with pytest.raises(InvalidRequest, match="queue of type dict"):
        samples_of(query, {})


@pytest.mark.parametrize("name", HOSTILE, ids=str)
@pytest.mark.parametrize("role", ["target", "columns", "time_field", "queue_field"])
@pytest.mark.parametrize("has_repeats", [False, True])
def test_a_name_that_is_no_plain_field_is_refused(name: Any, role: str, has_repeats: bool) -> None:
    query = a_query(Place(name="m", collection="c"), **{role: (name,) if role == "columns" else name})
    columns = [name if role in {"target", "columns"} else "used_capacity"]
    with pytest.raises(InvalidRequest, match="found the field"):
        steps_pipeline(query, {}, columns, has_repeats=has_repeats)


def test_the_discriminator_is_compared_as_a_value() -> None:
    among = documents_at(Place(name="m", collection="c", document="scheduler"), "kind.name")
    assert among == {"kind.name": {"$eq": "scheduler"}}
    assert documents_of(a_query(Place(name="m"), queue=""), among) == among
    with pytest.raises(InvalidRequest, match=r"\$where"):
        documents_at(Place(name="m", document="x"), "$where")


def test_the_pipeline_has_nothing_but_stages_that_read() -> None:
    for aggregation in Aggregation:
        for has_repeats in (False, True):
            query = a_query(Place(name="m"), aggregation=aggregation, end=START + timedelta(days=7))
            stages = steps_pipeline(query, {}, ["used_capacity", "memory"], has_repeats=has_repeats)
            assert {next(iter(stage)) for stage in stages} <= {"$match", "$project", "$group", "$set", "$sort"}
            assert "$dateTrunc" not in str(stages)
