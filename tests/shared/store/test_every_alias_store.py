"""Aliases, held with every database: by cluster, one for each name of now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.aliases import Alias
from shared.errors import QueueNotFound
from shared.store import Store
from tests.factories import MONDAY

ETL = Alias(cluster="prod", old="root.etl", new="root.data.etl", renamed_at=MONDAY, stated_at=MONDAY, stated_by="ops")


def test_an_alias_is_kept_once_and_tells_of_its_cluster_alone(store: Store) -> None:
    other = replace(ETL, cluster="test", old="root.other", renamed_at=None)
    earlier = replace(ETL, old="root.first", new="root.etl")
    assert [store.aliases.add(each) for each in (ETL, other, earlier)] == [True, True, True]
    assert not store.aliases.add(replace(ETL, old="root.x"))
    assert store.aliases.of() == [ETL, earlier, other]
    assert store.aliases.former("prod", "root.data.etl") == (ETL, earlier)
    assert store.aliases.former("test", "root.data.etl") == (other,)
    assert store.aliases.former("nowhere", "root.data.etl") == ()
    assert store.aliases.remove("prod", "root.data.etl") == ETL
    assert store.aliases.of("prod") == [earlier]
    with pytest.raises(QueueNotFound):
        store.aliases.remove("prod", "root.data.etl")
