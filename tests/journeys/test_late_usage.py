"""Usage that came late, from the event to the document, the report that finance approved, and the books."""

import io
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pypdf import PdfReader

from billing_ops.management.commands import check_invariants
from invoicing.cycle import approve, at_once, backfill, books_check, delta_decide, finalize, pdf, tasks
from invoicing.cycle.models import DeltaReport, Invoice
from invoicing.ledger.models import Posting
from metering import backfills, ingest
from tests.builders import billing
from tests.builders.billing import NEXT_CLOSING, NOVEMBER, day

pytestmark = pytest.mark.django_db
LATER = NEXT_CLOSING + timedelta(hours=1)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def october(company: billing.Company) -> Invoice:
    """INV-000001 of 2 November: 49.00, and 1,500 tokens (e1 of 1,000, e2 of 500) at 0.002: 3.00; 61.88 with tax."""
    return billing.issue(company, [billing.billed_customer(company)])[0]


def correct(event_id: str, *, corrects: str, correction: str, units: int | None = None) -> None:
    event: dict[str, Any] = {
        "specversion": "1.0",
        "source": "/meter/acme",
        "id": event_id,
        "type": "usage",
        "subject": "acme",
        "time": day(20).isoformat(),
        "corrects": corrects,
        "correction": correction,
        "correctionreason": "retries were counted",
    }
    if units is not None:
        event["data"] = {"units": units}
    assert ingest.capture_events([event], channel="http", origin="test", at=NEXT_CLOSING).accepted == 1


def decide_and_issue(company: billing.Company, drafted: Invoice) -> Invoice:
    """Felix allows the change, Fiona approves the figures, the system issues them."""
    report = drafted.delta_reports.get()
    delta_decide.approve_report(
        report_id=report.pk,
        content_hash=report.content_hash,
        reason="their collector was down",
        actor=company.other_finance,
        at=LATER,
    )
    approve.approve_invoice(invoice_id=drafted.pk, content_hash=drafted.content_hash, actor=company.finance, at=LATER)
    issued = finalize.finalize_invoice(invoice_id=drafted.pk, actor=None, at=LATER)
    tasks.render_invoice_pdf(invoice_id=issued.pk)
    return issued


def changes_of(drafted: Invoice) -> list[tuple[Any, ...]]:
    rows = drafted.delta_reports.get().rows.all()
    return [
        ((row.before_quantity, row.before_amount), (row.after_quantity, row.after_amount), row.cause) for row in rows
    ]


def lines_of(invoice: Invoice) -> list[tuple[str, Decimal, Decimal]]:
    return [(line.description, line.quantity, line.amount) for line in invoice.lines.order_by("position")]


def text_of(invoice: Invoice) -> str:
    pages = PdfReader(io.BytesIO(pdf.invoice_pdf(invoice=invoice).content)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def booked(key: str) -> dict[str, tuple[Decimal, Decimal]]:
    return {one.account: (one.debit, one.credit) for one in Posting.objects.filter(entry__key=key)}


def assert_sound() -> None:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    assert {name: offenders for name, offenders in found.items() if offenders} == {}
    compared = books_check.compare_days(start=date(2026, 11, 1), end=date(2027, 1, 1))
    assert all(one.is_equal for one in compared)


def test_a_late_event_is_charged_on_the_next_invoice(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    drafted = Invoice.objects.get(period_start=NOVEMBER)
    assert changes_of(drafted) == [((1500, Decimal("3.00")), (1750, Decimal("3.50")), "usage")]
    issued = decide_and_issue(company, drafted)
    assert lines_of(issued) == [
        ("Base", 1, Decimal("49.00")),
        ("Tokens", 0, 0),
        ("Adjustment of 2026-10-01 to 2026-10-31: Tokens", 250, Decimal("0.50")),
    ]
    assert (issued.number, issued.subtotal, issued.tax, issued.total) == (
        "INV-000002",
        Decimal("49.50"),
        Decimal("9.41"),  # 9.405, half up
        Decimal("58.91"),
    )
    text = text_of(issued)
    for words in (
        "corrects INV-000001, line 2",
        "Corrects INV-000001 of 2 Nov 2026.",
        "Before and after",
        "INV-000001, line 2 1,500 3.00 1,750 3.50 0.50",
    ):
        assert words in text
    assert booked(f"invoice:{issued.pk}:final") == {
        "accounts_receivable": (Decimal("58.91"), 0),
        "revenue_subscription": (0, 49),
        "revenue_usage": (0, Decimal("0.50")),
        "tax_payable": (0, Decimal("9.41")),
    }
    assert_sound()


def test_an_amended_event_gives_back_on_the_next_invoice(company: billing.Company, october: Invoice) -> None:
    correct("e2b", corrects="e2", correction="amend", units=100)
    billing.close_november()
    drafted = Invoice.objects.get(period_start=NOVEMBER)
    assert changes_of(drafted) == [((1500, Decimal("3.00")), (1100, Decimal("2.20")), "usage")]
    issued = decide_and_issue(company, drafted)
    assert lines_of(issued)[-1] == ("Adjustment of 2026-10-01 to 2026-10-31: Tokens", -400, Decimal("-0.80"))
    assert (issued.document_type, issued.subtotal, issued.total) == ("invoice", Decimal("48.20"), Decimal("57.36"))
    assert booked(f"invoice:{issued.pk}:final")["revenue_usage"] == (Decimal("0.80"), 0)
    assert_sound()


def test_a_correction_beyond_the_period_is_a_credit_note(company: billing.Company) -> None:
    usage_only = billing.make_plan("usage", finance=company.finance, fee=None, meter=company.meter, unit_amount="1")
    billing.subscribe_to(company, billing.make_customer("acme"), plan=usage_only)
    billing.use("acme", ("e1", day(3), 100))
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])  # 119.00
    correct("x", corrects="e1", correction="amend", units=40)
    billing.use("acme", ("n1", day(9, month=11), 10), at=NEXT_CLOSING)
    billing.close_november()
    note = decide_and_issue(company, Invoice.objects.get(period_start=NOVEMBER))
    assert (note.number, note.kind, note.document_type) == ("CN-000001", "cycle", "credit_note")
    assert (note.subtotal, note.tax, note.total) == (Decimal(-50), Decimal("-9.50"), Decimal("-59.50"))
    text = text_of(note)
    for words in (
        "Credit note",
        "No. CN-000001",
        "Credit note to INV-000001 of 2 Nov 2026.",
        "Total credit (EUR) 59.50",
        "VAT 19% on 50.00 9.50",
        "INV-000001, line 1 100 100.00 40 40.00 -60.00",
        "Nothing is to be paid: the credit is set off against what you owe, now or next.",
    ):
        assert words in text
    assert "-59.50" not in text
    assert booked(f"invoice:{note.pk}:final") == {
        "customer_balance_liability": (0, Decimal("59.50")),
        "revenue_usage": (50, 0),
        "tax_payable": (Decimal("9.50"), 0),
    }
    assert booked(f"invoice:{note.pk}:set_off") == {
        "customer_balance_liability": (Decimal("59.50"), 0),
        "accounts_receivable": (0, Decimal("59.50")),  # 119.00 was owed
    }
    assert_sound()


