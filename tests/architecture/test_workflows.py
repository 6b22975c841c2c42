"""What CI does, as far as it can be told without running it: every Python, pinned actions, one gate, the README's commands."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.house import PROJECT, ROOT, fail_on

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
CI = ROOT / ".github/workflows/ci.yml"


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    return found


def test_every_action_is_pinned_by_its_hash_with_the_version_beside() -> None:
    """A tag can be moved to other code overnight."""
    lines = [line for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line]
    assert lines
    fail_on(line for line in lines if not re.search(r"uses: [\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$", line))


def test_the_gate_needs_every_other_job_and_fails_with_any_of_them() -> None:
    gate = jobs(CI)["gate"]
    assert sorted([*gate["needs"], "gate"]) == sorted(jobs(CI))
    assert gate["if"] == "always()"
    assert [re.findall(r"'(\w+)'", step["if"]) for step in gate["steps"]] == [["failure", "cancelled", "skipped"]]


@pytest.mark.parametrize(("workflow", "job"), [("ci.yml", "test"), ("weekly.yml", "lock")])
def test_each_python_that_is_promised_is_tried(workflow: str, job: str) -> None:
    pythons = jobs(ROOT / ".github/workflows" / workflow)[job]["strategy"]["matrix"]["python"]
    classified = [match[1] for line in PROJECT["classifiers"] if (match := re.search(r"Python :: (3\.\d+)$", line))]
    assert pythons == classified
    assert PROJECT["requires-python"] == f">={pythons[0]},<3.{int(pythons[-1].partition('.')[2]) + 1}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_only_and_no_job_runs_for_hours(path: Path) -> None:
    assert yaml.safe_load(path.read_text())["permissions"] == {"contents": "read"}
    assert max(job["timeout-minutes"] for job in jobs(path).values()) <= 120


def test_ci_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "exec python3 deploy/dev.py test" in script.read_text()
    said = [step.get("run") for job in jobs(CI).values() for step in job["steps"]]
    assert {"bash .ci/run", "python3 deploy/dev.py check", "python3 deploy/dev.py test --coverage"} <= {*said}
