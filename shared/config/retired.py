"""Settings that do nothing any more: for one release they are accepted, with a warning."""

from __future__ import annotations

import logging
from collections.abc import Mapping

RETIRED = {"session_secret": "sessions are random ids in the store, which nobody signs"}

log = logging.getLogger(__name__)  # the standard library's: this is read before a process has set its log up


def warn_of_retired(prefix: str, given: Mapping[str, object]) -> None:
    """Warn of each that is given."""
    for name, reason in RETIRED.items():
        if given[name] is not None:
            log.warning("%s%s does nothing any more and goes with the next release: %s", prefix, name.upper(), reason)
