"""The dashboard: pages for people.

They read what the calls under /v1 read, decide nothing, and write only through those calls. One module per page; what all pages
share is in `frame` (how a page is rendered) and `words` (how a number or a time is said).
"""

from __future__ import annotations

from api.dashboard.frame import blueprint

__all__ = ["blueprint"]
