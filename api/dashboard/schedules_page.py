"""Recurring jobs: when each is due, what came of the last time."""

from __future__ import annotations

from flask import render_template

from api.edge.context import Services
from api.edge.policy import PAGE
from api.edge.routing import route
from api.v1.schedules import schedule_answers


@route("GET", "/schedules", PAGE, endpoint="schedules")
def show(services: Services) -> str:
    """The page."""
    return render_template("schedules.html", schedules=schedule_answers(services))
