"""Accuracy ↔ row: every sum is a column, so that a database can add them up; and a forecast's row without its steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shared.accuracy import SUMS, Accuracy, AccuracyFilter, ErrorSums
from shared.buckets import from_epoch, to_epoch
from shared.reports import Issue
from shared.storage._rows import Row, from_micros, to_micros

KEY = ("queue", "metric", "job", "issued_at", "first_step")


def accuracy_row(record: Accuracy) -> dict[str, Any]:
    """The row of table `accuracy`."""
    return {
        "queue": record.queue,
        "metric": record.metric,
        "job": record.job,
        "issued_at": to_epoch(record.issued_at),
        "first_step": record.first_step,
        "created_at": to_micros(record.created_at),
        "job_id": record.job_id,
        "model": record.model,
        "period_seconds": record.step_seconds,
        "is_final": int(record.is_final),
        **asdict(record.sums),
    }


def accuracy(row: Row) -> Accuracy:
    """The record of a row."""
    return Accuracy(
        queue=row["queue"],
        metric=row["metric"],
        job=row["job"],
        issued_at=from_epoch(row["issued_at"]),
        first_step=row["first_step"],
        created_at=from_micros(row["created_at"]),
        job_id=row["job_id"],
        model=row["model"],
        step_seconds=row["period_seconds"],
        is_final=bool(row["is_final"]),
        sums=sums(row),
    )


def sums(row: Row) -> ErrorSums:
    """The sums of a row."""
    return ErrorSums(**{name: row[name] for name in SUMS})


def wanted_values(wanted: AccuracyFilter) -> dict[str, Any]:
    """What a filter asks for, by the names of the columns; `since` and `until` are for issued_at."""
    return {
        "metric": wanted.metric,
        "period_seconds": wanted.step_seconds,
        "since": to_epoch(wanted.since),
        "until": to_epoch(wanted.until),
        "job": wanted.job,
    }


def issue(row: Row) -> Issue:
    """The issue of a row of table `forecasts`."""
    return Issue(
        queue=row["queue"],
        metric=row["metric"],
        job=row["job"],
        job_id=row["job_id"],
        issued_at=from_epoch(row["issued_at"]),
        created_at=from_micros(row["created_at"]),
        step_seconds=row["period_seconds"],
        horizon_steps=row["horizon"],
        model=row["model"],
        mape=row["mape"],
        skill=row["skill"],
    )
