"""Delta reports: nothing that was billed changes before somebody in finance looked at it, line by line."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from core.errors import NotAllowedError
from core.models import AuditEntry
from invoicing.cycle import delta, delta_decide, finalize, move
from invoicing.cycle.models import DeltaReport, DeltaRow, Invoice
from invoicing.pricing import subscribe
from tests.builders import billing
from tests.builders.billing import NEXT_CLOSING, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db
AGAIN = NEXT_CLOSING + timedelta(hours=1)
REASON = "the sender was down"


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def october(company: billing.Company) -> Invoice:
    """Issued: 49.00 and 1,500 tokens at 0.002, 3.00."""
    return billing.issue(company, [billing.billed_customer(company)])[0]


@pytest.fixture
def november(october: Invoice) -> Invoice:
    """Drafted: 49.00, and 250 tokens of October that came late, 0.50."""
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    return Invoice.objects.get(period_start=NOVEMBER)


def approve_report(company: billing.Company, report: DeltaReport, *, by: str = "finance") -> DeltaReport:
    return delta_decide.approve_report(
        report_id=report.pk, content_hash=report.content_hash, reason=REASON, actor=getattr(company, by), at=AGAIN
    )


def figures(row: DeltaRow) -> tuple[object, ...]:
    return (
        (row.before_quantity, row.before_amount, row.before_events),
        (row.after_quantity, row.after_amount, row.after_events),
    )


def test_a_draft_that_corrects_issued_lines_comes_with_a_report_of_each(october: Invoice, november: Invoice) -> None:
    report = november.delta_reports.get()
    assert (report.kind, report.status, report.author) == ("adjustment", "proposed", None)
    row = report.rows.get()
    assert figures(row) == ((1500, Decimal("3.00"), 2), (1750, Decimal("3.50"), 3))
    assert (row.cause, row.corrects, row.line) == (
        "usage",
        october.lines.get(meter_code="tokens"),
        november.lines.get(adjusts__isnull=False),
    )
    assert (row.description, row.segment_start, row.segment_end) == (
        "Adjustment of 2026-10-01 to 2026-10-31: Tokens",
        OCTOBER,
        NOVEMBER,
    )


def test_a_draft_without_corrections_has_none(october: Invoice) -> None:
    assert not DeltaReport.objects.exists()


def test_the_second_correction_is_measured_against_both_documents_before_it(
    company: billing.Company, november: Invoice
) -> None:
    billing.issue(company, [november], at=AGAIN)
    billing.use("acme", ("later", day(29), 1000), at=AGAIN)
    much_later = NEXT_CLOSING + timedelta(days=31)
    billing.close_november(as_of=much_later, at=much_later)
    row = DeltaRow.objects.latest("pk")
    assert figures(row) == ((1750, Decimal("3.50"), 3), (2750, Decimal("5.50"), 4))


def test_a_fee_that_was_not_used_to_the_end_says_so(company: billing.Company) -> None:
    plan = billing.make_plan("ahead", finance=company.finance, fee=None, meter=None)
    params = {"amount": "31", "billed": "in_advance"}
    billing.set_price(plan, charge="base", model="flat", params=params, finance=company.finance)
    subscription = billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])
    subscribe.end_subscription(subscription=subscription, ends_at=day(16, month=11), actor=company.finance, at=NOVEMBER)
    billing.close_november()
    row = DeltaRow.objects.get()
    assert (row.cause, row.before_amount, row.before_events, row.after_events) == ("unused_time", 31, None, None)


def test_the_draft_waits_until_its_report_is_approved(company: billing.Company, november: Invoice) -> None:
    with pytest.raises(delta_decide.DeltaOpenError):
        billing.approve.approve_invoice(
            invoice_id=november.pk, content_hash=november.content_hash, actor=company.finance, at=AGAIN
        )
    report = approve_report(company, november.delta_reports.get())
    assert (report.status, report.decided_by, report.decision_reason) == ("approved", company.finance, REASON)
    billing.approve_by(company.finance, november, at=AGAIN)
    assert finalize.finalize_invoice(invoice_id=november.pk, actor=None, at=AGAIN).number == "INV-000002"


def test_postgresql_refuses_the_approval_too(company: billing.Company, november: Invoice) -> None:
    decided = {"approved_by": company.finance, "approved_at": AGAIN, "approved_hash": november.content_hash}
    with pytest.raises(IntegrityError, match="without an approved delta report"), transaction.atomic():
        Invoice.objects.filter(pk=november.pk).update(status="approved", revision=1, **decided)
    approve_report(company, november.delta_reports.get())
    with pytest.raises(IntegrityError, match="lacks an approval"), transaction.atomic():
        Invoice.objects.filter(pk=november.pk).update(status="approved", revision=1, **decided)


def test_its_author_does_not_decide(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november(actor=company.finance)
    report = DeltaReport.objects.get()
    assert report.author == company.finance
    for decide in (approve_report, reject_report):
        with pytest.raises(move.SamePersonError):
            decide(company, report)
    assert approve_report(company, report, by="other_finance").status == "approved"


def test_postgresql_knows_the_author_too(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november(actor=company.finance)
    with pytest.raises(IntegrityError, match="cycle_delta_four_eyes"), transaction.atomic():
        DeltaReport.objects.update(
            status="approved", decided_by=company.finance, decided_at=AGAIN, decision_reason=REASON
        )


def reject_report(company: billing.Company, report: DeltaReport, *, by: str = "finance") -> DeltaReport:
    return delta_decide.reject_report(report_id=report.pk, reason=REASON, actor=getattr(company, by), at=AGAIN)


@pytest.mark.parametrize("role", ["product", "ops", "engineering", "auditor"])
def test_only_finance_decides(november: Invoice, role: str) -> None:
    report = november.delta_reports.get()
    with pytest.raises(NotAllowedError):
        delta_decide.approve_report(
            report_id=report.pk,
            content_hash=report.content_hash,
            reason=REASON,
            actor=billing.person("otto", role),
            at=AGAIN,
        )


def test_approval_names_what_was_looked_at(company: billing.Company, november: Invoice) -> None:
    with pytest.raises(delta_decide.DeltaChangedError):
        delta_decide.approve_report(
            report_id=november.delta_reports.get().pk,
            content_hash="0" * 64,
            reason=REASON,
            actor=company.finance,
            at=AGAIN,
        )


def test_what_was_decided_stays(company: billing.Company, november: Invoice) -> None:
    report = approve_report(company, november.delta_reports.get())
    with pytest.raises(delta_decide.DeltaDecidedError):
        reject_report(company, report, by="other_finance")
    with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic():
        DeltaReport.objects.update(status="proposed", decided_by=None, decided_at=None, decision_reason="")
    with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic():
        DeltaRow.objects.update(after_amount=1)
    with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic():
        DeltaRow.objects.all().delete()


def test_a_rejected_change_is_not_billed_and_not_late_any_more(company: billing.Company, november: Invoice) -> None:
    report = reject_report(company, november.delta_reports.get())
    november.refresh_from_db()
    assert (report.status, november.status) == ("rejected", "discarded")
    closed = billing.close_november(at=AGAIN)
    assert (closed.drafted, closed.adjusted, closed.late_waiting) == (1, 0, 0)
    fresh = Invoice.objects.get(period_start=NOVEMBER, status="draft")
    assert fresh.subtotal == Decimal("49.00")


def test_what_was_rejected_comes_up_again_with_what_is_late_after_it(
    company: billing.Company, november: Invoice
) -> None:
    reject_report(company, november.delta_reports.get())
    billing.use("acme", ("later", day(29), 1000), at=AGAIN)
    billing.close_november(at=AGAIN + timedelta(hours=1))
    row = DeltaRow.objects.latest("pk")
    assert figures(row) == ((1500, Decimal("3.00"), 2), (2750, Decimal("5.50"), 4))


def test_every_decision_stands_in_the_audit_chain(company: billing.Company, november: Invoice) -> None:
    report = approve_report(company, november.delta_reports.get())
    entries = AuditEntry.objects.filter(subject=f"delta:{report.pk}").order_by("id")
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("delta.proposed", None),
        ("delta.approved", company.finance),
    ]
    assert entries[1].facts["content_hash"] == report.content_hash


def test_a_fresh_draft_is_compared_with_the_one_before_it(company: billing.Company) -> None:
    before = billing.billed_customer(company)
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.discard_draft(company, before)
    billing.close_october(at=NEXT_CLOSING)
    after = Invoice.objects.get(status="draft")
    report = delta.report_redraft(replaces=before, invoice=after, reason=REASON, actor=company.finance, at=AGAIN)
    row = report.rows.get()  # the fee is as it was
    assert figures(row) == ((1500, Decimal("3.00"), 2), (1750, Decimal("3.50"), 3))
    assert (row.cause, row.description) == ("redraft", "Tokens")
    billing.approve.approve_invoice(
        invoice_id=after.pk, content_hash=after.content_hash, actor=company.other_finance, at=AGAIN
    )
