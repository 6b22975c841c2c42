"""What the demo shows; that it runs at all is proven in tests/integration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from api.schema.requests import JobBody
from deploy import demo


def a_report(**changes: Any) -> dict[str, Any]:
    steps = [
        {"step": n, "timestamp": f"2026-01-05T0{n}:00:00Z", "prediction": value} for n, value in enumerate((50.0, 70.0, 60.0))
    ]
    best = {"model": "prophet", "hyperparameters": {"growth": "flat"}, "mape": 7.9, "skill": 0.21}
    forecast = {**best, "steps": steps, "peak": steps[1]}
    return {"queue": "root.etl", "reason": None, "leaderboard": [best, {}], "forecast": forecast} | changes


A_JOB = {"job_id": "job-1", "state": "partial", "reason": "1 of 2 queues failed", "warnings": ["history is short"]}
FAILED = a_report(queue="root.idle", reason="There is no usable value in the history", forecast=None, leaderboard=[])


def test_the_result_says_who_won_how_good_it_was_and_when_the_peak_comes() -> None:
    shown = demo.result(A_JOB, [a_report(), FAILED], "http://127.0.0.1:1/")
    assert list(shown) == ["job_id", "state", "queues", "forecast_rows", "dashboard_url"]
    assert shown["forecast_rows"] == 3
    assert shown["queues"]["root.etl"] == {
        "model": "prophet",
        "hyperparameters": {"growth": "flat"},
        "mape": 7.9,
        "skill": 0.21,
        "peak": 70.0,
        "peak_at": "2026-01-05T01:00:00Z",
        "candidates": 2,
    }
    assert shown["queues"]["root.idle"] == {"model": None, "mape": None, "reason": "There is no usable value in the history"}


def test_people_get_a_line_per_queue_and_the_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    demo.print_result(A_JOB, [a_report(), FAILED])
    said = capsys.readouterr()
    line = next(line for line in said.out.splitlines() if line.startswith("root.etl"))
    assert line.split() == ["root.etl", "prophet", "7.90", "0.21", "70.00", "Mon", "01:00", "▁█▅"]  # 3.5 rounds to even
    assert "There is no usable value in the history" in said.out
    assert "history is short" in said.err
    assert "1 of 2 queues failed" in said.err


@pytest.mark.parametrize(("values", "line"), [((1, 2, 3), "▁▅█"), ((5, 5), "▁▁"), ((0,), "▁"), (range(8), "▁▂▃▄▅▆▇█")])
def test_a_sparkline_reaches_from_the_least_to_the_largest(values: tuple[float, ...], line: str) -> None:
    assert demo.sparkline(values) == line


def test_the_request_is_one_that_the_api_accepts() -> None:
    assert JobBody.model_validate(demo.REQUEST)


def test_the_demo_sees_nothing_of_the_persons_own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        os, "environ", os.environ.copy() | {"QUEUECAST_BROKER_URL": "redis://elsewhere:1/0", "QUEUECAST_TYPO": "x"}
    )
    settings = demo.clean_settings(tmp_path)
    assert settings.data_dir == tmp_path
    assert settings.broker_url is None
    assert [name for name in os.environ if name.startswith("QUEUECAST_")] == ["QUEUECAST_CONFIG_FILE", "QUEUECAST_DATA_DIR"]


def test_the_size_of_the_cluster_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        demo.main(["--queues", "0"])
    assert refusal.value.code == 2
    assert "--queues" in capsys.readouterr().err
