"""Idempotency-Key: the same key and request mean the same job, however often they are sent.

There is no "still in flight" (409): the store keeps job and key in one atomic write, so whoever comes second finds the job.
"""

from __future__ import annotations

from hashlib import sha256

from shared.domain.codec import to_json
from shared.domain.jobs import JobRequest


def fingerprint(request: JobRequest) -> str:
    """Tells a repeated request from another one under the same key; spelling and order of the JSON do not matter."""
    return sha256(to_json(request).encode()).hexdigest()
