"""Task ids a person can read in Flower. They are built, never parsed: queue names may hold dots."""

from __future__ import annotations

from shared.domain.forecasts import Block


def plan_id(job_id: str) -> str:
    """Id of the task that plans a job."""
    return f"{job_id}.plan"


def verify_id(job_id: str, first: int) -> str:
    """Id of the task that verifies earlier forecasts of a job's queues, from this one on."""
    return f"{job_id}.{first}.verify"


def decide_id(decision_id: str) -> str:
    """Id of the task that makes a decision; that of a job's end begins with the job's id, as its decision's does."""
    return f"{decision_id}.decide"


def apply_id(decision_id: str) -> str:
    """Id of the task that puts a decision into force."""
    return f"{decision_id}.apply"


def read_id(job_id: str, block: int) -> str:
    """Id of the task that reads a block of a job's queues."""
    return f"{job_id}.{block}.read"


def ingest_id(job_id: str, queue: str) -> str:
    """Id of the task that ingests a queue."""
    return f"{job_id}.{queue}.ingest"


def block_id(job_id: str, queue: str, block: Block) -> str:
    """Id of the task that scores a block."""
    return f"{job_id}.{queue}.{block.first}-{block.last}"


def solo_id(job_id: str, queue: str, index: int) -> str:
    """Id of the task that scores one candidate outside its chord."""
    return f"{job_id}.{queue}.{index}.solo"


def select_id(job_id: str, queue: str, *, is_heavy: bool = False) -> str:
    """Id of the task that selects a queue's winner; the heavy lane's has a name of its own."""
    return f"{job_id}.{queue}.select.heavy" if is_heavy else f"{job_id}.{queue}.select"
