"""Write delta reports: what a draft changes of what was billed or drafted before, line by line."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from core import audit, bulk, canonical, money
from invoicing.cycle.bills import Bill, BillLine
from invoicing.cycle.models import DeltaReport, DeltaRow, Invoice, InvoiceLine
from invoicing.cycle.rules import delta_life

Kind, Cause = DeltaReport.Kind, DeltaRow.Cause
Drafted = tuple[Invoice, Sequence[InvoiceLine], Sequence[str]]

UNCHANGED = "Usage of issued invoices came late or was corrected, and every amount stays what it was."
NOTHING_TO_DECIDE = "No amount changes, so no document is issued and nobody has to decide."
LATE = "Usage of issued invoices came late or was corrected, or a fee was not used to the end."


def report_adjustments(drafted: Iterable[Drafted], *, actor: AbstractBaseUser | None, at: datetime) -> None:
    """One report per draft that corrects issued lines; each draft comes with its lines and the cause of each.

    The chain of audit entries is locked from here to the end of the transaction.
    """
    correcting = [(invoice, _correcting(lines, causes)) for invoice, lines, causes in drafted]
    correcting = [(invoice, lines) for invoice, lines in correcting if lines]
    if not correcting:
        return
    before = events_billed(line.adjusts_id for _, lines in correcting for line, _ in lines)
    rows = [
        (invoice, [_adjusted(line, cause, before_events=before[line.adjusts_id or 0]) for line, cause in lines])
        for invoice, lines in correcting
    ]
    reports = [
        (bulk.new_row(DeltaReport, kind=Kind.ADJUSTMENT, invoice=invoice, reason=LATE), found)
        for invoice, found in rows
    ]
    write_reports(reports, actor=actor, at=at)


def report_unchanged(bills: Sequence[Bill], *, actor: AbstractBaseUser | None, at: datetime) -> list[DeltaReport]:
    """One report per bill whose corrections change no amount: nothing is drafted, and this is what is to be seen."""
    before = events_billed(line.adjusts.pk for bill in bills for line in bill.lines if line.adjusts is not None)
    reports = [
        (
            bulk.new_row(DeltaReport, kind=Kind.UNCHANGED, reason=UNCHANGED),
            [_unchanged(line, bill, before=before) for line in bill.lines],
        )
        for bill in bills
    ]
    write_reports(reports, actor=actor, at=at)
    return [report for report, _ in reports]


def report_redraft(
    *, replaces: Invoice, invoice: Invoice, reason: str, actor: AbstractBaseUser | None, at: datetime
) -> DeltaReport:
    """What a fresh draft says otherwise than the discarded one before it: lines that changed, came or went."""
    before = {_place(line): line for line in _lines(replaces)}
    after = {_place(line): line for line in _lines(invoice)}
    places = list(dict.fromkeys([*before, *after]))
    rows = [_redrafted(before.get(place), after.get(place), invoice=invoice) for place in places]
    report = bulk.new_row(DeltaReport, kind=Kind.REDRAFT, invoice=invoice, replaces=replaces, reason=reason)
    write_reports([(report, [row for row in rows if _changes(row)])], actor=actor, at=at)
    return report


def write_reports(
    reports: Sequence[tuple[DeltaReport, Sequence[DeltaRow]]], *, actor: AbstractBaseUser | None, at: datetime
) -> None:
    """Store proposed reports with their rows, each sealed by its hash and entered in the audit chain."""
    for report, rows in reports:
        report.author_id = None if actor is None else actor.pk
        report.proposed_at = at
        for position, row in enumerate(rows, start=1):
            row.position = position
        report.content_hash = hash_of(report, rows)
    bulk.insert_rows([report for report, _ in reports])
    for report, rows in reports:
        for row in rows:
            row.report_id = report.pk
    bulk.insert_rows([row for _, rows in reports for row in rows])
    audit.append_entries([fact_of(report, from_status="") for report, _ in reports], actor=actor, at=at)


def fact_of(report: DeltaReport, *, from_status: str) -> audit.Fact:
    """The move that brought the report to its present status."""
    return audit.Fact(
        action=delta_life.action_of(from_status, report.status),
        subject=f"delta:{report.pk}",
        facts={
            "from": from_status,
            "to": str(report.status),
            "reason": report.decision_reason or report.reason,
            "content_hash": report.content_hash,
        },
    )


def hash_of(report: DeltaReport, rows: Iterable[DeltaRow]) -> str:
    """SHA-256 over every row, and over the content of the draft that carries them."""
    return canonical.content_hash(document_of(report, rows))


def document_of(report: DeltaReport, rows: Iterable[DeltaRow]) -> dict[str, Any]:
    """What is hashed, and so what is approved."""
    return {
        "kind": str(report.kind),
        "invoice": None if report.invoice is None else report.invoice.content_hash,
        "replaces": None if report.replaces is None else report.replaces.content_hash,
        **({} if report.backfill is None else {"backfill": [report.backfill.name, report.backfill.digest]}),
        "reason": report.reason,
        "rows": [_facts(row) for row in sorted(rows, key=lambda row: row.position)],
    }


def _facts(row: DeltaRow) -> list[Any]:
    figures = (row.before_quantity, row.after_quantity, row.before_amount, row.after_amount)
    return [
        row.position,
        row.customer_id,
        row.line_id,
        row.corrects_id,
        str(row.cause),
        row.description,
        row.unit,
        [row.segment_start, row.segment_end],
        row.currency,
        [money.plain(figure) for figure in figures],
        [row.before_events, row.after_events],
        *([] if row.counted_id is None else [row.counted_id]),
    ]


def _correcting(lines: Sequence[InvoiceLine], causes: Sequence[str]) -> list[tuple[InvoiceLine, str]]:
    return [(line, cause) for line, cause in zip(lines, causes, strict=True) if line.adjusts_id is not None]


def events_billed(line_ids: Iterable[int | None]) -> dict[int, int | None]:
    """By original line: how many events the last final line of it counted."""
    ids = [pk for pk in line_ids if pk is not None]
    final = InvoiceLine.objects.filter(invoice__status=Invoice.Status.FINAL).order_by("pk")
    counts: dict[int, int | None] = defaultdict(lambda: None)
    for name in ("pk", "adjusts"):  # the originals first, what corrected them after
        found = final.filter(**{f"{name}__in": ids}).values_list(name, "rated_line__snapshot__event_count")
        counts |= dict(found)
    return counts


def _adjusted(line: InvoiceLine, cause: str, *, before_events: int | None) -> DeltaRow:
    """The whole line as final documents have it, and as it will be with this one."""
    rated, snapshot = line.rated_line, line.rated_line.snapshot
    return bulk.new_row(
        DeltaRow,
        customer_id=line.invoice.customer_id,
        line=line,
        corrects_id=line.adjusts_id,
        cause=cause,
        description=line.description,
        unit=line.unit,
        segment_start=line.segment_start,
        segment_end=line.segment_end,
        currency=rated.currency,
        before_quantity=rated.quantity - line.quantity,
        after_quantity=rated.quantity,
        before_amount=rated.amount - line.amount,
        after_amount=rated.amount,
        before_events=before_events,
        after_events=None if snapshot is None else snapshot.event_count,
    )


def _unchanged(line: BillLine, bill: Bill, *, before: Mapping[int, int | None]) -> DeltaRow:
    """The whole line as final documents have it, and as it is known now; the amount is the same."""
    assert line.adjusts is not None  # noqa: S101  such a bill has nothing but corrections
    return bulk.new_row(
        DeltaRow,
        customer_id=bill.customer.pk,
        corrects=line.adjusts,
        counted=line.snapshot,
        cause=line.cause,
        description=line.description,
        unit=line.adjusts.unit,
        segment_start=line.rated.segment_start,
        segment_end=line.rated.segment_end,
        currency=line.rated.currency,
        before_quantity=line.rated.quantity - line.quantity,
        after_quantity=line.rated.quantity,
        before_amount=line.rated.amount - line.amount,
        after_amount=line.rated.amount,
        before_events=before[line.adjusts.pk],
        after_events=None if line.snapshot is None else line.snapshot.event_count,
    )


def _lines(invoice: Invoice) -> list[InvoiceLine]:
    return list(invoice.lines.select_related("rated_line__snapshot").order_by("position"))


def _place(line: InvoiceLine) -> tuple[Any, ...]:
    """What makes a line of one draft the same as one of another."""
    return line.rated_line.charge_id, line.segment_start, line.segment_end, line.adjusts_id


def _redrafted(before: InvoiceLine | None, after: InvoiceLine | None, *, invoice: Invoice) -> DeltaRow:
    shown = after or before
    assert shown is not None  # noqa: S101  a place comes from one of the two
    return bulk.new_row(
        DeltaRow,
        customer_id=invoice.customer_id,
        line=after,
        corrects=before,
        cause=Cause.REDRAFT,
        description=shown.description,
        unit=shown.unit,
        segment_start=shown.segment_start,
        segment_end=shown.segment_end,
        currency=invoice.currency,
        before_quantity=before.quantity if before else 0,
        after_quantity=after.quantity if after else 0,
        before_amount=before.amount if before else 0,
        after_amount=after.amount if after else 0,
        before_events=_events(before),
        after_events=_events(after),
    )


def _events(line: InvoiceLine | None) -> int | None:
    snapshot = None if line is None else line.rated_line.snapshot
    return None if snapshot is None else snapshot.event_count


def _changes(row: DeltaRow) -> bool:
    before = (row.before_quantity, row.before_amount, row.before_events)
    return before != (row.after_quantity, row.after_amount, row.after_events)
