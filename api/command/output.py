"""Documents of the service as people read them on a terminal; `--json` prints the documents themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.command.terminal import notice, print_table, say, shown, shown_time
from shared.domain.codec import Document, from_document
from shared.domain.job_warnings import loss_lines
from shared.domain.jobs import JobState, QueueState
from shared.domain.reports import QualityReport

Row = tuple[object, ...]


def print_jobs(page: Document) -> None:
    """A page of jobs, newest first."""
    rows = [(job["job_id"], job["state"], job["job_name"], shown_time(job["created_at"]), job["reason"]) for job in page["jobs"]]
    print_table(("job", "state", "name", "created", "reason"), rows, cut="reason")
    if page["next_cursor"]:
        notice(f"more: --cursor {page['next_cursor']}")


def print_job(job: Document, outlooks: Document) -> None:
    """One job and its queues, those that have a forecast with its outlook."""
    say(f"job {job['job_id']} ({job['job_name']}): {job['state']}")
    if job["reason"]:
        notice(job["reason"], style="red")
    for warning in job["warnings"]:
        notice(f"note: {warning}", style="yellow")
    if not JobState(job["state"]).is_terminal:
        tally = job["progress"]["candidates"]
        say(f"{tally['done']} of {tally['total']} candidates scored, {tally['failed']} failed")
    columns = ("queue", "state", "winner", "MAPE %", "skill", "peak", "up to", "at", "reason")
    shown = len(columns) if any(queue["reason"] for queue in job["queues"]) else -1
    if job["queues"]:
        by_queue = {outlook["queue"]: outlook for outlook in outlooks["queues"]}
        said_of = {queue["reason"]: queue["queue"] for queue in reversed(job["queues"]) if queue["reason"]}
        print_table(
            columns[:shown], [_queue_of_job(queue, by_queue.get(queue["queue"]), said_of)[:shown] for queue in job["queues"]]
        )


def print_report(report: Document) -> None:
    """One queue of a job: why this model won."""
    say(f"{report['queue']} of job {report['job_id']}: {report['state']}")
    for text in (report["reason"], report["explanation"]):
        if text:
            say(text)
    quality = report["quality"] or {}
    losses = loss_lines(from_document(QualityReport, quality))
    for text in (*losses, *quality.get("notes", ()), *quality.get("warnings", ())):
        notice(f"note: {text}", style="yellow")
    print_table(("", "candidate", "MAPE %", "WAPE %", "MASE", "skill", "CPU s", "reason"), map(_standing, report["leaderboard"]))


def print_queues(page: Document) -> None:
    """Every queue with its outlook."""
    columns = ("queue", "cluster", "metric", "peak", "from", "up to", "at", "above 100 %", "model", "MAPE %", "skill", "issued")
    print_table(columns, map(_outlook, page["queues"]))
    if not page["queues"]:
        notice("no queue has a forecast yet; `queuecast submit request.json --wait` makes the first")


def print_series(series: Document) -> None:
    """The forecast of one queue, step by step."""
    names = ("queue", "cluster", "metric", "model")
    say(" · ".join([*(series[name] for name in names), f"issued {shown_time(series['issued_at'])}"]))
    peak, above = series["peak"], series["above_100"]
    band = f"{shown(peak['lower_bound'])} to {shown(peak['upper_bound'])}"
    say(f"peak: {shown(peak['prediction'])} ({band}) at {shown_time(peak['timestamp'])}")
    if above:
        first_at = min((*above["likely"], *above["possible"]), default=None)
        text = _above(len(above["likely"]), len(above["possible"]), first_at)
        say(f"above 100 %: {text or 'no step, not even with its upper bound'}")
    points = [point for point in series["points"] if point["prediction"] is not None]
    columns = ("prediction", "lower_bound", "upper_bound")
    print_table(("at", *columns), [(shown_time(point["timestamp"]), *(point[name] for name in columns)) for point in points])


def print_models(page: Document) -> None:
    """What the workers offer, and what they try of it by default."""
    columns = ("model", "lane", "hyperparameter", "type", "default", "tried", "what it does")
    print_table(columns, [row for card in page["models"] for row in _model(card)])
    if page["note"]:
        notice(page["note"], style="yellow")


def _queue_of_job(queue: Document, outlook: Document | None, said_of: Mapping[str, str]) -> Row:
    """A reason is said of the first queue that has it; the others name that one."""
    if outlook is None or queue["state"] != QueueState.SUCCEEDED:
        first = said_of.get(queue["reason"], queue["queue"])
        reason = queue["reason"] if first == queue["queue"] else f"as {first}"
        return queue["queue"], queue["state"], None, None, None, None, None, None, reason
    numbers = (outlook[name] for name in ("mape", "skill", "peak", "peak_upper_bound"))
    return queue["queue"], queue["state"], outlook["model"], *numbers, shown_time(outlook["peak_at"]), None


def _standing(standing: Document) -> Row:
    label = " ".join([standing["model"], *(f"{name}={value}" for name, value in standing["hyperparameters"].items())])
    measures = standing["measures"] or {}
    numbers = (measures.get(name) for name in ("mape", "wape", "mase", "skill"))
    return standing["rank"], label, *numbers, standing["seconds"], standing["reason"]


def _outlook(queue: Document) -> Row:
    peak = queue["peak"], queue["peak_lower_bound"], queue["peak_upper_bound"], shown_time(queue["peak_at"])
    above = _above(queue["likely_above_100"], queue["possible_above_100"], queue["above_100_at"])
    verdict = queue["model"], queue["mape"], queue["skill"], shown_time(queue["issued_at"])
    return queue["queue"], queue["cluster"], queue["metric"], *peak, above, *verdict


def _above(likely: int, possible: int, first_at: str | None) -> str | None:
    """`likely in 2 steps, possible in 9 more, from 2026-01-05 13:00Z on`."""
    counts = [("likely", likely, ""), ("possible", possible, " more" if likely else "")]
    parts = [f"{word} in {count}{more if count else ''} step{'s' * (count != 1)}" for word, count, more in counts if count]
    return f"{', '.join(parts)}, from {shown_time(first_at)} on" if parts else None


def _model(card: Document) -> Iterable[Row]:
    """One row per hyperparameter; the first one says what the model is."""
    rows = [_hyperparameter(hyperparameter) for hyperparameter in card["hyperparameters"]] or [(None,) * 4]
    yield card["name"], card["lane"], *rows[0], card["summary"]
    for row in rows[1:]:
        yield card["name"], card["lane"], *row, None


def _hyperparameter(card: Document) -> Row:
    return card["name"], card["type"], str(card["default"]), ", ".join(map(str, card["grid"]))


def print_accuracy(answer: Document) -> None:
    """How good a queue's forecasts have been."""
    columns = ("steps ahead", "forecasts", "steps", "WAPE %", "MAPE %", "bias", "in bounds %", "skill")
    names = ("forecasts", "steps", "wape", "mape", "bias", "coverage", "skill")
    rows = [(f"{lead['first_step']}–{lead['last_step'] or '…'}", *(lead[name] for name in names)) for lead in answer["leads"]]
    print_table(columns, rows)
    if not rows:
        notice("nothing has been scored yet: a later job does it, as soon as it has read what happened")
