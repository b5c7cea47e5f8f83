"""Repair and draft again: after a repair at the source events, the affected windows are counted and rated afresh."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet

from accounts import roles
from accounts.models import Seller
from accounts.roles import Role
from core import knowing, personal_keys
from core.errors import DomainError
from core.periods import Period
from invoicing.cycle import (
    assemble,
    close_chunk,
    delta,
    discard,
    draft,
    due,
    move,
    pause,
    reconcile,
    undisturbed,
    unusual,
)
from invoicing.cycle.bills import Bill
from invoicing.cycle.models import Invoice
from invoicing.cycle.rules import reasons
from invoicing.pricing import segments
from invoicing.pricing.queries import DuePeriod
from metering import aggregate
from metering import queries as metering_queries
from metering import watermark as watermarks
from metering.models import AggregationSnapshot, Watermark


class NothingToRepairError(DomainError):
    """Events, counts and amounts are what the draft says, and it has no break."""

    code = "nothing_to_repair"


class RepairFailedError(DomainError):
    """The period cannot be drafted as things are; the draft before stays."""

    code = "repair_failed"


def repair_invoice(*, invoice_id: int, reason: str, actor: Any, at: datetime) -> Invoice:
    """Discard a draft and write a fresh one of the same period; call it outside a transaction.

    Windows in which nothing changed since they were counted keep their counts, under their old watermark. The others
    (late or corrected events, a recount that differs) are counted again; all of them, where prices agreed since then
    count for the period. A delta report says line by line what the fresh draft says otherwise. Who repaired a draft
    approves none of it.
    """
    roles.require_role(actor, Role.FINANCE, to="repair drafts")
    reason = reasons.clean_reason(reason)
    mark = watermarks.fix_watermark(at=at)
    with knowing.as_of(at), transaction.atomic():
        before = _lock(invoice_id)
        affected = find_affected(before, watermark=mark)
        is_repriced = is_priced_otherwise(before)
        if not affected and not is_repriced and not before.breaks.filter(closed_at=None).exists():
            raise NothingToRepairError(
                "Every window of this draft counts as it did, at the same prices, and it has no open break. Repair the"
                " events at their source first: amend, cancel, release, discard or import them."
            )
        kept = _live_snapshots(before).exclude(pk__in=[snapshot.pk for snapshot in affected])
        carried = [] if is_repriced else list(kept.filter(kind=AggregationSnapshot.Kind.CYCLE))
        discard.discard_invoice(invoice_id=before.pk, reason=reason, actor=actor, at=at)
        aggregate.carry_over(carried, at=at)
        fresh = _draft_again(before, watermark=mark, actor=actor, at=at)
        why = personal_keys.tell_about(before.customer, reason)
        delta.report_redraft(replaces=before, invoice=fresh, reason=why, actor=actor, at=at)
        return fresh


def is_priced_otherwise(invoice: Invoice) -> bool:
    """Whether other versions price the usage of its period now, approved since it was rated: late knowledge."""
    period = Period(invoice.period_start, invoice.period_end)
    due = DuePeriod(invoice.cycle.subscription_id, invoice.customer_id, period)
    now = {
        (each.charge_id, each.price_version_id, each.fee_version_id, each.start, each.end)
        for each in segments.price_segments([due])
        if each.meter_id is not None
    }
    own = invoice.lines.filter(adjusts=None, rated_line__snapshot__isnull=False)
    keys = ("charge", "price_version", "fee_version", "segment_start", "segment_end")
    return now != set(own.values_list(*(f"rated_line__{key}" for key in keys)))


def find_affected(invoice: Invoice, *, watermark: Watermark) -> list[AggregationSnapshot]:
    """Snapshots of the draft that a count at this watermark would take otherwise, or that no longer recount."""
    snapshots = list(_live_snapshots(invoice).filter(kind=AggregationSnapshot.Kind.CYCLE))
    late = {
        window.snapshot_id
        for window in metering_queries.late_windows(customer_ids=[invoice.customer_id], watermark=watermark)
    }
    again = metering_queries.recount(snapshots)
    return [one for one in snapshots if one.pk in late or not _recounts(one, again.get(one.pk))]


def _recounts(snapshot: AggregationSnapshot, again: metering_queries.Recount | None) -> bool:
    counted = (snapshot.event_count, snapshot.quantity, snapshot.digest)
    return again is not None and counted == (again.event_count, again.quantity, again.digest)


def _live_snapshots(invoice: Invoice) -> QuerySet[AggregationSnapshot]:
    of_lines = invoice.lines.filter(rated_line__snapshot__isnull=False).values("rated_line__snapshot")
    return AggregationSnapshot.objects.filter(pk__in=of_lines, retired_at=None).select_related("watermark")


def _lock(invoice_id: int) -> Invoice:
    """The customer before the invoice, as a close does."""
    customer_id = Invoice.objects.filter(pk=invoice_id).values_list("customer_id", flat=True).first()
    if customer_id is not None:
        close_chunk.lock_customers([customer_id])
        pause.lock_cycle(invoice_id=invoice_id)
    invoice = move.lock_invoice(invoice_id=invoice_id)
    move.require_move(invoice, to_status=Invoice.Status.DISCARDED)
    if invoice.kind != Invoice.Kind.CYCLE:
        raise RepairFailedError("Only the invoice of a period is drafted again; discard this one instead.")
    return invoice


def _draft_again(before: Invoice, *, watermark: Watermark, actor: AbstractBaseUser, at: datetime) -> Invoice:
    period = Period(before.period_start, before.period_end)
    wanted = DuePeriod(before.cycle.subscription_id, before.customer_id, period)
    open_now, cycles = due.recheck([wanted])
    bills, failures = assemble.open_bills(open_now, cycles=cycles, at=at)
    if failures:
        raise RepairFailedError(failures[0].reason)
    sheets = _write(bills, watermark=watermark, seller=before.seller, actor=actor, at=at)
    if not sheets:
        raise RepairFailedError("Nothing is left to bill in this period: discard the draft instead.")
    return sheets[0].invoice


def _write(
    bills: Sequence[Bill], *, watermark: Watermark, seller: Seller, actor: AbstractBaseUser, at: datetime
) -> list[draft.Sheet]:
    mark = undisturbed.mark()  # the draft before was discarded in this transaction: nobody else appends until it ends
    assemble.fill_bills(bills, watermark=watermark, at=at)
    reconcile.tie_out_bills(bills, watermark=watermark)
    unusual.find_unusual(bills)
    worth = [bill for bill in bills if bill.lines or bill.strays]
    return draft.draft_invoices(worth, seller=seller, watermark=watermark, agreed_up_to=mark, actor=actor, at=at)
