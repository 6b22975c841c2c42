"""What is said of the coverage: branches by folder, and a folder with too few of them is a failure."""

from __future__ import annotations

from tests.coverage import MIN_PERCENT, shares


def of(possible: int, taken: int) -> dict[str, dict[str, int]]:
    return {"summary": {"num_branches": possible, "covered_branches": taken}}


def test_branches_are_summed_by_folder() -> None:
    report = {"files": {"worker/pipeline/a.py": of(8, 8), "worker/pipeline/b.py": of(2, 0), "worker/app.py": of(10, 10)}}
    assert dict(shares(report)) == dict.fromkeys(MIN_PERCENT, 100.0) | {"worker/pipeline": 80.0, "worker": 90.0}
