"""One real job on a made-up cluster, from HTTP to the written forecast: `python3 deploy/dev.py demo`.

Nothing of the person's own settings or data is touched: the stack gets a temporary data folder, free ports and a clean
environment, and all of it is gone at the end, unless --keep asks for more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from api.command.client import Client
from deploy.simulate import simulate, write
from deploy.stack import make_layout, running
from deploy.supervise import StopAsked, Supervisor
from shared.command.tables import print_table
from shared.command.terminal import notice, now_and_then, print_json
from shared.config.data_folder import keep_private
from shared.config.origins import CONFIG_FILE
from shared.config.settings import PREFIX, Settings, load_settings
from shared.domain.codec import Document
from shared.domain.jobs import JobState
from shared.domain.timegrid import TimeGrid
from shared.errors import QueuecastError

STEP_SECONDS = 300
HISTORY_DAYS = 28
PATIENCE_SECONDS = 600.0

REQUEST = {
    "job_name": "Demo",
    "job_description": "How much of each queue's capacity will be used in the next 24 hours?",
    "user_name": "demo",
    "project": "capacity forecasting",
    "owner": "demo",
    "data": {"source": {"name": "files", "path": "*.parquet"}, "destination": {"name": "files"}},
    "aggregation_time_period": "1h",
    "data_ingestion_time_period": f"{HISTORY_DAYS}d",
    "model": ["prophet", "lstm", "var", "hour_mean", "seasonal_naive", "last_value"],
    "future_prediction_time_period": "24h",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns 0 only when its job has succeeded, 128 + n when signal n came before that."""
    parser = argparse.ArgumentParser(prog="deploy/dev.py demo", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line of stdout")
    parser.add_argument("--keep", action="store_true", help="leave the stack running until Ctrl-C, and its data behind")
    parser.add_argument("--queues", type=int, choices=range(1, 101), default=4, metavar="N", help="size of the cluster, 1 to 100")
    options = parser.parse_args(arguments)
    keep_private()
    folder = Path(tempfile.mkdtemp(prefix="queuecast-demo-"))
    try:
        return show(clean_settings(folder), queues=options.queues, as_json=options.json, is_kept=options.keep)
    except KeyboardInterrupt as stop:
        return 128 + (stop.number if isinstance(stop, StopAsked) else signal.SIGINT)
    except (QueuecastError, TimeoutError) as error:
        notice(str(error), style="red")
        return 1
    finally:
        if options.keep:
            notice(f"what the demo wrote is in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def clean_settings(folder: Path) -> Settings:
    """Settings of the demo alone, for this process and those it starts."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ |= {CONFIG_FILE: str(folder / "queuecast.toml"), f"{PREFIX}DATA_DIR": str(folder)}
    return load_settings()


def show(settings: Settings, *, queues: int, as_json: bool, is_kept: bool) -> int:
    """Make the cluster up, start the stack, run the job, print its result."""
    end = TimeGrid(STEP_SECONDS).bucket_start(datetime.now(UTC))
    cluster = simulate(queues=queues, days=HISTORY_DAYS + 1, step_seconds=STEP_SECONDS, seed=7, end=end)
    rows = write(settings.data_dir / "files", "parquet", cluster)
    notice(f"a made-up cluster: {len(rows)} queues, {sum(rows.values()):,} samples; starting the stack …")
    layout = make_layout()
    with running(settings, layout) as supervisor:
        notice(f"the stack is ready; dashboard: {layout.url}, Flower: {layout.flower_url}")
        client = Client(layout.url)
        job = run_job(client, supervisor)
        reports = [client.get("jobs", job["job_id"], "queues", queue["queue"]) for queue in job["queues"]]
        if as_json:
            print_json(result(job, reports, f"{layout.url}/"))
            sys.stdout.flush()
        else:
            print_result(job, reports)
        has_succeeded = job["state"] == JobState.SUCCEEDED
        if is_kept:
            keep(supervisor, f"the dashboard is at {layout.url} until Ctrl-C, Flower at {layout.flower_url}")
    return 0 if has_succeeded else 1


def run_job(client: Client, supervisor: Supervisor) -> Document:
    """Submit the job and wait for its end, looking after the stack meanwhile; raises TimeoutError."""
    job_id = client.post("jobs", body=REQUEST)["job_id"]
    notice(f"job {job_id}: {', '.join(REQUEST['model'])} compete on {HISTORY_DAYS} days of each queue")
    tell = now_and_then(5)

    def on_progress(job: Document) -> None:
        supervisor.attend()
        tallies = {part: job["progress"][part] for part in ("candidates", "queues")}
        tell(", ".join(f"{tally['done']} of {tally['total']} {part}" for part, tally in tallies.items()))

    return client.wait(job_id, PATIENCE_SECONDS, on_progress)


def keep(supervisor: Supervisor, text: str) -> None:
    """Run on until somebody asks for the end, which is then an ordinary one."""
    notice(text)
    try:
        supervisor.run()
    except StopAsked as stop:
        notice(f"{signal.Signals(stop.number).name}: stopping …")


def result(job: Document, reports: Sequence[Document], dashboard_url: str) -> Document:
    """What `--json` prints."""
    return {
        "job_id": job["job_id"],
        "state": job["state"],
        "queues": {report["queue"]: outcome(report) for report in reports},
        "forecast_rows": sum(len(report["forecast"]["steps"]) for report in reports if report["forecast"]),
        "dashboard_url": dashboard_url,
    }


def outcome(report: Document) -> Document:
    """What became of one queue: the winner, how good it was in the backtest, and its peak of the next day; or the reason."""
    forecast = report["forecast"]
    if forecast is None:
        return {"model": None, "mape": None, "reason": report["reason"]}
    peak = forecast["peak"]
    return {
        **{name: forecast[name] for name in ("model", "hyperparameters", "mape", "skill")},
        "peak": peak["prediction"],
        "peak_at": peak["timestamp"],
        "candidates": len(report["leaderboard"]),
    }


def print_result(job: Document, reports: Sequence[Document]) -> None:
    """One line per queue, for people."""
    columns = ("queue", "winner", "MAPE %", "skill", "peak %", "at", "next 24 hours")
    rows, title = [_row(report, outcome(report)) for report in reports], f"job {job['job_id']}: {job['state']}"
    print_table(columns, rows, spare=("skill", "next 24 hours"), text=("winner",), title=title)
    for warning in job["warnings"]:
        notice(f"note: {warning}")
    if job["reason"]:
        notice(job["reason"], style="red")


def _row(report: Document, best: Document) -> tuple[object, ...]:
    if best["model"] is None:
        return report["queue"], best["reason"], None, None, None, None, None
    line = sparkline([step["prediction"] for step in report["forecast"]["steps"]])
    at = f"{datetime.fromisoformat(best['peak_at']):%a %H:%M}" if best["peak_at"] else None
    return report["queue"], best["model"], best["mape"], best["skill"], best["peak"], at, line


def sparkline(values: Sequence[float]) -> str:
    """The values as bars, from the least to the largest of them.

    >>> sparkline([1, 2, 3])
    '▁▅█'
    """
    bars = "▁▂▃▄▅▆▇█"
    least, span = min(values), (max(values) - min(values)) or 1.0
    return "".join(bars[round((value - least) / span * (len(bars) - 1))] for value in values)


if __name__ == "__main__":
    sys.exit(main())
