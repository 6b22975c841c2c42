"""The policy of a route: who may call it, and what is checked, limited and audited. It is an attribute of the view."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request
from pydantic import BaseModel

from shared.domain.tokens import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who may call a view, what the view takes, and what is counted and noted of a call.

    needs: the least scope of whoever asks; None = open to everybody.
    needs_all_projects: refused to a token that is limited to some.
    identifies: look up who asks; probes and files do without, so that they need no store.
    leads_to_login: a stranger's browser is led to the login, instead of being refused.
    logs_in: the token is a field of the form that is sent, and neither header nor cookie counts.
    takes_form: a page's form sends it, also without a script: a token in it does instead of the header HX-Request.
    body: the JSON object that the view takes; None = none is read.
    body_is_optional: all its fields have defaults, so that `curl -X POST` says all that there is to say.
    max_body_bytes: None = QUEUECAST_MAX_BODY_BYTES.
    is_limited: counts against the rate limits.
    is_audited: a call leaves an audit line, refused or not.
    """

    needs: Scope | None
    needs_all_projects: bool = False
    identifies: bool = True
    leads_to_login: bool = False
    logs_in: bool = False
    takes_form: bool = False
    body: type[BaseModel] | None = None
    body_is_optional: bool = False
    max_body_bytes: int | None = None
    is_limited: bool = True
    is_audited: bool = False


READ = Policy(needs=Scope.READ)
WRITE = Policy(needs=Scope.WRITE, is_audited=True)
PAGE = Policy(needs=Scope.READ, leads_to_login=True)
PROBE = Policy(needs=None, identifies=False, is_limited=False)


def current_policy() -> Policy | None:
    """The policy of the view that will answer; None = a wrong address or method: no view will."""
    if request.endpoint is None:
        return None
    policy: Policy = vars(current_app.view_functions[request.endpoint])["policy"]  # without one nobody is let in
    return policy
