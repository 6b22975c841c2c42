"""Recurring jobs: when each is due, what came of the last time."""

from __future__ import annotations

from flask import render_template

from api.context import services
from api.schedule_answers import schedule_answers


def show() -> str:
    """The page."""
    return render_template("schedules.html", schedules=schedule_answers(services()))
