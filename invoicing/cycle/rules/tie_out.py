"""Raw = aggregated = rated: each stage compared with the one before it, and the differences by name."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from core import money

RAW_AGGREGATED = "raw_not_aggregated"
AGGREGATED_RATED = "aggregated_not_rated"
AMOUNT = "amount_not_reproduced"
UNPRICED = "usage_without_price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What one stage says of the events of a window."""

    events: int
    quantity: Decimal
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Before and after its one rounding."""

    exact: Decimal
    rounded: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Into what a price that looks closer had the usage split; the same parts have the same digest."""

    count: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One line from its events to its amount; a flat fee has no snapshot and no recount, and most prices no parts."""

    label: str
    raw: Count | None
    aggregated: Count | None
    unmeasured_events: int
    rated_quantity: Decimal
    rated: Amount
    again: Amount
    rated_parts: Parts | None = None
    raw_parts: Parts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """Accepted usage of the period that no priced window covers."""

    label: str
    events: int
    facts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A named difference, with both sides in figures."""

    name: str
    detail: str
    facts: dict[str, str]
    chain: int | None = None  # by its place among those compared
    stray: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How the stages of one invoice compare."""

    raw_events: int
    aggregated_events: int
    rated_lines: int
    findings: tuple[Finding, ...]


def _unpriced(stray: Stray) -> str:
    if stray.events == 1:
        return f"1 event of {stray.label} falls where no price of the plan covers it."
    return f"{stray.events:,} events of {stray.label} fall where no price of the plan covers them."


def tie_out(*, chains: Iterable[Chain], strays: Iterable[Stray]) -> Result:
    """Compare the stages of one invoice."""
    chains, strays = tuple(chains), tuple(strays)
    findings = [replace(finding, chain=place) for place, chain in enumerate(chains) for finding in _compare(chain)]
    findings += [
        Finding(
            name=UNPRICED,
            detail=_unpriced(stray),
            facts={"events": str(stray.events), **stray.facts},
            stray=place,
        )
        for place, stray in enumerate(strays)
    ]
    return Result(
        raw_events=sum(chain.raw.events for chain in chains if chain.raw) + sum(stray.events for stray in strays),
        aggregated_events=sum(chain.aggregated.events for chain in chains if chain.aggregated),
        rated_lines=len(chains),
        findings=tuple(findings),
    )


def _compare(chain: Chain) -> Iterable[Finding]:
    if chain.aggregated is not None:
        if chain.raw != chain.aggregated:
            yield _raw_differs(chain, aggregated=chain.aggregated)
        if chain.rated_quantity != chain.aggregated.quantity:
            yield Finding(
                name=AGGREGATED_RATED,
                detail=f"{chain.label}: the snapshot says {money.plain(chain.aggregated.quantity)}, but "
                f"{money.plain(chain.rated_quantity)} was rated.",
                facts={
                    "aggregated_quantity": money.plain(chain.aggregated.quantity),
                    "rated_quantity": money.plain(chain.rated_quantity),
                },
            )
    if chain.rated_parts != chain.raw_parts:
        yield _parts_differ(chain)
    if chain.rated != chain.again:
        yield _amount_differs(chain)
    if chain.unmeasured_events:
        yield Finding(
            name=UNPRICED,
            detail=f"{chain.label}: {chain.unmeasured_events} events carry no value that this meter can read.",
            facts={"events": str(chain.unmeasured_events)},
        )


def _parts_differ(chain: Chain) -> Finding:
    nothing = Parts(count=0, digest="")
    rated, raw = chain.rated_parts or nothing, chain.raw_parts or nothing
    return Finding(
        name=AGGREGATED_RATED,
        detail=f"{chain.label}: rated in {rated.count} parts, the raw events give {raw.count}"
        + ("." if rated.count != raw.count else " that say something else."),
        facts={
            "rated_parts": str(rated.count),
            "raw_parts": str(raw.count),
            "rated_parts_digest": rated.digest,
            "raw_parts_digest": raw.digest,
        },
    )


def _amount_differs(chain: Chain) -> Finding:
    is_visible = chain.rated.rounded != chain.again.rounded
    rated, again = (
        money.plain(amount.rounded if is_visible else amount.exact) for amount in (chain.rated, chain.again)
    )
    return Finding(
        name=AMOUNT,
        detail=f"{chain.label}: rated {rated}, but its quantity and price give {again}.",
        facts={"rated": rated, "again": again},
    )


def _raw_differs(chain: Chain, *, aggregated: Count) -> Finding:
    raw = chain.raw or Count(events=0, quantity=Decimal(0), digest="")
    return Finding(
        name=RAW_AGGREGATED,
        detail=f"{chain.label}: the raw events count {raw.events} and measure {money.plain(raw.quantity)}, "
        f"the snapshot says {aggregated.events} and {money.plain(aggregated.quantity)}"
        + ("." if raw.events != aggregated.events or raw.quantity != aggregated.quantity else ", from other events."),
        facts={
            "raw_events": str(raw.events),
            "aggregated_events": str(aggregated.events),
            "raw_quantity": money.plain(raw.quantity),
            "aggregated_quantity": money.plain(aggregated.quantity),
            "raw_digest": raw.digest,
            "aggregated_digest": aggregated.digest,
        },
    )
