"""What a backfill would change of what was billed and drafted: captured on trial, rated again, and undone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from accounts import roles
from accounts.models import Customer
from accounts.roles import Role
from core import bulk, told_of_many
from core.errors import DomainError
from invoicing.cycle import adjust, at_once, delta
from invoicing.cycle.models import DeltaReport, DeltaRow, Invoice, InvoiceLine
from invoicing.policy import queries as policy_queries
from invoicing.rating import rate
from metering import aggregate, backfills, ingest
from metering import queries as metering_queries
from metering.models import Backfill, CaptureBatch, UsageEvent, Watermark

INSPECTORS = (Role.OPS, Role.ENGINEERING, Role.FINANCE)


@dataclass(slots=True)
class Trial:
    """What became of the events on trial, and each line before and after."""

    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    rows: list[DeltaRow] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def in_words(self, backfill: Backfill) -> str:
        """The report's reason: why, and what is not in its rows."""
        counts = (
            f"Of {backfill.staged} events {self.accepted} are new, {self.duplicates} known already and"
            f" {self.quarantined} would be held back by their contracts."
        )
        waits = f" No policy or tax rate decides for {', '.join(self.waiting)}." if self.waiting else ""
        return f"Backfill {backfill.name}: {backfill.reason} {counts}{waits}"


def inspect_backfill(*, name: str, actor: Any, at: datetime) -> DeltaReport:
    """Seal the batch and propose its delta report; nothing of the trial stays, and nobody else sees it.

    Captures go on meanwhile, but a close that begins waits until the trial is over.
    """
    roles.require_role(actor, *INSPECTORS, to="inspect backfills")
    with transaction.atomic():
        backfill = backfills.lock_backfill(name)
        backfills.seal_backfill(backfill, actor=actor, at=at)
        trial = _try_out(backfill, at=at)
        report = bulk.new_row(
            DeltaReport,
            kind=DeltaReport.Kind.BACKFILL,
            backfill=backfill,
            reason=told_of_many.tell_of_same(backfill.reason, trial.in_words(backfill)),
        )
        delta.write_reports([(report, trial.rows)], actor=backfill.created_by, at=at)
    return report


def _try_out(backfill: Backfill, *, at: datetime) -> Trial:
    trial = Trial()
    prepared = [(chunk, ingest.check_events(chunk, sent_at=at, at=at)) for chunk in backfills.deliveries_of(backfill)]
    for _, found in prepared:
        ingest.prepare_months(found)
    with transaction.atomic():
        before = _last_seq()
        for chunk, found in prepared:
            result = ingest.store_events(chunk, found, channel=CaptureBatch.Channel.IMPORT, origin="on trial")
            trial.accepted += result.accepted
            trial.duplicates += result.duplicates
            trial.quarantined += result.quarantined
        touched = UsageEvent.objects.filter(seq__gt=before).values_list("customer_id", flat=True).distinct()
        watermark = Watermark.objects.create(seq=_last_seq(), fixed_at=at)
        _compare(trial, customer_ids=sorted(touched), watermark=watermark, at=at)
        transaction.set_rollback(True)  # whatever the trial wrote goes, to its savepoint
    return trial


def _last_seq() -> int:
    return int(UsageEvent.objects.aggregate(last=Max("seq"))["last"] or 0)


def _compare(trial: Trial, *, customer_ids: Sequence[int], watermark: Watermark, at: datetime) -> None:
    """Lines of final invoices by the way of adjustments, lines that are drafted by a second rating."""
    windows = metering_queries.late_windows(customer_ids=customer_ids, watermark=watermark) if customer_ids else []
    late = [window.snapshot_id for window in windows]
    if not late:
        return
    issued = list(adjust.adjustable_lines(Q(rated_line__snapshot__in=late)))
    customers = Customer.objects.in_bulk({line.invoice.customer_id for line in issued})
    policies = policy_queries.policies_in_force((one.program for one in customers.values()), at=at)
    bills = at_once.open_bills(issued, customers=customers, policies=policies, waiting=trial.waiting)
    adjust.add_adjustments(bills, late_lines=issued, watermark=watermark, at=at)
    for bill in bills:
        for line in bill.lines:
            assert line.adjusts is not None  # noqa: S101  nothing but corrections is on these bills
            before = delta.events_billed([line.adjusts.pk])[line.adjusts.pk]
            trial.rows.append(
                _row(
                    line.adjusts,
                    customer=bill.customer,
                    before=(line.rated.quantity - line.quantity, line.rated.amount - line.amount, before),
                    after=(
                        line.rated.quantity,
                        line.rated.amount,
                        None if line.snapshot is None else line.snapshot.event_count,
                    ),
                )
            )
    trial.rows += _drafted_rows(late, watermark=watermark, at=at)


def _drafted_rows(late: Sequence[int], *, watermark: Watermark, at: datetime) -> list[DeltaRow]:
    """Drafts wait for a fresh draft; their lines are shown as that would have them."""
    lines = list(
        InvoiceLine.objects.filter(
            rated_line__snapshot__in=late, adjusts=None, invoice__status__in=adjust.UNDECIDED
        ).select_related("invoice__customer", "rated_line__snapshot", "rated_line__subscription")
    )
    bases = [line.rated_line.snapshot for line in lines if line.rated_line.snapshot is not None]
    snapshots = aggregate.take_adjustment_snapshots(bases, watermark=watermark, at=at)
    again = rate.rerate_lines(
        [(line.rated_line, snapshot) for line, snapshot in zip(lines, snapshots, strict=True)], at=at
    )
    return [
        _row(
            line,
            customer=line.invoice.customer,
            before=(line.quantity, line.amount, base.event_count),
            after=(rated.quantity, rated.amount, snapshot.event_count),
        )
        for line, base, rated, snapshot in zip(lines, bases, again, snapshots, strict=True)
    ]


def _row(line: InvoiceLine, *, customer: Customer, before: tuple[Any, ...], after: tuple[Any, ...]) -> DeltaRow:
    is_drafted = line.invoice.status != Invoice.Status.FINAL
    return bulk.new_row(
        DeltaRow,
        customer=customer,
        corrects=line,
        cause=DeltaRow.Cause.BACKFILL,
        description=f"{'Draft: ' if is_drafted else ''}{line.description}"[:200],
        unit=line.unit,
        segment_start=line.segment_start,
        segment_end=line.segment_end,
        currency=line.invoice.currency,
        before_quantity=before[0],
        after_quantity=after[0],
        before_amount=before[1],
        after_amount=after[1],
        before_events=before[2],
        after_events=after[2],
    )


@transaction.atomic
def drop_backfill(*, name: str, reason: str, actor: Any, at: datetime) -> Backfill:
    """Drop a batch that was not inspected yet; a sealed one is reverted by rejecting its report."""
    roles.require_role(actor, *backfills.FILLERS, to="drop backfills")
    backfill = backfills.lock_backfill(name)
    if backfill.status == Backfill.Status.SEALED:
        raise InspectedError("Its delta report is proposed; somebody in finance approves or rejects that.")
    backfills.revert_backfill(backfill, reason=reason, actor=actor, at=at)
    return backfill


class InspectedError(DomainError):
    """The batch waits for the decision on its delta report."""

    code = "backfill_inspected"
