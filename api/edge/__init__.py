"""The edge: which view answers an address, whom it answers, and what the document says of it."""

from __future__ import annotations

from api.edge.document import Answers
from api.edge.policy import PAGE, PROBE, READ, WRITE, Policy, current_policy
from api.edge.routing import add_routes, check_policies, route

__all__ = ["PAGE", "PROBE", "READ", "WRITE", "Answers", "Policy", "add_routes", "check_policies", "current_policy", "route"]
