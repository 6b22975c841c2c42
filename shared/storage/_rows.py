"""Value ↔ row of the tables in sqlite.sql. Columns are named as in the design of the tables, values as in the glossary."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.buckets import EPOCH, from_epoch, to_epoch
from shared.documents import from_json, to_json
from shared.forecasts import Candidate, Failure, Forecast, Outcome, Score
from shared.jobs import Hyperparameter, Job, JobRequest, JobState, Progress, QueueState
from shared.reports import Point, QualityReport, QueueReport, ReportedScore

Hyperparameters = Mapping[str, Hyperparameter]
Warnings = tuple[str, ...]


class Row(Protocol):
    """A row as the database gives it: its values by the names of the columns."""

    def __getitem__(self, column: str, /) -> Any: ...


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970, exactly: jobs are ordered by them."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The aware UTC moment of whole microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def job_row(job: Job) -> dict[str, Any]:
    """The row of table `jobs`."""
    return {
        "job_id": job.job_id,
        "state": job.state.value,
        "reason": job.reason,
        "request": to_json(job.request),
        "owner": job.request.owner,
        "project": job.request.project,
        "user_name": job.request.user_name,
        "client": job.client,
        "idempotency_key": job.idempotency_key,
        "fingerprint": job.fingerprint,
        "request_id": job.request_id,
        "warnings": to_json(job.warnings, Warnings),
        "progress": to_json(job.progress),
        "issued_at": job.issued_at and to_epoch(job.issued_at),
        "created_at": to_micros(job.created_at),
        "started_at": job.started_at and to_micros(job.started_at),
        "ended_at": job.ended_at and to_micros(job.ended_at),
        "queued_at": job.queued_at and to_micros(job.queued_at),
    }


def moved(state: JobState, reason: str | None, at: datetime) -> dict[str, Any]:
    """What a move changes in a row of table `jobs`."""
    moment = "ended_at" if state.is_terminal else "started_at"
    return {"state": state.value, "reason": reason, moment: to_micros(at)}


def reopened(at: datetime, warnings: Sequence[str]) -> dict[str, Any]:
    """What a retry changes in a row of table `jobs`."""
    blank = dict.fromkeys(("reason", "started_at", "ended_at"))
    told = {"warnings": to_json(tuple(warnings), Warnings), "progress": to_json(Progress())}
    return blank | told | {"state": JobState.QUEUED.value, "queued_at": to_micros(at)}


def job(row: Row) -> Job:
    """The job of a row."""
    return Job(
        job_id=row["job_id"],
        request=from_json(JobRequest, row["request"]),
        created_at=from_micros(row["created_at"]),
        state=JobState(row["state"]),
        reason=row["reason"],
        warnings=from_json(Warnings, row["warnings"]),
        progress=from_json(Progress, row["progress"]),
        started_at=None if row["started_at"] is None else from_micros(row["started_at"]),
        ended_at=None if row["ended_at"] is None else from_micros(row["ended_at"]),
        queued_at=None if row["queued_at"] is None else from_micros(row["queued_at"]),
        issued_at=None if row["issued_at"] is None else from_epoch(row["issued_at"]),
        request_id=row["request_id"],
        client=row["client"],
        idempotency_key=row["idempotency_key"],
        fingerprint=row["fingerprint"],
    )


def report_row(report: QueueReport) -> dict[str, Any]:
    """The row of table `job_queues`."""
    winner = report.winner
    return {
        "job_id": report.job_id,
        "queue": report.queue,
        "state": report.state.value,
        "reason": report.reason,
        "quality": report.quality and to_json(report.quality),
        "winner": winner and winner.model,
        "winner_hyperparameters": winner and to_json(winner.hyperparameters, Hyperparameters),
        "explanation": report.explanation,
        "selected_on": report.selected_on.value,
        "seconds": report.seconds,
    }


def report(row: Row, outcomes: Iterable[Row] = ()) -> QueueReport:
    """The report of a row; `outcomes` are its rows of table `outcomes`, by rank."""
    return QueueReport(
        job_id=row["job_id"],
        queue=row["queue"],
        state=QueueState(row["state"]),
        reason=row["reason"],
        quality=None if row["quality"] is None else from_json(QualityReport, row["quality"]),
        outcomes=tuple(outcome(each) for each in outcomes),
        winner=None if row["winner"] is None else _candidate(row["winner"], row["winner_hyperparameters"]),
        explanation=row["explanation"],
        selected_on=ReportedScore(row["selected_on"]),
        seconds=row["seconds"],
    )


def outcome_rows(report: QueueReport) -> Iterator[dict[str, Any]]:
    """The rows of table `outcomes`, in the order of the leaderboard."""
    for rank, each in enumerate(report.outcomes):
        score = each if isinstance(each, Score) else None
        failure = each if isinstance(each, Failure) else None
        yield {
            "job_id": report.job_id,
            "queue": report.queue,
            "rank": rank,
            "candidate_id": each.candidate.candidate_id,
            "model": each.candidate.model,
            "hyperparameters": to_json(each.candidate.hyperparameters, Hyperparameters),
            "mape": score and score.measures.mape,
            "scores": score and to_json(score),
            "error": failure and failure.error,
            "reason": failure and failure.reason,
            "seconds": each.seconds,
        }


def outcome(row: Row) -> Outcome:
    """The outcome of a row."""
    if row["scores"] is not None:
        score: Score = from_json(Score, row["scores"])
        return score
    candidate = _candidate(row["model"], row["hyperparameters"])
    return Failure(candidate=candidate, error=row["error"], reason=row["reason"], seconds=row["seconds"])


def forecast_row(forecast: Forecast) -> dict[str, Any]:
    """The row of `forecasts`; its steps are three arrays."""
    return {
        "queue": forecast.queue,
        "metric": forecast.metric,
        "job": forecast.job,
        "issued_at": to_epoch(forecast.issued_at),
        "created_at": to_micros(forecast.created_at),
        "job_id": forecast.job_id,
        "model": forecast.model,
        "hyperparameters": to_json(forecast.hyperparameters, Hyperparameters),
        "mape": forecast.mape,
        "skill": forecast.skill,
        "horizon": forecast.horizon_steps,
        "period_seconds": forecast.step_seconds,
        "seconds": forecast.seconds,
        "prediction": list(forecast.prediction),
        "lower_bound": list(forecast.lower_bound),
        "upper_bound": list(forecast.upper_bound),
    }


def forecast(row: Row) -> Forecast:
    """The forecast of a row."""
    return Forecast(
        queue=row["queue"],
        metric=row["metric"],
        job=row["job"],
        job_id=row["job_id"],
        issued_at=from_epoch(row["issued_at"]),
        created_at=from_micros(row["created_at"]),
        step_seconds=row["period_seconds"],
        model=row["model"],
        hyperparameters=from_json(Hyperparameters, row["hyperparameters"]),
        mape=row["mape"],
        skill=row["skill"],
        seconds=row["seconds"],
        prediction=_numbers(row["prediction"]),
        lower_bound=_numbers(row["lower_bound"]),
        upper_bound=_numbers(row["upper_bound"]),
    )


def actual_rows(queue: str, metric: str, step_seconds: int, points: Iterable[Point]) -> list[dict[str, Any]]:
    """The rows of table `actuals`; a gap has none."""
    key = {"queue": queue, "metric": metric, "period_seconds": step_seconds}
    return [key | {"timestamp": to_epoch(point.timestamp), "value": point.value} for point in points if point.value is not None]


def point(row: Row) -> Point:
    """The actual value of a row."""
    return Point(timestamp=from_epoch(row["timestamp"]), value=float(row["value"]))


def _numbers(values: Iterable[float]) -> tuple[float, ...]:
    """Numbers and nothing else, told at the speed of C: a page reads hundreds of forecasts."""
    return tuple(array("d", values))


def _candidate(model: str, hyperparameters: str) -> Candidate:
    return Candidate(model=model, hyperparameters=from_json(Hyperparameters, hyperparameters))