def test_where_the_policy_says_so_it_is_corrected_at_once(company: billing.Company, october: Invoice) -> None:
    terms = {"late_usage": {"correction": "at_once", "grace_hours": "0"}}
    billing.sign_a_policy(author=company.meter.owner, terms=terms, at=day(3, month=11))
    mid_november = day(15, month=11)
    billing.use("acme", ("late", day(30), 250), ("later", day(29), 1000), at=mid_november)
    (pk,) = at_once.draft_adjustments(at=mid_november + timedelta(hours=1)).invoice_ids
    issued = decide_and_issue(company, Invoice.objects.get(pk=pk))
    assert lines_of(issued) == [("Adjustment of 2026-10-01 to 2026-10-31: Tokens", 1250, Decimal("2.50"))]
    assert (issued.number, issued.kind, issued.total) == ("INV-000002", "adjustment", Decimal("2.98"))
    billing.close_november()
    assert lines_of(Invoice.objects.get(period_start=NOVEMBER)) == [
        ("Base", 1, Decimal("49.00")),
        ("Tokens", 0, 0),
    ]
    assert_sound()


def staged(name: str, event_id: str, when: datetime, units: int) -> DeltaReport:
    olga = billing.person("olga", "ops")
    backfills.create_backfill(name=name, reason="a day of logs was found", actor=olga, at=NEXT_CLOSING)
    event = {
        "specversion": "1.0",
        "source": "/meter/acme",
        "id": event_id,
        "type": "usage",
        "subject": "acme",
        "time": when.isoformat(),
        "data": {"units": units},
    }
    backfills.stage_events(name=name, deliveries=[event], actor=olga)
    return backfill.inspect_backfill(name=name, actor=olga, at=NEXT_CLOSING)


def test_of_two_backfills_one_is_billed_and_one_is_gone(company: billing.Company, october: Invoice) -> None:
    wrong, right = staged("wrong", "w1", day(24), 900), staged("right", "r1", day(25), 500)
    delta_decide.reject_report(report_id=wrong.pk, reason="counted twice", actor=company.finance, at=NEXT_CLOSING)
    assert [(row.before_amount, row.after_amount) for row in right.rows.all()] == [(Decimal("3.00"), Decimal("4.00"))]
    delta_decide.approve_report(
        report_id=right.pk,
        content_hash=right.content_hash,
        reason="matches their logs",
        actor=company.finance,
        at=NEXT_CLOSING,
    )
    assert right.backfill is not None
    backfills.capture_backfill(backfill_id=right.backfill.pk, at=NEXT_CLOSING)
    billing.close_november(at=LATER)
    issued = decide_and_issue(company, Invoice.objects.get(period_start=NOVEMBER))
    assert lines_of(issued)[-1] == ("Adjustment of 2026-10-01 to 2026-10-31: Tokens", 500, Decimal("1.00"))
    assert issued.total == Decimal("59.50")
    assert_sound()
