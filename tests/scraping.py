"""What Prometheus would read, for tests that ask for one series."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from shared.telemetry.metrics import counted


def sample(text: str, name: str, **labels: str) -> float | None:
    """The value of the series with this name and exactly these labels; None when it is absent."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return next((found.value for found in samples if (found.name, found.labels) == (name, labels)), None)


def counted_here(name: str, **labels: str) -> float:
    """What this process has counted so far; 0 before it has begun."""
    return sample(shown(counted()), name, **labels) or 0.0


def shown(registry: CollectorRegistry) -> str:
    """The registry as it is answered."""
    return generate_latest(registry).decode()
