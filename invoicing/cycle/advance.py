"""Fees in advance: billed with the period before theirs, and rated anew where they turn out not to be used to the end.

An advance line answers for its whole segment: what of it is used is what it charges in the end, so nothing else ever
bills that price for that time.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q

from core.periods import Period
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.cycle.rules import coverage
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing import segments as pricing_segments
from invoicing.pricing.models import PriceVersion, SubscriptionPhase
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import timeline
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import rate
from invoicing.rating.models import RatedLine
from invoicing.rating.rules.proration import Share

Billed = dict[tuple[int, int], list[Period]]


@dataclass(frozen=True, slots=True)
class Unused:
    """An issued line of a fee in advance, and the share of its period that it is due for after all."""

    line: InvoiceLine
    share: Share


@dataclass(frozen=True, slots=True)
class Earlier:
    """A line that billed a fee before its period began, and what final lines charge of it by now."""

    line: InvoiceLine
    rated: RatedLine


def segments_to_bill(due: Sequence[DuePeriod]) -> list[tuple[DuePeriod, PriceSegment]]:
    """What each period bills, in order: its own segments, then the fees in advance of the next one.

    A fee in advance that a live invoice bills already is left out. So the first period of a subscription bills its own
    and the next; whatever else was not billed before it began is caught up with its own period.
    """
    in_advance = _prices_in_advance()
    following = _following(due, in_advance=in_advance)
    segments: dict[DuePeriod, list[PriceSegment]] = defaultdict(list)
    for segment in pricing_segments.price_segments(list(dict.fromkeys([*due, *following.values()]))):
        segments[DuePeriod(segment.subscription_id, segment.customer_id, segment.period)].append(segment)
    billed = _billed(due, in_advance=in_advance)
    found = []
    for each in due:
        upcoming = segments[following[each]] if each in following else []
        fees = [segment for segment in upcoming if segment.price_version_id in in_advance]
        for segment in [*segments[each], *fees]:
            if segment.price_version_id in in_advance:
                found += [(each, part) for part in _not_billed_yet(segment, billed)]
            else:
                found.append((each, segment))
    return found


def _not_billed_yet(segment: PriceSegment, billed: Billed) -> list[PriceSegment]:
    """The parts of a fee's segment that no line bills; from now on they are billed."""
    lines = billed[segment.subscription_id, segment.price_version_id]
    parts = coverage.uncovered(Period(segment.start, segment.end), closed=lines)
    lines += parts
    return [replace(segment, start=part.start, end=part.end) for part in parts]


def _prices_in_advance() -> frozenset[int]:
    fees = PriceVersion.objects.filter(model=PriceVersion.ModelName.FLAT, params__billed="in_advance")
    return frozenset(fees.values_list("pk", flat=True))


def _following(due: Sequence[DuePeriod], *, in_advance: frozenset[int]) -> dict[DuePeriod, DuePeriod]:
    """The period after each, as far as the subscription goes; only of those that ever pay in advance."""
    if not in_advance:
        return {}
    ids = {each.subscription_id for each in due}
    phases = SubscriptionPhase.objects.filter(
        subscription__in=ids, plan__in=PriceVersion.objects.filter(pk__in=in_advance).values("charge__plan")
    )
    terms = pricing_queries.terms_by_subscription(sorted(set(phases.values_list("subscription_id", flat=True))))
    following = {}
    for each in due:
        if each.subscription_id in terms:
            after = _period_from(terms[each.subscription_id], start=each.period.end)
            if after is not None:
                following[each] = replace(each, period=after)
    return following


def _period_from(terms: timeline.Terms, *, start: datetime) -> Period | None:
    """The rest of the billing period around `start`, from there on; None where the subscription is over by then."""
    end = timeline.whole_period(terms, instant=start).end
    if terms.ends_at is not None:
        end = min(end, terms.ends_at)
    return Period(start, end) if start < end else None


def _billed(due: Sequence[DuePeriod], *, in_advance: frozenset[int]) -> Billed:
    """What live lines bill of each subscription and price; asked only where there is any in advance."""
    billed: Billed = defaultdict(list)
    if not in_advance:
        return billed
    lines = InvoiceLine.objects.filter(
        adjusts=None,
        rated_line__price_version__in=in_advance,
        rated_line__subscription__in={each.subscription_id for each in due},
        segment_end__gt=min((each.period.start for each in due), default=None),
    ).exclude(invoice__status=Invoice.Status.DISCARDED)
    for subscription_id, price_version_id, start, end in lines.values_list(
        "rated_line__subscription", "rated_line__price_version", "segment_start", "segment_end"
    ):
        billed[subscription_id, price_version_id].append(Period(start, end))
    return billed


def find_unused(lines: Iterable[InvoiceLine]) -> list[Unused]:
    """Of these issued advance lines those that are due for another share than final lines have charged of them."""
    lines = list(lines)
    used = _used_shares(lines)
    charged = charged_by_now(line.pk for line in lines)
    return [
        Unused(line, used[line.pk])
        for line in lines
        if used[line.pk] != rate.share_of(charged.get(line.pk, line.rated_line))
    ]


