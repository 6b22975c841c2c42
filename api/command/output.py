"""Documents of the service as people read them on a terminal; `--json` prints the documents themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import starmap

from api.command.notes import made_by, note_failures
from api.command.relative import relative_lines
from shared.command.tables import print_table
from shared.command.terminal import notice, say, shown, shown_time
from shared.domain.choice import Ranking
from shared.domain.codec import Document, from_document
from shared.domain.job_states import JobState, QueueState
from shared.domain.runs import Run
from shared.domain.units import Unit, shown_in
from shared.domain.wording import counted

Row = tuple[object, ...]


def print_jobs(page: Document) -> None:
    """A page of jobs, newest first."""
    columns = ("job_id", "run", "state", "job_name", "created_at", "reason")
    rows = [[shown_time(job[name]) if name == "created_at" else job[name] for name in columns] for job in page["jobs"]]
    names = ("job", "run", "state", "name", "created", "reason")
    print_table(names, rows, spare=("run", "created"), text=("name",), cut="reason", none="no job was found")
    if page["next_cursor"]:
        notice(f"more: --cursor {page['next_cursor']}")


def print_job(job: Document, outlooks: Document) -> None:
    """One job and its queues, those that have a forecast with its outlook."""
    run = {Run.SEARCH: "", Run.REFIT: ", refit run: scores are of the search that chose"}.get(job["run"], f", {job['run']} run")
    say(f"job {job['job_id']} ({job['job_name']}{run}): {job['state']}{made_by(job)}")
    if job["reason"]:
        notice(job["reason"], style="red")
    for warning in job["warnings"]:
        notice(f"note: {warning}", style="yellow")
    if not JobState(job["state"]).is_terminal:
        tally = job["progress"][part := "candidates" if job["run"] == Run.SEARCH else "queues"]
        say(f"{tally['done']} of {tally['total'] or '?'} {part} done, {tally['failed']} failed")
    columns = ("queue", "state", "winner", "MAPE %", "skill", "peak", "up to", "at", "at its limit", "reason")
    shown = len(columns) if any(queue["reason"] for queue in job["queues"]) else -1
    if job["queues"]:
        by_queue = {outlook["queue"]: outlook for outlook in outlooks["queues"]}
        said_of = {queue["reason"]: queue["queue"] for queue in reversed(job["queues"]) if queue["reason"]}
        rows = [_queue_of_job(queue, by_queue.get(queue["queue"]), said_of)[:shown] for queue in job["queues"]]
        print_table(columns[:shown], rows, spare=("skill", "at its limit", "up to", "MAPE %", "at", "peak"), text=("reason",))


def print_report(report: Document) -> None:
    """One queue of a job: why this model won."""
    from shared.domain.job_warnings import loss_lines
    from shared.domain.reports import QualityReport  # with the request and all of a forecast, which lists of jobs do not need

    say(f"{report['queue']} of job {report['job_id']}: {report['state']}")
    for text in (report["reason"], report["explanation"]):
        if text:
            say(text)
    quality = report["quality"] or {}
    losses = loss_lines(from_document(QualityReport, quality))
    for text in (*losses, *quality.get("notes", ()), *quality.get("warnings", ())):
        notice(f"note: {text}", style="yellow")
    if forecast := report["forecast"]:
        for line in _breaches(forecast):
            say(line)
        _print_components(forecast["steps"], forecast.get("components", {}))
    columns = ("", "candidate", "MAPE %", "WAPE %", "MASE", "CRPS %", "skill", "CPU s", "reason")
    spare = ("CPU s", "CRPS %", "MASE", "WAPE %")
    print_table(columns, map(_standing, report["leaderboard"]), spare=spare, text=("candidate", "reason"))


def _print_components(steps: Sequence[Document], components: Mapping[str, Sequence[float]]) -> None:
    """What the forecast is made of, at its highest step and in all; nothing where that is not known."""
    if not components:
        return
    highest = max(range(len(steps)), key=lambda step: steps[step]["prediction"])
    rows = [
        (name, f"{values[highest]:.4g}", f"{min(values):.4g}", f"{max(values):.4g}")
        for name, values in {**components, "forecast": [step["prediction"] for step in steps]}.items()
    ]
    print_table(("made of", f"at {shown_time(steps[highest]['timestamp'])}", "lowest", "highest"), rows)


def print_verdict(verdict: Document) -> None:
    """What a job would meet."""
    for problem in verdict["problems"]:
        say(": ".join(filter(None, (".".join(map(str, problem["loc"])), problem["msg"]))))
    for warning in verdict["warnings"]:
        notice(f"note: {warning}", style="yellow")
    say("a job of this request would run" if verdict["valid"] else "a job of this request would not run")


def print_queues(page: Document) -> None:
    """Every queue with its outlook."""
    peak, limits = ("peak", "from", "up to", "at"), ("risk", "limit", "at its limit", "beyond its share")
    columns = ("queue", "cluster", "metric", *peak, *limits, "model", "MAPE %", "skill", "issued", "by job")
    known = ("by job", "issued", "skill", "MAPE %", "model", "beyond its share", "at its limit", "from", "up to", "limit")
    none = "no queue has a forecast yet; `queuecast submit request.json --wait` makes the first"
    print_table(columns, map(_outlook, page["queues"]), spare=(*_not_needed(page["queues"]), *known), none=none)
    note_failures(page["queues"])


def print_series(series: Document) -> None:
    """The forecast of one queue, step by step."""
    names = ("queue", "cluster", "metric", "model")
    say(" · ".join([*(series[name] for name in names), f"issued {shown_time(series['issued_at'])}"]))
    note_failures([series])
    for line in _peaks(series):
        say(line)
    for line in (*_limits(series), *relative_lines(series), *_breaches(series)):
        say(line)
    points = [point for point in series["points"] if point["prediction"] is not None]
    made_of = [point["components"] for point in points if point.get("components")]
    _print_components(points, {name: [parts[name] for parts in made_of] for name in (made_of or [{}])[0]})
    columns = ("prediction", "lower_bound", "upper_bound")
    print_table(("at", *columns), [(shown_time(point["timestamp"]), *(point[name] for name in columns)) for point in points])


def _peaks(series: Document) -> Iterable[str]:
    """The peak of the next 24 hours and of each day after them, with its bounds."""
    for number, peak in enumerate(series["peaks"]):
        low, high, value = (amount(peak[name], series["unit"]) for name in ("lower_bound", "upper_bound", "prediction"))
        if peak["timestamp"]:
            text = f"{value} ({low} to {high}) at {shown_time(peak['timestamp'])}"
        else:
            text = f"{value} ({low} to {high}), no hour stands out"
        if peak["held"] is not None:
            text += f"; nine times in ten no more than {amount(peak['held'], series['unit'])}"
        yield f"peak: {text}" if number == 0 else f"peak of the 24 hours from {shown_time(peak['start_at'])}: {text}"


def _limits(series: Document) -> Iterable[str]:
    """What the queue has and can get, and when the forecast is there."""
    unit, limit = series["unit"], series["limit"]
    if limit is None:
        yield "limit: not known" + ("" if unit else "; `unit` and `limits` in the request say it")
        return
    yield f"at its limit of {amount(limit, unit)}: {_counted_steps(series['over_limit'])}"
    if series["maximum"] is not None and series["beyond_share"]:
        yield f"beyond its share of {amount(series['guaranteed'], unit)}: {_counted_steps(series['beyond_share'])}"


def _breaches(series: Document) -> Iterable[str]:
    """How likely each level is exceeded in all that is ahead, and for how long."""
    for breach in (each for each in series["breaches"] if each["is_whole"]):
        since = f", not before {shown_time(breach['not_before'])}" if breach["not_before"] else ""
        chance = f"{breach['likelihood']}, {breach['hours']:.1f} hours expected{since}"
        yield f"chance to exceed {amount(breach['level'], series['unit'])}: {chance}"


def _counted_steps(found: Document) -> str:
    first_at = min((*found["likely"], *found["possible"]), default=None)
    return _steps(len(found["likely"]), len(found["possible"]), first_at) or "no step, not even with its upper bound"


def amount(value: float | None, unit: str | None) -> str:
    """A value with its unit; of a fraction the percentage."""
    if value is None:
        return ""
    factor, symbol = shown_in(Unit(unit) if unit else None, value)
    return f"{shown(value * factor)} {symbol}".rstrip()


def _queue_of_job(queue: Document, outlook: Document | None, said_of: Mapping[str, str]) -> Row:
    """A reason is said of the first queue that has it; the others name that one."""
    if outlook is None or queue["state"] != QueueState.SUCCEEDED:
        first = said_of.get(queue["reason"], queue["queue"])
        reason = queue["reason"] if first == queue["queue"] else f"as {first}"
        winner = queue["winner"]["model"] if queue["winner"] else None
        return queue["queue"], queue["state"], winner, *(None,) * 6, reason
    amounts = (amount(outlook[name], outlook["unit"]) for name in ("peak", "peak_upper_bound"))
    verdict = queue["queue"], queue["state"], outlook["model"], _how_good(outlook), outlook["skill"]
    return *verdict, *amounts, _peak_at(outlook), _at_limit(outlook, "over_limit"), None


def _how_good(issue: Document) -> object:
    """Its MAPE, or the WAPE that its winner was chosen by."""
    is_by_wape = issue.get("ranked_by") == Ranking.WAPE and issue["wape"] is not None
    return f"WAPE {shown(issue['wape'])}" if is_by_wape else issue["mape"]


def _at_limit(outlook: Document, name: str) -> str | None:
    """In which steps it exceeds a limit; a limit that is not known is said to be so."""
    if outlook[f"likely_{name}"] is None:
        return "not known"
    return _steps(outlook[f"likely_{name}"], outlook[f"possible_{name}"], outlook[f"{name}_at"])


def _standing(standing: Document) -> Row:
    label = " ".join([standing["model"], *starmap(_set_to, standing["hyperparameters"].items())])
    measures = standing["measures"] or {}
    numbers = (measures.get(name) for name in ("mape", "wape", "mase", "crps", "skill"))
    return standing["rank"], label, *numbers, standing["seconds"], standing["reason"]


def _set_to(name: str, value: object) -> str:
    """A hyperparameter; the members of a blend are counted, as their names take hundreds of characters."""
    return f"of {counted(len(str(value).split(', ')), 'candidate')}" if name == "members" else f"{name}={value}"


def _peak_at(outlook: Document) -> str:
    """When its peak comes; of a forecast that is over nothing does."""
    end_at = datetime.fromisoformat(outlook["end_at"])
    return shown_time(outlook["peak_at"]) if end_at > datetime.now(UTC) else f"ended {shown_time(end_at.isoformat())}"


def _outlook(queue: Document) -> Row:
    unit = queue["unit"]
    peak = (amount(queue[name], unit) for name in ("peak", "peak_lower_bound", "peak_upper_bound"))
    share = _at_limit(queue, "beyond_share") if queue["maximum"] is not None else None  # else it is the limit
    limits = _risk(queue), amount(queue["limit"], unit), _at_limit(queue, "over_limit"), share
    verdict = queue["model"], _how_good(queue), queue["skill"], shown_time(queue["issued_at"]), queue["job"]
    return queue["queue"], queue["cluster"], queue["metric"], *peak, _peak_at(queue), *limits, *verdict


def _not_needed(queues: Sequence[Document]) -> Iterator[str]:
    """What queues are told apart without."""
    for name, key in {"metric": ("queue", "cluster"), "cluster": ("queue",)}.items():
        if len({tuple(queue[part] for part in key) for queue in queues}) == len(queues):
            yield name


def _risk(outlook: Document) -> str:
    """In a word whether it passes its limit: at its prediction, or only at its upper bound."""
    if outlook["likely_over_limit"] is None:
        return "not known"
    return "likely" if outlook["likely_over_limit"] else "possible" if outlook["possible_over_limit"] else "none"


def _steps(likely: int, possible: int, first_at: str | None) -> str | None:
    """`likely in 2 steps, possible in 9 more, from 2026-01-05 13:00Z on`."""
    counts = [("likely", likely, ""), ("possible", possible, " more" if likely else "")]
    parts = [f"{word} in {count}{more if count else ''} step{'s' * (count != 1)}" for word, count, more in counts if count]
    return f"{', '.join(parts)}, from {shown_time(first_at)} on" if parts else None
