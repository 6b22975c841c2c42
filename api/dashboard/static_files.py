"""Scripts, styles and pictures of the pages."""

from __future__ import annotations

from flask import Response, request, send_from_directory

from api.dashboard.frame import STATIC
from api.edge.policy import PROBE
from api.edge.routing import route

YEAR_SECONDS = 31_536_000


@route("GET", "/static/<path:filename>", PROBE)
def static(filename: str) -> Response:
    """Send a file. Where the address carries the hash of the content, browsers keep it for ever.

    A script that another one imports has no hash in its address: browsers ask whether it is still the same.
    """
    return send_from_directory(STATIC, filename, max_age=YEAR_SECONDS if "v" in request.args else None)
