"""Notices that are due go to their receivers. Each try has a limit, each look too, so that recovery never waits for them.

notice (written before its job's row) ──▶ has that run ended? ──▶ POST to each receiver ──▶ who has it leaves the list
                                              └── no: later                 └── no: later, for a day
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from shared.connections.webhook import WebhookConnection
from shared.domain.codec import Document
from shared.domain.jobs import Job
from shared.domain.notices import KINDS, Notice, NoticeKind, body_of, body_of_told, tried
from shared.drivers.webhook import post
from shared.errors import JobNotFound, RecordUnreadable, ServiceError
from worker.job.resources import Resources

LOOK_SECONDS = 8.0  # the lock of the reaper is held for longer
MAX_SENT = 100  # at a look
NOT_ENDED_SECONDS = 30.0  # then it is looked at again: its process died in between, or is slow

Receivers = Mapping[str, WebhookConnection]

log = structlog.get_logger(__name__)


def send_due(resources: Resources, now: datetime) -> None:
    """Try what is due; what is left when the look has lasted long enough is due at the next one."""
    end, slow = time.monotonic() + LOOK_SECONDS, set[str]()
    for notice in resources.store.notices.due(now, MAX_SENT):
        if time.monotonic() > end:
            return
        try:
            _send(resources, notice, now, slow, end)
        except ServiceError:
            raise
        except Exception:  # about one notice; it is in the log, and tried again
            log.exception("the notice could not be sent", notice_id=notice.notice_id)


def _send(resources: Resources, notice: Notice, now: datetime, slow: set[str], end: float) -> None:
    addressed = _addressed(resources, notice, now)
    if addressed is None:
        return
    receivers, body = addressed
    names = sorted(receivers) if notice.receivers is None else [name for name in notice.receivers if name in receivers]
    errors, unasked = dict[str, str](), []
    for name in names:
        if name in slow or time.monotonic() > end:
            unasked.append(name)
            continue
        receiver = receivers[name]
        if error := post(receiver.url.get_secret_value(), receiver.secret.get_secret_value(), notice.notice_id, body, now):
            errors[name] = error
            slow.add(name)
    reason = next(iter(errors.values()), "there was no time for it, or it did not answer before")
    after = tried(notice, [*unasked, *errors], reason if unasked or errors else "", now)  # next time the unasked come first
    if resources.store.notices.replace(notice, after):
        _tell(notice, after, names)


def _addressed(resources: Resources, notice: Notice, now: datetime) -> tuple[Receivers, Document] | None:
    """Who is to have it, and what it says; None = there is nothing to say of its job, or not yet."""
    if notice.told:
        return _receivers(resources, notice.kind, notice.project), body_of_told(notice)
    job = _job(resources, notice)
    if job is None:
        resources.store.notices.replace(notice, replace(notice, due_at=None))
        return None
    if not job.state.is_terminal:
        later = now + timedelta(seconds=NOT_ENDED_SECONDS)
        resources.store.notices.replace(notice, replace(notice, due_at=later))
        return None
    return _receivers(resources, KINDS[job.state], job.request.project), body_of(notice, job)


def _job(resources: Resources, notice: Notice) -> Job | None:
    """The job, while that run of it is the last one and its end is one that is told."""
    try:
        job = resources.store.jobs.get(notice.job_id)
    except (JobNotFound, RecordUnreadable):
        return None
    return job if job.asked_at == notice.run_at and (job.state in KINDS or not job.state.is_terminal) else None


def _receivers(resources: Resources, kind: NoticeKind, project: str | None = None) -> Receivers:
    """Those that are told of this; project: None = it concerns all of them."""
    told = {name: each for name, each in resources.settings.all_connections.items() if isinstance(each, WebhookConnection)}
    return {
        name: each
        for name, each in told.items()
        if kind in each.notices and (each.projects is None if project is None else each.serves(project))
    }


def _tell(before: Notice, after: Notice, names: list[str]) -> None:
    about = {"notice_id": before.notice_id, "job_id": before.job_id}
    if taken := [name for name in names if name not in (after.receivers or ()) and name not in after.lost]:
        log.info("notice sent", receivers=taken, **about)
    if after.lost:
        log.error("notice lost: its receivers have not taken it for a day", receivers=after.lost, reason=after.error, **about)
    elif after.receivers:
        log.warning("notice not taken, tried again", receivers=after.receivers, reason=after.error, **about)
