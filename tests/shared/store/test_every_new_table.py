"""A kind of record that nobody has heard of: its table, in one place, is all that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from shared.errors import NotFound
from shared.store import open_store
from shared.store.schema import VERSION
from shared.store.tables import TABLES, Column, Kept, Kind, Table
from tests.factories import MONDAY, a_job

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What somebody has said."""

    remark_id: str
    project: str
    said_at: datetime


@pytest.fixture
def remarks() -> Iterator[Table[Remark]]:
    """A table, declared while the test runs."""
    table = Table(
        name="remarks",
        value=Remark,
        columns=(Column("remark_id"), Column("project"), Column("said_at", Kind.CLOCK)),
        key=("remark_id",),
        indexes=(("said_at",),),
        kept=Kept(by="said_at", setting="keep_actuals"),
    )
    yield table
    TABLES.remove(table)


@pytest.fixture
def known(url: str) -> str:
    """A store that was made before there was such a table."""
    with closing(open_store(url)) as store:
        store.jobs.add(a_job())
    return url


@pytest.mark.parametrize("steps", [0, 1])
def test_a_table_that_a_store_lacks_is_made_kept_and_let_go_as_it_says(
    known: str, remarks: Table[Remark], steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.store.schema.VERSION", VERSION + steps)
    old, new = (Remark(remark_id=str(days), project="p", said_at=MONDAY + days * DAY) for days in (0, 9))
    with closing(open_store(known)) as store:
        store.retention.records.put_many(remarks, [old, new])
        assert store.get(remarks, "0", projects=["p"]) == store.get(remarks, "0") == old
        with pytest.raises(NotFound):
            store.get(remarks, "0", projects=["q"])
        assert [store.retention.forget(remarks, MONDAY + DAY, 9) for _ in range(2)] == [1, 0]
        assert store.retention.records.find(remarks) == [new]
        assert store.jobs.get("job-1") == a_job()
