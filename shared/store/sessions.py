"""Sessions: who has logged in with a token. Expired ones go with retention."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.tokens import Session
from shared.store.records import Is, OneOf, Records
from shared.store.tables import Column, Kept, Kind, Table

SESSIONS = Table(
    name="sessions",
    value=Session,
    columns=(Column("digest"), Column("token_id"), Column("created_at", Kind.CLOCK), Column("expires_at", Kind.CLOCK)),
    key=("digest",),
    indexes=(("token_id", "created_at"), ("expires_at",)),
    has_document=False,
    kept=Kept(by="expires_at"),
)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions by the digest of their id."""

    records: Records

    def add(self, session: Session, most: int) -> None:
        """Keep a new session, and of those of its token only the newest `most`."""
        newest_first = (("created_at", False), ("digest", True))
        with self.records.together():
            self.records.add(SESSIONS, session)
            known = self.records.find(SESSIONS, [Is("token_id", session.token_id)], order=newest_first)
            if older := [earlier.digest for earlier in known[most:]]:
                self.records.delete_some(SESSIONS, [OneOf("digest", older)])

    def find(self, digest: str) -> Session | None:
        """The session, expired or not; None = there is none, or it was ended."""
        return self.records.first(SESSIONS, [Is("digest", digest)])

    def end(self, digest: str) -> None:
        """Drop the session; one that is gone is no error."""
        self.records.delete_some(SESSIONS, [Is("digest", digest)])

    def end_all(self, token_id: str) -> None:
        """Drop every session of the token."""
        self.records.delete_some(SESSIONS, [Is("token_id", token_id)])
