"""What lies beside a proposal: how its cluster is configured, read where that is allowed, and the files that hand it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from shared.connections.yarn import YarnConnection
from shared.domain.proposals import Proposal
from shared.errors import QueuecastError
from shared.store.proposals import ProposalFile
from shared.yarn.scheduler_conf import read_configuration
from worker.decisions.handover import NamedFile, files_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """How a cluster is configured.

    texts: None = nobody may read it. file: the one that is named; None = none is, or it cannot be read.
    """

    texts: Mapping[str, str] | None = None
    file: NamedFile | None = None


def configured_of(connection: YarnConnection) -> Configured:
    """As its file says it, else as its ResourceManager does; what cannot be read is not needed."""
    try:
        if connection.configuration is not None:
            content = connection.configuration.read_bytes()
            file = NamedFile(connection.configuration.name, content)
            return Configured(texts=read_configuration(content), file=file)
        return Configured(texts=connection.resource_managers().configuration())
    except (OSError, QueuecastError) as error:
        log.info("the configuration of a cluster is not known", cluster=connection.cluster, error=str(error))
        return Configured()


def kept_files(proposal: Proposal, file: NamedFile | None = None) -> list[ProposalFile]:
    """The files of a proposal as they are kept; none of one that changes nothing."""
    if not proposal.changes:
        return []
    return [ProposalFile.of(proposal, name, content) for name, content in files_of(proposal, file).items()]
