"""What of its period a line is for, worked out from what was agreed, and not from what was stored when it was rated."""

import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from compliance.evidence.known import Agreements
from compliance.evidence.rules import proof
from compliance.evidence.rules.proof import Check
from core.periods import Period
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing.models import PlanVersion, PriceVersion
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.params import PLAN_MODELS
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import rate
from invoicing.rating.models import RatedLine
from invoicing.rating.rules.proration import WHOLE, Share

NOTHING_AGREED = "nothing was agreed for it"
ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch that counts, with how much of the period it is, and the plan and the price that hold in it."""

    segment: PriceSegment
    share: Share
    terms: PlanVersion
    price: PriceVersion

    @property
    def start(self) -> datetime:
        return self.segment.start

    @property
    def end(self) -> datetime:
        return self.segment.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """The pieces of time that a line is for, and the share of its period that they come to.

    `used_of` is the time that was paid in advance, where the line says how much of it was used. `quantity` is the
    number that was agreed; None where usage is measured. `until` is how far an interim line bills.
    """

    pieces: tuple[Piece, ...]
    share: Share
    is_divided: bool
    quantity: Decimal | None
    used_of: Period | None
    until: datetime | None


def work_out(line: InvoiceLine, *, agreements: Agreements) -> Agreed:
    """What the agreements give, as the draft of the line knew them; for a correction, as that of the first line did.

    Only how much of a fee in advance was used follows from what was known when it was corrected.
    """
    rated, first = line.rated_line, line.adjusts or line
    is_divided = _is_divided(rated)
    found = _billed(first, agreements=agreements)
    quantity, share = _quantity(rated, found), _share(first.rated_line, found) if is_divided else WHOLE
    used_of = None
    if line.adjusts is not None and _is_fee(rated) and rated.price_version.model not in PLAN_MODELS:
        found, used_of = _used(line, found, agreements=agreements), Period(rated.segment_start, rated.segment_end)
        share = replace(share, part=sum(rate.share_of_segment(each).part for each in found))
    return Agreed(
        pieces=_pieces(found, agreements=agreements),
        share=share,
        is_divided=is_divided,
        quantity=quantity,
        used_of=used_of,
        until=line.invoice.period_end if line.invoice.kind == Invoice.Kind.INTERIM else None,
    )


def check_agreed(rated: RatedLine, agreed: Agreed) -> list[Check]:
    """The time under one plan and price, its terms, the number that was agreed, and the share of the period."""
    checks = _check_time(rated, agreed) if agreed.used_of is None else []
    if agreed.quantity is not None:
        checks.append(proof.compare("number agreed", claimed=rated.quantity, found=agreed.quantity))
    claimed = rate.share_of(rated)
    if agreed.is_divided or claimed != WHOLE:
        name = "share of its period" if agreed.used_of is None else "share of the paid time that was used"
        checks.append(proof.compare(name, claimed=claimed.counted, found=agreed.share.counted))
    return checks


def as_agreed(rated: RatedLine, agreed: Agreed) -> RatedLine:
    """The rated line, not to be stored, with the share and the number that were agreed in place of its own."""
    line = copy.copy(rated)
    line.share_part, line.share_whole, line.share_unit = agreed.share.part, agreed.share.whole, agreed.share.unit
    if agreed.quantity is not None:
        line.quantity = agreed.quantity
    return line


def _check_time(rated: RatedLine, agreed: Agreed) -> list[Check]:
    """A line of a whole plan names the last stretch for which that plan held; any other the one that it is for."""
    last = agreed.pieces[-1:]
    terms = {each.terms.version for each in last}
    times = [_times(each.start, min(each.end, agreed.until or each.end)) for each in last]
    return [
        proof.compare(
            "time under this plan and price",
            claimed=_times(rated.segment_start, rated.segment_end),
            found=" and ".join(times) or NOTHING_AGREED,
        ),
        proof.compare(
            "terms of the plan in force",
            claimed=f"version {rated.plan_version.version}",
            found=" and ".join(f"version {each}" for each in terms) or NOTHING_AGREED,
        ),
    ]


def _times(start: datetime, end: datetime) -> str:
    return f"{start.astimezone(UTC)} to {end.astimezone(UTC)}"


def _billed(first: InvoiceLine, *, agreements: Agreements) -> list[PriceSegment]:
    """The segments that the line was rated for; several only for a line of a whole plan."""
    rated, invoice = first.rated_line, first.invoice
    draft, period = agreements.draft_of(invoice.pk), _period_of(first, agreements=agreements)
    if period is None:
        return []
    due = DuePeriod(rated.subscription_id, invoice.customer_id, period)
    segments = agreements.segments_known(due, draft=draft, at=rated.rated_at)
    own = [each for each in segments if each.charge_id == rated.charge_id]
    if rated.price_version.model in PLAN_MODELS:
        return own
    around = [each for each in own if each.start <= rated.segment_start < each.end]
    if rated.price_version.params.get("billed") == "in_advance":
        # Billed for what of its time no other line bills: inside the segment the line is believed.
        return [replace(each, start=rated.segment_start, end=min(each.end, rated.segment_end)) for each in around]
    return around


def _period_of(first: InvoiceLine, *, agreements: Agreements) -> Period | None:
    """The billed period; for a fee in advance the next one, as far as the subscription was to go."""
    rated, cycle = first.rated_line, first.invoice.cycle
    start, end = cycle.period_start, cycle.period_end
    if rated.segment_start < end:
        return Period(start, end)
    terms = agreements.terms_known(rated.subscription_id, draft=agreements.draft_of(first.invoice_id))
    over = timeline.whole_period(terms, instant=end).end
    over = over if terms.ends_at is None else min(over, terms.ends_at)
    return Period(end, over) if end < over else None


def _used(line: InvoiceLine, billed: list[PriceSegment], *, agreements: Agreements) -> list[PriceSegment]:
    """The stretches of the paid time, as far as the subscription goes, in which plan and price hold.

    They are counted in the unit, and by the days of the zone, by which that time was billed.
    """
    rated, draft = line.rated_line, agreements.draft_of(line.invoice_id)
    ends_at = agreements.terms_known(rated.subscription_id, draft=draft).ends_at
    end = rated.segment_end if ends_at is None else min(rated.segment_end, ends_at)
    if end <= rated.segment_start:
        return []
    due = DuePeriod(rated.subscription_id, line.invoice.customer_id, Period(rated.segment_start, end))
    segments = agreements.segments_known(due, draft=draft, at=rated.rated_at)
    own = [each for each in segments if each.price_version_id == rated.price_version_id]
    return _counted_like(billed, own)


def _counted_like(billed: list[PriceSegment], found: list[PriceSegment]) -> list[PriceSegment]:
    """These stretches, prorated by the terms by which the others were."""
    if not billed:
        return found
    terms = billed[-1]
    return [replace(each, proration_unit=terms.proration_unit, proration_zone=terms.proration_zone) for each in found]


def _pieces(found: list[PriceSegment], *, agreements: Agreements) -> tuple[Piece, ...]:
    return tuple(
        Piece(segment=each, share=rate.share_of_segment(each), terms=terms, price=price)
        for each, (terms, price) in zip(found, agreements.versions_of(found), strict=True)
    )


def _share(rated: RatedLine, found: list[PriceSegment]) -> Share:
    """All their parts of the last one's period; nothing of it where nothing was agreed."""
    shares = [rate.share_of_segment(each) for each in found]
    if not shares:
        return replace(rate.share_of(rated), part=0)
    whole = shares[-1].whole
    return replace(shares[-1], part=sum(each.part for each in shares if each.whole == whole))


def _is_divided(rated: RatedLine) -> bool:
    """Fees are; usage only where its price includes or limits something by the period; programs never."""
    version = rated.price_version
    if version.model == PriceVersion.ModelName.FEE_PROGRAM:
        return False
    if _is_fee(rated):
        return True
    return price_params.follows_share(price_params.parse_params(model=version.model, params=version.params))


def _quantity(rated: RatedLine, found: list[PriceSegment]) -> Decimal | None:
    """The number that was agreed, such as of seats; of a whole plan one; None where usage is measured."""
    if not _is_fee(rated):
        return None
    if rated.price_version.model in PLAN_MODELS or not found:
        return ONE
    return found[-1].quantity


def _is_fee(rated: RatedLine) -> bool:
    return rated.charge.meter_id is None
