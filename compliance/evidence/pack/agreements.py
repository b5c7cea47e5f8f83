"""What was agreed, as files of a pack: prices, fee tables, plans and terms, and the ratings made by them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from compliance.evidence import forward
from compliance.evidence.known import Agreements
from compliance.evidence.pack import subscriptions, wording
from compliance.evidence.pack.reach import Reach
from core.models import AuditEntry
from core.periods import Period
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing.models import (
    Charge,
    FeeProgramVersion,
    InvoiceTerm,
    PlanVersion,
    PriceVersion,
    ProposalStatus,
    TaxRate,
)
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules.params import PLAN_MODELS
from invoicing.rating.models import RatedLine

APPROVED = ProposalStatus.APPROVED


def prices_of(invoice: Invoice, reach: Reach) -> dict[str, Any]:
    """Every approved version of each price, plan and fee program that was used, not only the one in force."""
    ratings = list(reach.ratings.values())
    charges = Charge.objects.filter(pk__in={each.charge_id for each in ratings}).select_related("plan")
    programs = {each.fee_version.program for each in ratings if each.fee_version is not None}
    versions = PriceVersion.objects.filter(charge__in=charges, status=APPROVED).order_by("pk")
    tables = FeeProgramVersion.objects.filter(program__in=programs, status=APPROVED).order_by("pk")
    plans = {charge.plan_id for charge in charges}
    plan_versions = PlanVersion.objects.filter(plan__in=plans, status=APPROVED).order_by("pk")
    return {
        "charges": [
            {"id": each.pk, "code": each.code, "name": each.name, "plan": each.plan_id, "plan_code": each.plan.code}
            | {"meter": each.meter_id}
            for each in charges.order_by("pk")
        ],
        "price_versions": [
            {"charge": each.charge_id, "model": each.model, "params": each.params, **_proposal(each)}
            for each in versions
        ],
        "fee_programs": [
            {"id": each.pk, "code": each.code, "name": each.name, "takes_effect": each.takes_effect}
            for each in sorted(programs, key=lambda program: program.pk)
        ],
        "fee_versions": [
            {"program": each.program_id, "terms": each.terms, "source": each.source, **_proposal(each)}
            for each in tables
        ],
        "plan_versions": [
            {"plan": each.plan_id, "proration_unit": each.proration_unit, "proration_zone": each.proration_zone}
            | {"rounding_level": each.rounding_level}
            | _proposal(each)
            for each in plan_versions
        ],
        "subscriptions": subscriptions.subscriptions_of({each.subscription_id for each in ratings}, invoice=invoice),
        "invoice_terms": [_term(each) for each in _terms_of(invoice)],
        "tax_rates": [_tax_rate(each) for each in _tax_rates_of(invoice)],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What ratings are told with: what they rest on, and what was agreed about their subscriptions."""

    reach: Reach
    agreements: Agreements


def ratings_of(reach: Reach) -> list[dict[str, Any]]:
    """Each rating with the line that it stands on, and what its share of a period follows from."""
    ratings = list(reach.ratings.values())
    ids = sorted({each.subscription_id for each in ratings})
    ground = _Ground(reach=reach, agreements=Agreements(ids))
    ground.agreements.read_drafts(line.invoice_id for each in ratings if (line := _line_of(each)) is not None)
    return [_rating(each, _line_of(each), ground) for each in ratings]


def _line_of(rated: RatedLine) -> InvoiceLine | None:
    return getattr(rated, "invoice_line", None)


def _proposal(version: Any) -> dict[str, Any]:
    return {
        "id": version.pk,
        "version": version.version,
        "effective_at": wording.instant(version.effective_at),
        "created_by": version.created_by_id,
        "created_at": wording.instant(version.created_at),
        "decided_by": version.decided_by_id,
        "decided_at": wording.instant(version.decided_at),
    }


