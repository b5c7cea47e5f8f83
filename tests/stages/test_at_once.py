"""Corrections at once: where the policy says so, or where no invoice follows; one document, never one per event."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from billing_ops.management.commands import check_invariants
from core.models import AuditEntry
from invoicing.cycle import at_once, delta_decide, finalize
from invoicing.cycle.models import BillingCycle, DeltaReport, DeltaRow, Invoice
from invoicing.pricing import subscribe
from tests.builders import billing, guards
from tests.builders.billing import NEXT_CLOSING, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db
MID_NOVEMBER = day(15, month=11)
LATER = MID_NOVEMBER + timedelta(hours=1)


@pytest.fixture
def company() -> billing.Company:
    """Late usage is billed at once."""
    company = billing.open_company()
    terms = {"late_usage": {"correction": "at_once", "grace_hours": "0"}}
    billing.sign_a_policy(author=company.meter.owner, terms=terms, at=billing.LONG_AGO + timedelta(days=1))
    return company


@pytest.fixture
def october(company: billing.Company) -> Invoice:
    """Issued: 49.00 and 1,500 tokens, 3.00."""
    return billing.issue(company, [billing.billed_customer(company)])[0]


def offences() -> dict[str, list[str]]:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}


def test_what_is_late_is_billed_by_one_document_before_the_next_close(
    company: billing.Company, october: Invoice
) -> None:
    billing.use("acme", ("late", day(30), 250), ("later", day(29), 1000), at=MID_NOVEMBER)
    report = at_once.draft_adjustments(at=LATER)
    (pk,) = report.invoice_ids
    drafted = Invoice.objects.get(pk=pk)
    assert (drafted.kind, drafted.document_type, drafted.status) == ("adjustment", "invoice", "draft")
    assert (drafted.cycle, drafted.period_start, drafted.period_end) == (october.cycle, OCTOBER, NOVEMBER)
    line = drafted.lines.get()
    assert (line.adjusts, line.quantity, line.amount) == (october.lines.get(position=2), 1250, Decimal("2.50"))
    assert (drafted.subtotal, drafted.tax, drafted.total) == (Decimal("2.50"), Decimal("0.48"), Decimal("2.98"))
    assert drafted.tie_outs.get().is_tied
    assert drafted.delta_reports.get().rows.get().after_events == 4
    billing.approve_by(company.finance, drafted, at=LATER)
    assert finalize.finalize_invoice(invoice_id=pk, actor=None, at=LATER).number == "INV-000002"
    assert offences() == {}


def test_usage_taken_back_is_a_credit_note_at_once(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("takes back", day(30), -500), at=MID_NOVEMBER)
    (pk,) = at_once.draft_adjustments(at=LATER).invoice_ids
    note = Invoice.objects.get(pk=pk)
    assert (note.document_type, note.total) == ("credit_note", Decimal("-1.19"))  # 500 × 0.002 and 19 %


def test_corrections_that_change_no_amount_are_reported_and_no_document_is_drafted(
    company: billing.Company, october: Invoice
) -> None:
    """One token more is 1,501 × 0.002 = 3.002: still 3.00."""
    billing.use("acme", ("late", day(30), 1), at=MID_NOVEMBER)
    report = at_once.draft_adjustments(at=LATER)
    (pk,) = report.unchanged_ids
    assert (report.invoice_ids, Invoice.objects.count()) == ([], 1)
    noted = DeltaReport.objects.get(pk=pk)
    assert (noted.kind, noted.status, noted.invoice, noted.decided_by) == ("unchanged", "noted", None, None)
    assert noted.decision_reason == "No amount changes, so no document is issued and nobody has to decide."
    row = noted.rows.get()
    assert (row.corrects, row.line) == (october.lines.get(position=2), None)
    assert (row.before_quantity, row.after_quantity, row.before_events, row.after_events) == (1500, 1501, 2, 3)
    assert (row.before_amount, row.after_amount) == (3, 3)
    assert AuditEntry.objects.latest("pk").action == "delta.noted"
    assert at_once.draft_adjustments(at=LATER + timedelta(hours=1)) == at_once.AtOnceReport()
    assert offences() == {}


def test_what_changed_no_amount_is_in_the_next_correction(company: billing.Company, october: Invoice) -> None:
    """1 + 249 tokens more than were billed: 1,750 × 0.002 = 3.50, of which 3.00 are billed."""
    billing.use("acme", ("late", day(30), 1), at=MID_NOVEMBER)
    at_once.draft_adjustments(at=LATER)
    billing.use("acme", ("later", day(30), 249), at=LATER)
    (pk,) = at_once.draft_adjustments(at=LATER + timedelta(hours=1)).invoice_ids
    line = Invoice.objects.get(pk=pk).lines.get()
    assert (line.quantity, line.amount) == (250, Decimal("0.50"))
    assert offences() == {}


def test_a_report_of_no_change_is_refused_one_that_changes_an_amount(
    company: billing.Company, october: Invoice
) -> None:
    billing.use("acme", ("late", day(30), 1), at=MID_NOVEMBER)
    (pk,) = at_once.draft_adjustments(at=LATER).unchanged_ids
    assert guards.refuses("UPDATE cycle_deltareport SET status = 'approved' WHERE id = %s", [pk])
    assert guards.refuses(
        "INSERT INTO cycle_deltareport (kind, status, reason, content_hash, proposed_at, decision_reason)"
        " VALUES ('unchanged', 'noted', 'x', '', now(), 'x')",
        [],
    )
    row = DeltaRow.objects.get(report=pk)
    changing = DeltaReport.objects.create(kind="unchanged", reason="x", content_hash="", proposed_at=LATER)
    row.pk, row.report, row.counted, row.after_amount = None, changing, None, Decimal(4)
    with pytest.raises(IntegrityError, match="changes one"), transaction.atomic():
        row.save(force_insert=True)
    with pytest.raises(delta_decide.DeltaDecidedError):
        delta_decide.approve_report(
            report_id=pk, content_hash="", reason="fine with me", actor=company.finance, at=LATER
        )


def test_corrections_that_cancel_out_show_both_signs_on_a_document(company: billing.Company) -> None:
    """500 tokens fewer are 1.00 less, 2 of storage more at 0.50 are 1.00 more: 0.00, and each line says which."""
    storage = billing.make_meter("storage", event_type="storage", owner=company.meter.owner)
    billing.set_price(
        company.plan, meter=storage, model="standard", params={"unit_amount": "0.5"}, finance=company.finance
    )
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 1500))
    billing.use("acme", ("s1", day(3), 4), event_type="storage")
    billing.close_october()
    (issued,) = billing.issue(company, [Invoice.objects.get()])
    billing.use("acme", ("back", day(30), -500), at=MID_NOVEMBER)
    billing.use("acme", ("s2", day(30), 2), event_type="storage", at=MID_NOVEMBER)
    report = at_once.draft_adjustments(at=LATER)
    (pk,) = report.invoice_ids
    assert report.unchanged_ids == []
    drafted = Invoice.objects.get(pk=pk)
    assert (drafted.document_type, drafted.kind, drafted.total) == ("invoice", "adjustment", 0)
    assert [(line.adjusts, line.quantity, line.amount) for line in drafted.lines.order_by("amount")] == [
        (issued.lines.get(meter_code="tokens"), -500, Decimal("-1.00")),
        (issued.lines.get(meter_code="storage"), 2, Decimal("1.00")),
    ]
    billing.approve_by(company.finance, drafted, at=LATER)
    assert finalize.finalize_invoice(invoice_id=pk, actor=None, at=LATER).number == "INV-000002"
    assert offences() == {}


def test_a_second_run_finds_nothing_to_do(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=MID_NOVEMBER)
    assert len(at_once.draft_adjustments(at=LATER).invoice_ids) == 1
    billing.use("acme", ("later", day(29), 1000), at=LATER)
    assert at_once.draft_adjustments(at=LATER + timedelta(hours=1)).invoice_ids == []


def test_the_next_invoice_does_not_carry_it(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    report = billing.close_november()
    assert (report.drafted, report.adjusted, report.late_waiting) == (1, 0, 1)
    assert Invoice.objects.get(period_start=NOVEMBER).subtotal == Decimal("49.00")
    assert len(at_once.draft_adjustments(at=NEXT_CLOSING).invoice_ids) == 1


def test_the_period_keeps_its_one_invoice(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=MID_NOVEMBER)
    at_once.draft_adjustments(at=LATER)
    assert billing.close_october(at=LATER).drafted == 0
    assert BillingCycle.objects.get().invoices.count() == 2


def test_a_rejected_adjustment_is_not_drafted_again(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=MID_NOVEMBER)
    (pk,) = at_once.draft_adjustments(at=LATER).invoice_ids
    report = Invoice.objects.get(pk=pk).delta_reports.get()
    delta_decide.reject_report(report_id=report.pk, reason="too small", actor=company.finance, at=LATER)
    assert at_once.draft_adjustments(at=LATER + timedelta(hours=1)).invoice_ids == []
    assert offences() == {}


@pytest.fixture
def silent() -> billing.Company:
    """The policy says nothing of late usage, so it goes to the next invoice."""
    return billing.open_company()


def test_a_silent_policy_leaves_it_to_the_next_invoice(silent: billing.Company) -> None:
    billing.issue(silent, [billing.billed_customer(silent)])
    billing.use("acme", ("late", day(30), 250), at=MID_NOVEMBER)
    assert at_once.draft_adjustments(at=LATER).invoice_ids == []


def test_without_a_next_invoice_it_is_billed_at_once_under_any_policy(silent: billing.Company) -> None:
    subscription = billing.subscribe_to(silent, billing.make_customer("acme"))
    subscribe.end_subscription(subscription=subscription, ends_at=NOVEMBER, actor=silent.finance, at=OCTOBER)
    billing.use("acme", ("e1", day(3), 1000))
    billing.close_october()
    billing.issue(silent, [Invoice.objects.get()])
    billing.use("acme", ("late", day(30), 250), at=MID_NOVEMBER)
    (pk,) = at_once.draft_adjustments(at=LATER).invoice_ids
    assert Invoice.objects.get(pk=pk).subtotal == Decimal("0.50")
    assert billing.close_october(at=LATER).late_waiting == 0


def test_while_a_last_period_is_open_its_invoice_carries_it(silent: billing.Company) -> None:
    customer = billing.make_customer("acme")
    subscription = billing.subscribe_to(silent, customer)
    subscribe.end_subscription(subscription=subscription, ends_at=day(10, month=11), actor=silent.finance, at=OCTOBER)
    billing.use("acme", ("e1", day(3), 1000))
    billing.close_october()
    billing.issue(silent, [Invoice.objects.get()])
    billing.use("acme", ("late", day(30), 250), at=MID_NOVEMBER)
    assert at_once.draft_adjustments(at=LATER).invoice_ids == []


def test_a_customer_without_policy_waits_and_is_named(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=MID_NOVEMBER)
    customer = october.customer
    customer.program = "elsewhere"
    customer.save()
    subscription = october.lines.latest("pk").rated_line.subscription
    subscribe.end_subscription(subscription=subscription, ends_at=NOVEMBER, actor=company.finance, at=OCTOBER)
    report = at_once.draft_adjustments(at=LATER)
    assert (report.invoice_ids, report.waiting) == ([], ["acme"])


def test_the_command_says_what_it_drafted(
    company: billing.Company, october: Invoice, capsys: pytest.CaptureFixture[str]
) -> None:
    billing.use("acme", ("late", day(30), 250), at=MID_NOVEMBER)
    call_command("draft_adjustments", customer=["acme"])
    assert "drafts 1" in capsys.readouterr().out
