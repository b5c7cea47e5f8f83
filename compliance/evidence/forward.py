"""The way forward: each step between the events and the amount of a line, done again and compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum

from compliance.evidence import events
from compliance.evidence.agreed import Agreed, as_agreed, check_agreed
from compliance.evidence.known import Agreements
from compliance.evidence.rules import proof
from compliance.evidence.rules.proof import Check
from core import money, rounding
from core.periods import Period
from invoicing.cycle.models import CreditLine, Invoice, InvoiceLine
from invoicing.cycle.rules import corrections
from invoicing.pricing.models import FeeProgram, FeeProgramVersion, PriceVersion, ProposalStatus
from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.timeline import Dated, Stretch
from invoicing.rating import rate, together
from invoicing.rating.models import RatedLine
from invoicing.rating.rate import Recomputed
from invoicing.rating.rules import allocation
from invoicing.rating.rules.proration import Share
from metering import queries as metering_queries
from metering.models import AggregationSnapshot
from metering.rules import aggregation
from metering.rules.aggregation import Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What final invoices had billed of a window before a line: an adjustment, or one that takes interim lines off.

    `credited` is what credit notes had given back of it by then; below 0 for what was charged.
    """

    lines: tuple[InvoiceLine, ...]
    quantity: Decimal
    amount: Decimal
    credited: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Versions of a charge's price, and of the fee program that it follows, in order of time; what was kept of them."""

    versions: list[PriceVersion]
    figures: list[FeeProgramVersion]
    kept: list[Stretch]


def count_each(snapshot: AggregationSnapshot) -> list[Check]:
    """Look at every event, and measure them by the rule itself."""
    observations, fingerprints, intact = [], [], 0
    for event in events.walk_events(snapshot):
        row = event.row
        intact += event.is_as_captured
        fingerprints.append(row.fingerprint)
        observations.append(
            Observation(
                occurred_at=row.occurred_at,
                received_at=row.received_at,
                event_id=row.event_id,
                source=row.source,
                value=row.value,
                operation=row.operation,
            )
        )
    reading = snapshot.meter_version.as_reading()
    again = aggregation.measure(observations, reading=reading, span=snapshot.window.span)
    return [
        proof.compare("events counted", claimed=snapshot.event_count, found=again.event_count),
        proof.compare("events stored as they were captured", claimed=again.event_count, found=intact),
        proof.compare("digest of the events", claimed=snapshot.digest, found=aggregation.digest(fingerprints)),
        proof.compare("events without a usable value", claimed=snapshot.unmeasured_count, found=again.unmeasured_count),
        proof.compare("quantity measured", claimed=snapshot.quantity, found=again.quantity),
    ]


def recount(snapshot: AggregationSnapshot) -> list[Check]:
    """Where events are too many to be looked at one by one, count them by the statements of the reconciliation."""
    again = metering_queries.recount([snapshot])[snapshot.pk]
    return [
        proof.compare("events counted", claimed=snapshot.event_count, found=again.event_count),
        proof.compare("digest of the events", claimed=snapshot.digest, found=again.digest),
        proof.compare("quantity measured", claimed=snapshot.quantity, found=again.quantity),
    ]


def prices_of_that_time(line: InvoiceLine, *, agreements: Agreements) -> Prices:
    """What there was to choose from when the window was first rated, as its draft knew it."""
    first = line.adjusts or line
    rated = first.rated_line
    known = {"status": ProposalStatus.APPROVED, "decided_at__lte": rated.rated_at}
    versions = PriceVersion.objects.filter(charge=rated.charge_id, **known)
    figures = FeeProgramVersion.objects.none()
    if rated.fee_version is not None:
        figures = FeeProgramVersion.objects.filter(program=rated.fee_version.program_id, **known)
    draft = agreements.draft_of(first.invoice_id)
    kept = agreements.kept_known(rated.subscription_id, draft=draft, at=rated.rated_at)
    return Prices(
        versions=list(versions.order_by("effective_at", "version")),
        figures=list(figures.order_by("effective_at", "version")),
        kept=kept.get(rated.charge.plan_id, []),
    )


