"""The terms of the pages, each explained in a sentence or two; words elsewhere lead to `/terms#word`."""

from __future__ import annotations

from flask import render_template

from api.edge.policy import PAGE
from api.edge.routing import route

TERMS = {
    "actual value": "What was measured: the mean of the samples of one step.",
    "approve": "To say that a decision shall be put into force. Nothing is changed before somebody has.",
    "backtest": "A trial on the past: each model forecasts times whose values are known, from what was known before them.",
    "borrowed": "What a queue uses beyond its guarantee, as long as others leave it idle. They may take it back.",
    "candidate": "One model with one set of its parameters, which takes part in the backtest.",
    "capacity": "The same as guarantee, as the scheduler's configuration calls it, in per cent of the parent.",
    "ceiling": "The most that a queue can ever be given; in YARN its maximum capacity.",
    "decision": "A proposal of what to change, before when, and what it costs not to. It waits for a person.",
    "demand": "What a queue uses and what waits in it, together. It may be more than the queue gets.",
    "guarantee": "What the scheduler gives a queue whenever it asks. Beyond it a queue borrows.",
    "history": "How much of the past a forecast is made from.",
    "horizon": "How far ahead a forecast reaches.",
    "interval": "Where the value is expected to lie, at the level that the page names: at 80 %, eight times in ten.",
    "issued": "When the forecast was made: it knows nothing of what came after.",
    "job": "One run of the service: it reads the history, tries all candidates and forecasts with the best one.",
    "likely": "The predicted value itself is above the limit.",
    "limit": "Where it hurts: the ceiling, or the guarantee where a queue can borrow nothing, or full use.",
    "MAPE": "Mean absolute percentage error: by how many per cent of the value a forecast was off. It says little near zero.",
    "off by": "How far forecasts were from the actual values, in the unit of the values.",
    "partition": "A part of a cluster's nodes that bear one label, such as those with GPUs.",
    "possible": "The predicted value is below the limit, but the upper end of the interval is above it.",
    "price": "How much more an hour of waiting costs than an hour of idle capacity; a policy says it.",
    "reference": "The simplest sensible forecast: what was, at the same time before. A model has to beat it.",
    "refit": "To adapt the last winners to newer values, without trying all candidates again.",
    "retry failed": "Runs again only those queues of a job that have failed; what the others have stays.",
    "risk": "Whether a queue is expected to pass its limit within the horizon: likely, possible, or none.",
    "schedule": "Makes the same job again at every due time.",
    "share": "The same as guarantee, as a part of the parent.",
    "skill": "By how much less a model was off than the reference: +21 % is better, below 0 is worse.",
    "step": "The length of time that one value stands for, such as an hour.",
    "superseded": "Another decision has taken its place, or the cluster was changed otherwise in the meantime.",
    "target": "The column that is forecast, such as used_capacity.",
    "waiting": "What was asked for and is not given yet, as the queue is at its ceiling or the cluster is full.",
    "WAPE": "Weighted absolute percentage error: the sum of all misses in per cent of the sum of all values.",
    "winner": "The candidate that was best in the backtest of this queue; the forecast is its.",
}


@route("GET", "/terms", PAGE, endpoint="terms")
def show() -> str:
    """The page."""
    return render_template("terms.html", terms=sorted(TERMS.items(), key=lambda item: item[0].lower()))
