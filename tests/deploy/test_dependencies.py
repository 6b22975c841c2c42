"""The check of the dependencies fails for what it skipped, for what is unsafe, and for what it did not look at."""

from __future__ import annotations

from typing import Any

from tests.architecture.house import ROOT
from tests.dependencies import LOCKS, count, problems

CLEAN: dict[str, Any] = {"name": "flask", "version": "3.1.3", "vulns": []}


def problems_with(*dependencies: dict[str, Any], locked: int = 1) -> list[str]:
    return list(problems({"dependencies": list(dependencies)}, locked))


def test_a_package_that_was_looked_at_and_is_safe_is_no_problem() -> None:
    assert problems_with(CLEAN) == []


def test_a_skipped_package_is_a_problem() -> None:
    skipped = {"name": "flask", "skip_reason": "not found on the index"}
    assert problems_with(skipped) == ["flask was skipped: not found on the index"]


def test_an_unsafe_package_is_a_problem_with_the_version_that_mends_it() -> None:
    known = {"id": "CVE-1", "fix_versions": ["3.1.4"]}
    assert problems_with({**CLEAN, "vulns": [known, {"id": "CVE-2", "fix_versions": []}]}) == [
        "flask 3.1.3: CVE-1, mended in 3.1.4",
        "flask 3.1.3: CVE-2, mended in no version yet",
    ]


def test_a_package_that_was_not_looked_at_is_a_problem() -> None:
    assert problems_with(CLEAN, locked=2) == ["only 1 of 2 packages were looked at"]


def test_every_lock_is_looked_at_and_counted() -> None:
    assert sorted(LOCKS) == sorted(f"deploy/{path.name}" for path in (ROOT / "deploy").glob("*.lock"))
    assert count(ROOT / "deploy/requirements.lock") > count(ROOT / "deploy/requirements-api.lock") > 30
