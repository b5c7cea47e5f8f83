"""Whether what a version of a meter says can be measured, and what changes between two of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from metering.rules import filters
from metering.rules.filters import FilterError
from metering.rules.readings import MUST_RECUR
from metering.rules.reasons import Reason, pointer_to, reason

GROUPS_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterContent:
    """The content of one version, as it was written by a person."""

    definition: str
    exclusions: str = ""
    aggregation: str
    value_property: str = ""
    operation_property: str = ""
    is_recurring: bool = False
    filters: list[Any] = field(default_factory=list)
    group_by: list[str] = field(default_factory=list)
    negative_total: str = "negative"
    tie_break: str = "last_received"
    decimals: int = 18
    rounding: str = "half_up"

    def columns(self) -> dict[str, Any]:
        """The content as its row holds it; a level by the day always lasts into the next period."""
        return asdict(self) | {"is_recurring": self.is_recurring or self.aggregation in MUST_RECUR}


CONTENT = tuple(part.name for part in fields(MeterContent))


class Promise(NamedTuple):
    """What events of the contract are known to hold: properties that billing requires, and all that are declared."""

    required: Collection[str]
    declared: Collection[str]


def find_flaws(content: MeterContent, *, promise: Promise | None) -> list[Reason]:
    """Give every reason why this cannot be measured; without a promise no event was accepted yet."""
    declared = None if promise is None else sorted(promise.declared)
    flaws = [*_find_filter_flaws(content, declared), *_find_group_flaws(content.group_by, declared)]
    if promise is not None:
        flaws += _find_unpromised(content, promise)
    return flaws


def _find_filter_flaws(content: MeterContent, declared: Sequence[str] | None) -> list[Reason]:
    try:
        filters.parse_filters(content.filters, declared=declared)
    except FilterError as error:
        return error.flaws
    return []


def _find_group_flaws(names: Any, declared: Sequence[str] | None) -> Iterator[Reason]:
    if not isinstance(names, list) or len(names) > GROUPS_MAX:
        yield reason("group_unusable", f"Write a list of at most {GROUPS_MAX} properties.", pointer="/group_by")
        return
    for index, name in enumerate(names):
        flaw = filters.find_name_flaw(name, declared=declared)
        if flaw is None and name in names[:index]:
            flaw = f"{name!a} stands twice."
        if flaw is not None:
            yield reason("group_unusable", flaw, pointer=pointer_to(["group_by", index]))


def _find_unpromised(content: MeterContent, promise: Promise) -> Iterator[Reason]:
    promised = ", ".join(promise.required) or "nothing"
    for place in ("value_property", "operation_property"):
        name = getattr(content, place)
        if name and name not in promise.required:
            detail = (
                f"The contract requires {promised} for billing, and a meter may read only that. Put a version in force "
                f"first whose billing_fields name {name!a}."
            )
            yield reason("value_not_promised", detail, pointer=f"/{place}")


class Change(NamedTuple):
    """One thing that two versions say differently."""

    name: str
    before: Any
    after: Any


def find_changes(before: MeterContent, after: MeterContent) -> list[Change]:
    """Give what differs, in the order of the content."""
    old, new = before.columns(), after.columns()
    return [Change(name, old[name], new[name]) for name in CONTENT if old[name] != new[name]]
