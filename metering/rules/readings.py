"""How a meter reads events: what one version of it says, as a plain value."""

from dataclasses import dataclass

from metering.rules.filters import Filter

UNIQUE = frozenset({"unique_count", "prorated_unique_count"})
WEIGHED = frozenset({"time_weighted_sum", "prorated_sum", "prorated_unique_count"})
DIVIDING = WEIGHED | {"average"}
MAY_RECUR = frozenset({"sum", "unique_count"}) | WEIGHED
MUST_RECUR = frozenset({"prorated_sum", "prorated_unique_count"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Which events count, which of their properties are read, and what is made of the values.

    A recurring meter counts every event there ever was before the end of its window, because a level lasts until it
    changes; any other counts the events of the window.
    """

    aggregation: str
    value_property: str = ""
    operation_property: str = ""
    is_recurring: bool = False
    filters: tuple[Filter, ...] = ()
    group_by: tuple[str, ...] = ()
    negative_total: str = "negative"
    tie_break: str = "last_received"
    decimals: int = 18
    rounding: str = "half_up"

    @property
    def reads_numbers(self) -> bool:
        """A unique count takes any value, a count none."""
        return bool(self.value_property) and self.aggregation not in UNIQUE

    @property
    def has_parts(self) -> bool:
        """The quantity is made event by event, so it can be split among them."""
        return not self.is_recurring and not self.operation_property and self.aggregation not in DIVIDING
