"""What the fee programs of running subscriptions will have cost by the end of their periods; nothing is stored."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from core.periods import Period
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing import segments as pricing_segments
from invoicing.pricing.models import Charge, FeeProgramVersion
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import timeline
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import breakdowns, fee_prices, rules
from invoicing.rating.breakdowns import Asked
from invoicing.rating.rate import UnratableError
from invoicing.rating.rules import fee_usage, fees, projection
from invoicing.rating.rules.fee_usage import PricedProgram
from invoicing.rating.rules.fees import Transaction
from invoicing.rating.rules.projection import Projected
from invoicing.rating.rules.usage import Part
from metering import aggregate
from metering.aggregate import UsageWindow

# What was sent in each of these segments, as parts alike in all that their program reads.
PartsReader = Callable[[Sequence[PriceSegment], Sequence[PricedProgram]], Sequence[tuple[Part, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeProjection:
    """One charge by a program in the running period of a subscription, with the version in force now."""

    subscription_id: int
    charge: Charge
    version: FeeProgramVersion
    period: Period
    currency: str
    projected: Projected


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was sent under one program in one segment."""

    segment: PriceSegment
    program: PricedProgram
    transactions: tuple[Transaction, ...]


def project_fees(
    subscription_ids: Sequence[int], *, at: datetime, reader: PartsReader | None = None
) -> list[FeeProjection]:
    """The fee so far and at the end of the period, of every charge by a program that runs now.

    Without a reader it counts events and waits for captures in flight, so call it outside a transaction. With one it
    takes the parts from there. The number of statements does not grow with the subscriptions. UnratableError names the
    subscriptions with something sent that has no fee.
    """
    running, before = _periods(subscription_ids, at=at)
    read = partial(_count_parts, at=at) if reader is None else reader
    failures: list[tuple[int, str]] = []
    sent = _read(running, reader=read, failures=failures)
    earlier: dict[tuple[int, int], dict[str, str]] = defaultdict(dict)
    for one in _read(before, reader=read, failures=failures):
        earlier[_key(one)] |= fees.active_accounts(one.transactions, terms=one.program.terms)
    wholes = {each.subscription_id: whole for each, whole in running.items()}
    groups: dict[tuple[int, int], list[_Sent]] = defaultdict(list)
    for one in sent:
        groups[_key(one)].append(one)
    charges = Charge.objects.select_related("plan").in_bulk({charge_id for _, charge_id in groups})
    versions = FeeProgramVersion.objects.select_related("program").in_bulk(
        {one.segment.fee_version_id for one in sent if one.segment.fee_version_id}
    )
    found = []
    for key, own in groups.items():
        whole = wholes[key[0]]
        try:
            found.append(
                _projection(own, charge=charges[key[1]], versions=versions, earlier=earlier[key], whole=whole, at=at)
            )
        except rules.UNPRICEABLE as error:
            failures.append((key[0], f"Fee program {own[-1].program.reads.program}: {error.message}"))
    if failures:
        raise UnratableError(failures)
    return found


def project_each(
    subscription_ids: Sequence[int], *, at: datetime, reader: PartsReader | None = None
) -> tuple[list[FeeProjection], dict[int, str]]:
    """The same for subscriptions of many customers, and by subscription why it has none: one hides no other."""
    left, failures = list(subscription_ids), dict[int, str]()
    while left:
        try:
            return project_fees(left, at=at, reader=reader), failures
        except UnratableError as error:
            failures |= error.reasons
            left = [pk for pk in left if pk not in error.reasons]
    return [], failures


def _projection(
    own: Sequence[_Sent],
    *,
    charge: Charge,
    versions: Mapping[int, FeeProgramVersion],
    earlier: Mapping[str, str],
    whole: Period,
    at: datetime,
) -> FeeProjection:
    """The segments of the period so far, each by its own figures, the last by those in force now."""
    last = own[-1]
    assert last.segment.fee_version_id is not None  # noqa: S101  only such segments were read
    return FeeProjection(
        subscription_id=last.segment.subscription_id,
        charge=charge,
        version=versions[last.segment.fee_version_id],
        period=whole,
        currency=last.program.currency,
        projected=projection.project_fee(
            batches=[(one.program.terms, one.transactions) for one in own],
            currency=last.program.currency,
            earlier_accounts=earlier,
            elapsed=Period(whole.start, at).microseconds,
            whole=whole.microseconds,
        ),
    )


def _key(one: _Sent) -> tuple[int, int]:
    return one.segment.subscription_id, one.segment.charge_id


def _periods(
    subscription_ids: Sequence[int], *, at: datetime
) -> tuple[dict[DuePeriod, Period], dict[DuePeriod, Period]]:
    """The running period of each subscription up to now, and the one before it; each with its whole."""
    customers = pricing_queries.customers_of(subscription_ids)
    running, before = {}, {}
    for subscription_id, terms in pricing_queries.terms_by_subscription(subscription_ids).items():
        whole = timeline.whole_period(terms, instant=at)
        start = max(whole.start, terms.starts_at)
        if start >= at or (terms.ends_at is not None and terms.ends_at <= at):
            continue
        customer_id = customers[subscription_id]
        end = whole.end if terms.ends_at is None else min(whole.end, terms.ends_at)
        running[DuePeriod(subscription_id, customer_id, Period(start, at))] = Period(start, end)
        if terms.starts_at < start:
            earlier = timeline.whole_period(terms, instant=start - timedelta(microseconds=1))
            span = Period(max(earlier.start, terms.starts_at), start)
            before[DuePeriod(subscription_id, customer_id, span)] = span
    return running, before


def _read(due: Iterable[DuePeriod], *, reader: PartsReader, failures: list[tuple[int, str]]) -> list[_Sent]:
    segments = [one for one in pricing_segments.price_segments(list(due)) if one.fee_version_id is not None]
    if not segments:
        return []
    programs = fee_prices.programs_of(segments)
    found = []
    for segment, program, parts in zip(segments, programs, reader(segments, programs), strict=True):
        try:
            sent = tuple(fee_usage.read_transaction(part, reads=program.reads) for part in parts)
        except rules.UNPRICEABLE as error:
            failures.append((segment.subscription_id, error.message))
        else:
            found.append(_Sent(segment, program, sent))
    return found


def _count_parts(
    segments: Sequence[PriceSegment], programs: Sequence[PricedProgram], *, at: datetime
) -> list[tuple[Part, ...]]:
    windows = [UsageWindow(one.customer_id, one.meter_id or 0, one.start, one.end) for one in segments]
    snapshots = aggregate.preview_snapshots(windows, at=at)
    asked = [
        Asked(snapshot, fee_usage.breakdown(program), segment.zone)
        for segment, snapshot, program in zip(segments, snapshots, programs, strict=True)
    ]
    found: dict[int, tuple[Part, ...]] = {
        place: tuple(read.usage.parts) for place, read in breakdowns.read_usages(asked)
    }
    return [found[place] for place in range(len(segments))]
