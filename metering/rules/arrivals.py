"""Usage as it was known: only what arrived in certain stretches of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Events received in `[since, before)`; None leaves that side open."""

    since: datetime | None = None
    before: datetime | None = None

    def covers(self, received_at: datetime) -> bool:
        return (self.since is None or self.since <= received_at) and (self.before is None or received_at < self.before)

    @property
    def is_everything(self) -> bool:
        return self.since is None and self.before is None


ALWAYS = Arrived()


def is_known(received_at: datetime, arrived: Sequence[Arrived]) -> bool:
    """Say whether an event received then is among those that arrived in any of these stretches."""
    return any(stretch.covers(received_at) for stretch in arrived)