def billed_earlier(due: Sequence[DuePeriod]) -> dict[DuePeriod, list[Earlier]]:
    """The live lines of fees in advance that were billed before their period began, by that period."""
    in_advance = _prices_in_advance() if due else frozenset()
    if not in_advance:
        return {}
    lines = (
        InvoiceLine.objects.filter(
            adjusts=None,
            rated_line__price_version__in=in_advance,
            rated_line__subscription__in={each.subscription_id for each in due},
            segment_end__gt=min(each.period.start for each in due),
        )
        .exclude(invoice__status=Invoice.Status.DISCARDED)
        .select_related("rated_line__charge")
        .order_by("pk")
    )
    by_subscription: dict[int, list[Earlier]] = defaultdict(list)
    charged = charged_by_now([line.pk for line in lines])
    for line in lines:
        earlier = Earlier(line, charged.get(line.pk, line.rated_line))
        by_subscription[line.rated_line.subscription_id].append(earlier)
    return {
        each: [
            earlier
            for earlier in by_subscription[each.subscription_id]
            if each.period.contains(earlier.line.segment_start)
        ]
        for each in due
    }


def charged_by_now(line_ids: Iterable[int]) -> dict[int, RatedLine]:
    """By original line: its rating on the last final invoice that corrects it; absent for lines without one."""
    adjustments = InvoiceLine.objects.filter(adjusts__in=list(line_ids), invoice__status=Invoice.Status.FINAL)
    return {
        line.adjusts_id: line.rated_line
        for line in adjustments.select_related("rated_line").order_by("pk")
        if line.adjusts_id is not None
    }


def candidates(*, customer_ids: Sequence[int]) -> Q | None:
    """Which lines to look at closer: fees in advance in whose time something changed; None where there are none."""
    in_advance = _prices_in_advance()
    if not in_advance:
        return None
    rated = "rated_line__"
    changed = SubscriptionPhase.objects.filter(
        Q(starts_at__gt=OuterRef("segment_start"), starts_at__lt=OuterRef("segment_end"))
        | Q(ends_at__gte=OuterRef("segment_start"), ends_at__lt=OuterRef("segment_end")),
        subscription=OuterRef(f"{rated}subscription"),
    )
    repriced = PriceVersion.objects.filter(
        charge=OuterRef(f"{rated}charge"),
        effective_at__gte=OuterRef("segment_start"),
        effective_at__lt=OuterRef("segment_end"),
    ).exclude(pk=OuterRef(f"{rated}price_version"))
    # A part of a period may reach up to an end that has moved since, whose day was counted as the last one.
    outlived = Q(rated_line__subscription__ends_at=None) | Q(rated_line__subscription__ends_at__gt=F("segment_end"))
    by_days = ~Q(rated_line__share_unit="second") & Q(rated_line__share_part__lt=F("rated_line__share_whole"))
    adjusted = InvoiceLine.objects.filter(adjusts=OuterRef("pk"))
    return Q(invoice__customer__in=customer_ids, rated_line__price_version__in=in_advance) & (
        Q(Exists(changed)) | Q(Exists(repriced)) | Q(Exists(adjusted)) | (by_days & outlived)
    )


def _used_shares(lines: Sequence[InvoiceLine]) -> dict[int, Share]:
    """By line: the stretches of its time in which its price is the one in force, as a share of the whole period."""
    due = _time_of(lines)
    used: dict[tuple[DuePeriod, int], list[PriceSegment]] = defaultdict(list)
    for segment in pricing_segments.price_segments(sorted(set(due.values()), key=lambda each: each.subscription_id)):
        key = DuePeriod(segment.subscription_id, segment.customer_id, segment.period), segment.price_version_id
        used[key].append(segment)
    return {
        line.pk: _share_used(
            line.rated_line, used[due[line.pk], line.rated_line.price_version_id] if line.pk in due else ()
        )
        for line in lines
    }


def _share_used(rated: RatedLine, used: Sequence[PriceSegment]) -> Share:
    """By the terms that the line was billed by, whatever those of its plan say by now."""
    counted = [
        replace(each, proration_unit=rated.share_unit, proration_zone=rated.plan_version.proration_zone or each.zone)
        for each in used
    ]
    return replace(rate.share_of(rated), part=sum(rate.share_of_segment(each).part for each in counted))


def _time_of(lines: Sequence[InvoiceLine]) -> dict[int, DuePeriod]:
    """The time of each line, as far as the subscription goes; none where it was over before."""
    found = {}
    for line in lines:
        subscription = line.rated_line.subscription
        end = line.segment_end if subscription.ends_at is None else min(line.segment_end, subscription.ends_at)
        if line.segment_start < end:
            period = Period(line.segment_start, end)
            found[line.pk] = DuePeriod(subscription.pk, subscription.customer_id, period)
    return found
