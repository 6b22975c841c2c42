"""Names that the tests share with the workers they break. models.py itself is for workers only: it registers its models."""

from __future__ import annotations

LEDGER = "CHAOS_LEDGER"  # names the file in which every run of a poisoned candidate stands, outside Redis
CURSED = 1_000.0  # usage above this: every candidate of the queue fails (app.py)
