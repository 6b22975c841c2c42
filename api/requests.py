"""Bodies and queries as callers write them; checked here, then they become the values of shared/jobs.py.

Every field is obeyed or refused. What needs more than the form (connections, models, the clock) is checked in acceptance.py.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationInfo, WithJsonSchema, field_validator

from api import _fields as fields
from shared.durations import Duration
from shared.jobs import Aggregation, DataPlaces, Hyperparameter, JobFilter, JobRequest, JobState, Place

MOST_HORIZON_STEPS = 10_000
MOST_HISTORY_STEPS = 1_000_000  # a year by the minute is about half of it