def check_price(
    rated: RatedLine,
    *,
    prices: Prices,
    agreed: Agreed,
    is_split: bool = True,
) -> list[Check]:
    """The one price in force over the whole segment, what was agreed of it, and what it makes of the quantity.

    Without `is_split` a price that asks for parts of its usage is not applied again, for that reads every event.
    """
    in_force = _in_force(rated, prices)
    if _holds_for_its_period(rated):
        in_force = in_force[:1]
    version = rated.price_version
    in_time = [
        proof.compare("price in force", claimed=_price_name(version), found=" and ".join(map(_price_name, in_force))),
        proof.compare("in force since", claimed=str(rated.effective_at), found=str(version.effective_at)),
        *_check_figures(rated, known=prices.figures),
        *check_agreed(rated, agreed),
    ]
    if rated.part_count is not None and not is_split:
        return [*in_time, *_check_steps(rated)]
    again = rate.recompute(as_agreed(rated, agreed))
    return [
        *in_time,
        proof.compare(
            "computation",
            claimed=tell_steps(rated.computation, share=_times_share(rate.share_of(rated))),
            found=tell_steps(again.as_json(), share=_times_share(agreed.share)),
        ),
        *_check_parts(rated, again=again),
        proof.compare("amount before its rounding", claimed=rated.amount_exact, found=again.amount_exact),
        proof.compare("amount", claimed=rated.amount, found=again.amount),
    ]


def _check_steps(rated: RatedLine) -> list[Check]:
    """What the stored steps add up to, and its one rounding."""
    with rounding.exactly():
        total = sum((Decimal(step["amount"]) for step in rated.computation), Decimal(0))
    amount = money.round_amount(total, currency=rated.currency)
    return [
        proof.compare("amount before its rounding, from its stored steps", claimed=rated.amount_exact, found=total),
        proof.compare("amount", claimed=rated.amount, found=amount),
    ]


def _holds_for_its_period(rated: RatedLine) -> bool:
    """A program that changes only with a period is agreed for all of it."""
    figures = rated.fee_version
    return figures is not None and figures.program.takes_effect == FeeProgram.TakesEffect.NEXT_PERIOD


def _check_figures(rated: RatedLine, *, known: Sequence[FeeProgramVersion]) -> list[Check]:
    """Where the price follows a fee program: its version in force over the whole segment."""
    claimed = rated.fee_version
    if claimed is None:
        return []
    found = [version for version in known if version.effective_at <= rated.segment_start][-1:]
    if not _holds_for_its_period(rated):
        found += [version for version in known if rated.segment_start < version.effective_at < rated.segment_end]
    names = " and ".join(f"version {version.version}" for version in found)
    return [proof.compare("fee table in force", claimed=f"version {claimed.version}", found=names)]


def _check_parts(rated: RatedLine, *, again: Recomputed) -> list[Check]:
    """Where the price looks closer than at the quantity: the parts that it was given, split again from the events."""
    if rated.part_count is None and again.parts is None:
        return []
    count, digest = again.mark
    return [
        proof.compare("parts of the usage", claimed=str(rated.part_count), found=str(count)),
        proof.compare("digest of the parts", claimed=rated.parts_digest, found=digest),
    ]


def _in_force(rated: RatedLine, prices: Prices) -> list[PriceVersion]:
    """Those that hold in some of the segment, where the subscription kept older prices as well."""
    by_id = {price.pk: price for price in prices.versions}
    laid_out = timeline.in_force([Dated(price.pk, price.effective_at, price.version) for price in prices.versions])
    for kept in prices.kept:
        assert kept.end is not None  # noqa: S101  prices are kept until an instant
        laid_out = timeline.keep(laid_out, since=kept.start, until=kept.end)
    return [by_id[key] for key, _ in timeline.cut(Period(rated.segment_start, rated.segment_end), laid_out)]


def _times_share(share: Share) -> str:
    return "" if share.part == share.whole else f" × {share.part}/{share.whole}"


def _price_name(price: PriceVersion) -> str:
    return f"version {price.version}"


