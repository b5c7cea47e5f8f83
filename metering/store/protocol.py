"""What a store of raw events does. Identities, batches, quarantine and watermarks are PostgreSQL's in any case."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

Row = tuple[Any, ...]
# Every store gives rows in this order of columns; `data` and `extras` are JSON text as PostgreSQL writes it.
COLUMNS = (
    "seq",
    "source",
    "event_id",
    "occurred_at",
    "received_at",
    "fingerprint",
    "data",
    "extras",
    "batch_id",
    "contract_id",
    "contract_version_id",
    "customer_id",
)
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
SEQ_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Events of `[start, end)`, of these customers and contracts or of all, numbered from `first_seq` to `last_seq`.

    `seqs` names single events among them.
    """

    start: datetime = FIRST
    end: datetime = LAST
    customer_ids: tuple[int, ...] | None = None
    contract_ids: tuple[int, ...] | None = None
    first_seq: int = 0
    last_seq: int = SEQ_MAX
    seqs: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many events a span has, and the SHA-256 over their fingerprints in capture order."""

    event_count: int
    digest: str


class EventStore(Protocol):
    """Rows go in by blocks and come out by spans; what came in is never changed."""

    def prepare(self) -> None:
        """Make the tables where they are missing."""

    def clear(self) -> None:
        """Forget what lies here of a time in which this store was the one, or of a copy that was cancelled."""

    def find_leftovers(self) -> int:
        """Give the highest number of an event that lies here though another store is the one; 0 for none."""

    def insert(self, rows: Sequence[Row], *, token: str) -> None:
        """Keep these rows; the same block with the same token again, or a row again, adds nothing."""

    def count(self, span: Span) -> Counted:
        """Count a span by the store's own means."""

    def read(self, span: Span) -> Iterator[list[Row]]:
        """Give the rows of a span in capture order, in bounded memory."""

    def page(self, span: Span, *, limit: int) -> list[Row]:
        """Give the first rows of a span in capture order."""

    def find_last_seq(self) -> int:
        """Give the highest number of an event; 0 for none."""