def _rating(rated: RatedLine, line: InvoiceLine | None, ground: _Ground) -> dict[str, Any]:
    first = line.adjusts.rated_line if line is not None and line.adjusts is not None else None
    return {
        "id": rated.pk,
        "line": None if line is None else _line(line, draft=ground.agreements.draft_of(line.invoice_id)),
        "first": None if first is None else first.pk,
        "charge": rated.charge_id,
        "subscription": rated.subscription_id,
        "price_version": rated.price_version_id,
        "fee_version": rated.fee_version_id,
        "plan_version": rated.plan_version_id,
        "snapshot": rated.snapshot_id,
        "segment": wording.span(rated.segment_start, rated.segment_end),
        "stretches": _stretches(rated, line, ground) if first is None else [],
        "effective_at": wording.instant(rated.effective_at),
        "quantity": wording.figure(rated.quantity),
        "share": {"part": rated.share_part, "whole": rated.share_whole, "unit": rated.share_unit},
        "computation": rated.computation,
        "part_count": rated.part_count,
        "parts_digest": rated.parts_digest,
        "grounds": ground.reach.grounds.get(rated.pk, []),
        "currency": rated.currency,
        "rounding_level": rated.rounding_level,
        "rounding": wording.figure(rated.rounding),
        "amount_exact": wording.figure(rated.amount_exact),
        "amount": wording.figure(rated.amount),
        "rated_at": wording.instant(rated.rated_at),
        "known_at": wording.instant(rated.rated_at if first is None else first.rated_at),
    }


def _line(line: InvoiceLine, *, draft: AuditEntry) -> dict[str, Any]:
    return {
        "id": line.pk,
        "invoice": line.invoice_id,
        "number": line.invoice.number,
        "status": line.invoice.status,
        "invoice_kind": line.invoice.kind,
        "drafted": draft.reference,
        "position": line.position,
        "description": line.description,
        "quantity": wording.figure(line.quantity),
        "amount": wording.figure(line.amount),
        "adjusts": line.adjusts_id,
        "deducts": sorted(line.deductions.values_list("billed_id", flat=True)),
        "credited": "0" if line.adjusts_id is None else wording.figure(forward.credited_before(line)),
    }


def _stretches(rated: RatedLine, line: InvoiceLine | None, ground: _Ground) -> list[dict[str, Any]]:
    """The times that a share is of, where they are not the line's own; as agreed when the invoice was drafted.

    For a line of a whole plan those for which that plan held; for one inside the period all that its price is for.
    """
    if line is None:
        return []
    is_plan, is_interim = rated.price_version.model in PLAN_MODELS, line.invoice.kind == Invoice.Kind.INTERIM
    if not is_plan and not is_interim:
        return []
    period = Period(line.invoice.cycle.period_start, line.invoice.cycle.period_end)
    due = DuePeriod(rated.subscription_id, rated.subscription.customer_id, period)
    draft = ground.agreements.draft_of(line.invoice_id)
    found = ground.agreements.segments_known(due, draft=draft, at=rated.rated_at)
    own = [each for each in found if each.charge_id == rated.charge_id]
    wanted = own if is_plan else [each for each in own if each.start == rated.segment_start]
    return [wording.span(each.start, each.end) for each in wanted]


def _terms_of(invoice: Invoice) -> list[InvoiceTerm]:
    """Those that the document applies, and where it is rounded those that say to what."""
    used = set(invoice.allowances_charges.values_list("term_id", flat=True))
    terms = list(InvoiceTerm.objects.filter(pk__in=used))
    if invoice.payable_rounding:
        own_lines = Q(invoice_line__invoice=invoice) | Q(invoice_line__credited_by__invoice=invoice)
        plans = set(RatedLine.objects.filter(own_lines).values_list("charge__plan", flat=True))
        roundings = InvoiceTerm.objects.filter(kind=InvoiceTerm.Kind.ROUNDING, status=APPROVED)
        own = roundings.filter(subscription=invoice.cycle.subscription_id)
        terms += [*own, *roundings.filter(plan__in=plans)]
    return sorted({term.pk: term for term in terms}.values(), key=lambda term: term.pk)


def _term(term: InvoiceTerm) -> dict[str, Any]:
    return {
        "code": term.code,
        "kind": term.kind,
        **wording.said("reason", term.reason),
        "percent": wording.figure(term.percent),
        "amount": wording.figure(term.amount),
        **_proposal(term),
    }


def _tax_rates_of(invoice: Invoice) -> list[TaxRate]:
    names = {(tax.name, tax.category, tax.percent) for tax in invoice.taxes.all()}
    rates = TaxRate.objects.filter(name__in={name for name, _, _ in names}).order_by("pk")
    return [rate for rate in rates if (rate.name, rate.category, rate.percent) in names]


def _tax_rate(rate: TaxRate) -> dict[str, Any]:
    return {
        "id": rate.pk,
        "code": rate.code,
        "name": rate.name,
        "category": rate.category,
        "percent": wording.figure(rate.percent),
        "effective_at": wording.instant(rate.effective_at),
    }
