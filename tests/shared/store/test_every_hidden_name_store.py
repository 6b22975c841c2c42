"""Hidden names of jobs, held with every database: by project and name, each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.domain.hidden_names import HiddenName
from shared.store import Store
from tests.factories import MONDAY

TRIAL = HiddenName(project="etl", job_name="trial", at=MONDAY, by="ops")


def test_a_name_is_kept_once_for_each_project_until_it_is_taken_back(store: Store) -> None:
    later, other = replace(TRIAL, at=MONDAY + timedelta(days=1)), replace(TRIAL, project="")
    for each in (TRIAL, other, later):
        store.hidden_names.put(each)
    assert store.hidden_names.of() == [other, later]
    assert store.hidden_names.of(["etl", "ml"]) == [later]
    store.hidden_names.remove("etl", "trial")
    store.hidden_names.remove("etl", "trial")
    assert store.hidden_names.of() == [other]
