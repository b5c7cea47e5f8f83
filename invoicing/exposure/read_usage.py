"""The usage of priced segments: from sums, and from events only where sums cannot tell and there are few of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from invoicing.cycle import assemble
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import breakdowns, fee_prices, rate
from invoicing.rating.breakdowns import Asked
from invoicing.rating.rules import fee_usage
from invoicing.rating.rules.fee_usage import PricedProgram
from invoicing.rating.rules.usage import Breakdown, Part, Usage
from metering import aggregate, sums
from metering.rules.parts import FreePart, PartsBy, Split, UsagePart
from metering.sums import Summed, SumWindow

EVENTS_COUNTED_MAX = 20_000  # a window with more is counted once in an hour: no look may cost more than this
COUNTED_ANEW_AFTER = timedelta(hours=1)
FEE = Usage(Decimal(1))

Key = tuple[int, int, int, datetime, datetime]  # subscription, charge, price version, start, end


class ReadFrom(StrEnum):
    """What the usage of a line was read from."""

    AGREEMENT = "agreement"
    SUMS = "sums"
    EVENTS = "events"
    EARLIER_COUNT = "earlier_count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What an earlier look made of a segment that sums cannot tell."""

    quantity: Decimal
    events: int
    amount: Decimal
    counted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The usage of one segment; `before` stands in its place where it was counted recently and is long."""

    usage: Usage
    events: int
    read_from: ReadFrom
    counted_at: datetime | None = None
    before: Before | None = None
    is_behind: bool = False
    seq: int | None = None

    @property
    def counted_anew_at(self) -> datetime | None:
        """When what an earlier count made is to be counted again; None where it is fresh."""
        return None if self.before is None else self.before.counted_at + COUNTED_ANEW_AFTER


def key_of(segment: PriceSegment) -> Key:
    """What tells a segment from every other one, now and at the next look."""
    return segment.subscription_id, segment.charge_id, segment.price_version_id, segment.start, segment.end


def read_segments(segments: Sequence[PriceSegment], *, before: Mapping[Key, Before], at: datetime) -> list[Read]:
    """Read each segment in its order. It may wait for captures in flight, so call it outside a transaction."""
    asked = rate.breakdowns_of(segments)
    metered = [place for place, segment in enumerate(segments) if segment.meter_id is not None]
    windows = [_window(segments[place], asked[place]) for place in metered]
    summed = dict(zip(metered, sums.sum_windows(windows), strict=True))
    reads: dict[int, Read] = {}
    to_count: list[int] = []
    for place, segment in enumerate(segments):
        if segment.meter_id is None:
            reads[place] = Read(usage=FEE, events=0, read_from=ReadFrom.AGREEMENT)
        elif (found := summed[place]) is not None:
            reads[place] = _from_sums(found, asked[place])
        elif (kept := before.get(key_of(segment))) is not None and _is_kept(kept, at=at):
            reads[place] = Read(
                usage=Usage(kept.quantity),
                events=kept.events,
                read_from=ReadFrom.EARLIER_COUNT,
                counted_at=kept.counted_at,
                before=kept,
            )
        else:
            to_count.append(place)
    reads |= _count([(place, segments[place], asked[place]) for place in to_count], at=at)
    return [reads[place] for place in range(len(segments))]


def read_parts(segments: Sequence[PriceSegment], programs: Sequence[PricedProgram]) -> list[tuple[Part, ...]]:
    """What was sent under fee programs, from sums; nothing for a segment whose sums are not there yet."""
    windows = [
        _window(segment, fee_usage.breakdown(program)) for segment, program in zip(segments, programs, strict=True)
    ]
    return [() if found is None else tuple(map(breakdowns.part_of, found.parts)) for found in sums.sum_windows(windows)]


def are_caught_up(segments: Sequence[PriceSegment]) -> list[bool]:
    """Whether the sums of these fee programs hold everything by now, in the order of the segments."""
    windows = [
        _window(segment, fee_usage.breakdown(program))
        for segment, program in zip(segments, fee_prices.programs_of(segments), strict=True)
    ]
    return [found is not None and not found.is_behind for found in sums.sum_windows(windows)]


def _window(segment: PriceSegment, breakdown: Breakdown | None) -> SumWindow:
    if breakdown is not None and breakdown.in_any_order:
        return SumWindow(assemble.usage_window(segment), Split(by=PartsBy.VALUE))
    if breakdown is not None and breakdown.has_free_part:
        free = FreePart(events=breakdown.free_events, amount=breakdown.free_amount, by_value=breakdown.free_by_value)
        return SumWindow(assemble.usage_window(segment), Split(by=PartsBy.AFTER_FREE, free=free))
    split = None if breakdown is None else breakdowns.split_of(breakdown, zone=segment.zone)
    return SumWindow(assemble.usage_window(segment), split)


def _part_of(part: UsagePart, breakdown: Breakdown | None) -> Part:
    """A part as a price takes it; of a value that several events have, one event and how often it occurs."""
    if breakdown is not None and breakdown.in_any_order:
        return Part(part.quantity, times=part.events)
    return breakdowns.part_of(part)


def _from_sums(found: Summed, breakdown: Breakdown | None) -> Read:
    return Read(
        usage=Usage(found.quantity, tuple(_part_of(part, breakdown) for part in found.parts)),
        events=found.event_count,
        read_from=ReadFrom.SUMS,
        is_behind=found.is_behind,
        seq=found.seq,
    )


def _is_kept(kept: Before, *, at: datetime) -> bool:
    return kept.events > EVENTS_COUNTED_MAX and at - kept.counted_at < COUNTED_ANEW_AFTER


def _count(wanted: Sequence[tuple[int, PriceSegment, Breakdown | None]], *, at: datetime) -> dict[int, Read]:
    """Count what sums cannot tell: time that weighs, what is added and removed, events whose order matters."""
    if not wanted:
        return {}
    snapshots = aggregate.preview_snapshots([assemble.usage_window(segment) for _, segment, _ in wanted], at=at)
    asked = [
        Asked(snapshot, breakdown, segment.zone)
        for snapshot, (_, segment, breakdown) in zip(snapshots, wanted, strict=True)
    ]
    reads = {}
    for number, read in breakdowns.read_usages(asked):
        usage = read.usage if read.parts is None else Usage(read.usage.quantity, tuple(read.usage.parts))
        reads[wanted[number][0]] = Read(
            usage=usage,
            events=snapshots[number].event_count,
            read_from=ReadFrom.EVENTS,
            counted_at=at,
        )
    return reads
