"""The span of time in which agreements may begin and end; anything outside is a typing error."""

from datetime import UTC, datetime

from core.errors import InvalidInputError

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class InstantError(InvalidInputError):
    """An instant without zone, or one that no agreement can mean."""

    code = "instant_out_of_range"


def check_instant(instant: datetime, *, pointer: str) -> None:
    """Refuse what would make ten thousands of periods due, or would be stored in another zone than was meant."""
    if instant.tzinfo is None:
        raise InstantError("Say the offset from UTC, such as 2026-07-01T00:00:00Z.", pointer=pointer)
    if not EARLIEST <= instant <= LATEST:
        raise InstantError(f"{instant:%Y-%m-%d} is not between the years 2000 and 2200.", pointer=pointer)
