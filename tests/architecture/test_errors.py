"""Errors cross process borders whole, say what they are by themselves, and have an answer in HTTP."""

from __future__ import annotations

import inspect
import pickle

import pytest

import shared.errors
from api.edge.problems import STATUS
from shared.errors import AccessError, QueuecastError, RequestError, ServiceError

EVERY_ERROR = [kind for _, kind in inspect.getmembers(shared.errors, inspect.isclass) if issubclass(kind, QueuecastError)]


@pytest.mark.parametrize("kind", EVERY_ERROR)
def test_an_error_survives_pickling_and_its_docstring_is_its_message(kind: type[QueuecastError]) -> None:
    error = kind("found 2", queue="root.etl", job_id="job-1")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(copy), str(copy), copy.detail, copy.ids) == (kind, str(error), error.detail, error.ids)
    assert f"{kind()}." == (kind.__doc__ or "").partition("\n")[0]


@pytest.mark.parametrize("kind", EVERY_ERROR)
def test_an_error_that_a_caller_can_act_on_has_its_status_and_no_other_has(kind: type[QueuecastError]) -> None:
    """Anything else is a fault of ours in HTTP: 500, without details."""
    status = next((status for family, status in STATUS if issubclass(kind, family)), 500)
    if issubclass(kind, RequestError | AccessError):
        assert 400 <= status < 500
    else:
        assert status == (503 if issubclass(kind, ServiceError) else 500)