def tell_steps(steps: list[dict[str, Any]], *, share: str = "") -> str:
    """1000 × 0.01 + 0 = 10; 500 × 0.008 + 0 = 4; with the share of a prorated fee: 1 × 100 × 1/4 + 0 = 25."""
    return "; ".join(
        f"{step['quantity']} × {step['unit_price']}{share} + {step['flat_fee']} = {step['amount']}" for step in steps
    )


def billed_before(line: InvoiceLine) -> Billed | None:
    """What final invoices said of this usage before; None where nothing did.

    Adjustments follow one another, so the earlier have lower ids; with the line that they correct, all that it rated is
    billed, for what it took off was billed by interim lines.
    """
    if line.adjusts_id is None:
        taken_off = InvoiceLine.objects.filter(deducted_by__line=line).select_related("invoice").order_by("pk")
        return _billed(tuple(taken_off)) if taken_off else None
    before = InvoiceLine.objects.filter(
        Q(pk=line.adjusts_id) | Q(adjusts=line.adjusts_id), pk__lt=line.pk, invoice__status=Invoice.Status.FINAL
    )
    lines = tuple(before.select_related("invoice", "rated_line").order_by("pk"))
    return _billed(lines, whole=line.adjusts_id, credited=credited_before(line))


def _billed(lines: tuple[InvoiceLine, ...], *, whole: int | None = None, credited: Decimal = Decimal(0)) -> Billed:
    with rounding.exactly():
        figures = [one.rated_line if one.pk == whole else one for one in lines]
        quantity = sum((one.quantity for one in figures), Decimal(0))
        amount = sum((one.amount for one in figures), Decimal(0))
    return Billed(lines=lines, quantity=quantity, amount=amount, credited=credited)


def credited_before(line: InvoiceLine) -> Decimal:
    """What issued credit notes had given back of the corrected line when this one was drafted."""
    if line.adjusts_id is None:
        return Decimal(0)
    given = CreditLine.objects.filter(
        credits=line.adjusts_id,
        invoice__status=Invoice.Status.FINAL,
        invoice__finalized_at__lte=line.invoice.drafted_at,
    )
    return given.aggregate(given=Sum("amount"))["given"] or Decimal(0)


def _check_rounding(line: InvoiceLine) -> list[Check]:
    """Where the lines of the invoice are rounded together: this one's part, by the exact amounts of them all."""
    if line.rated_line.rounding_level != together.TOGETHER:
        return []
    others = InvoiceLine.objects.filter(
        invoice=line.invoice_id, adjusts=None, rated_line__rounding_level=together.TOGETHER
    ).order_by("position")
    exact = dict(others.values_list("pk", "rated_line__amount_exact"))
    scale = money.currency_exponent(line.invoice.currency)
    rounded = dict(zip(exact, allocation.round_together(list(exact.values()), scale=scale), strict=True))
    return [proof.compare("amount rounded together", claimed=line.rated_line.amount, found=rounded[line.pk])]


def check_line(line: InvoiceLine, *, billed: Billed | None) -> list[Check]:
    """What stands on the invoice: the rated line itself, or the whole window less what was billed before."""
    rated = line.rated_line
    if billed is None:
        return [
            *_check_rounding(line),
            proof.compare("quantity on the invoice", claimed=line.quantity, found=rated.quantity),
            proof.compare("amount on the invoice", claimed=line.amount, found=rated.amount),
        ]
    with rounding.exactly():
        quantity = rated.quantity - billed.quantity
        amount = corrections.due_difference(rated=rated.amount, billed=billed.amount, credited=billed.credited)
    return [
        *_check_window(line),
        proof.compare("quantity less what was billed before", claimed=line.quantity, found=quantity),
        proof.compare("amount less what was billed before", claimed=line.amount, found=amount),
    ]


def _check_window(line: InvoiceLine) -> list[Check]:
    """An adjustment counts the very window again that it corrects."""
    if line.adjusts is None:
        return []
    counted, first = line.rated_line.snapshot, line.adjusts.rated_line.snapshot_id
    if counted is None and first is None:
        return []
    again = None if counted is None else counted.corrects_id
    return [proof.compare("window counted again", claimed=str(first), found=str(again))]
