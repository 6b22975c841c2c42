"""In whose time a person reads: of the zone that they have chosen, which a cookie keeps, else of the instance's."""

from __future__ import annotations

from datetime import timedelta
from functools import cache, lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo, available_timezones

from flask import g, redirect, render_template, request
from werkzeug.wrappers import Response

from api.edge.context import Services
from api.edge.login import local_path
from api.edge.policy import PAGE
from api.edge.routing import route
from shared.errors import InvalidRequest

COOKIE = "queuecast_zone"
KEPT = timedelta(days=365)
OTHERS = "Other"  # zones of no region, such as UTC


def zone_of_reader(of_instance: str) -> ZoneInfo:
    """The zone of the request being answered."""
    zone: ZoneInfo | None = g.get("zone")
    if zone is None:
        chosen = request.cookies.get(COOKIE, "")
        zone = g.zone = ZoneInfo(chosen if chosen in _names() else of_instance)
    return zone


@route("GET", "/timezone", PAGE, endpoint="timezone")
def show(services: Services) -> Response | str:
    """Ask which zone, or keep the answer (`zone`; "" = the instance's) and lead back to `next`.

    A GET, as a form without a script sends it: a POST with a session needs a header. It changes nothing but how this browser is
    shown times, and not at all where the page of another site causes it.
    """
    target, chosen = local_path(request.args.get("next", "/")), request.args.get("zone")
    if chosen is None or request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        return render_template("timezone.html", next=target, regions=_regions(), own=services.settings.display_timezone)
    if chosen and chosen not in _names():
        raise InvalidRequest(f"found {chosen[:80]!r}, accepted are time zones, such as Europe/Berlin", field="zone")
    answer = redirect(target, 303)
    if chosen:
        answer.set_cookie(COOKIE, chosen, max_age=KEPT, secure=request.is_secure, httponly=True, samesite="Strict")
    else:
        answer.delete_cookie(COOKIE, secure=request.is_secure, httponly=True, samesite="Strict")
    return answer


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1)
def _regions() -> list[tuple[str, list[str]]]:
    """The zones of each region; links to old names are left out, as `US/Pacific`, but are accepted."""
    former = {"Etc", "US", "SystemV", "Brazil", "Canada", "Chile", "Mexico"}

    def region(name: str) -> str:
        return name.partition("/")[0] if "/" in name else OTHERS

    shown = sorted(name for name in _names() if name == "UTC" or ("/" in name and region(name) not in former))
    return [(found, list(names)) for found, names in groupby(sorted(shown, key=region), region)]
