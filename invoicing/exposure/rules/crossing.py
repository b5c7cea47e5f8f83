"""When a figure crosses a line: once upwards, however often it is looked at, until it has been below again."""

from decimal import Decimal
from enum import Enum


class Crossing(Enum):
    """What a look at a figure found against the look before."""

    ROSE = "rose"
    FELL = "fell"
    STAYED = "stayed"


def judge(*, value: Decimal, line: Decimal, was_beyond: bool) -> Crossing:
    """A figure that has reached its line is beyond it."""
    is_beyond = value >= line
    if is_beyond == was_beyond:
        return Crossing.STAYED
    return Crossing.ROSE if is_beyond else Crossing.FELL
