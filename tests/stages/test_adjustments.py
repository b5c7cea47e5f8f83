"""Late usage: the window is rated as a whole again, and the next draft bills the difference."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.periods import Period
from invoicing.cycle import close, discard, finalize, hold, queries
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing import subscribe
from metering.models import AggregationSnapshot, Watermark
from tests.builders import billing
from tests.builders.billing import CLOSING, DECEMBER, NEXT_CLOSING, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db
MUCH_LATER = NEXT_CLOSING + timedelta(days=31)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def october(company: billing.Company) -> Invoice:
    """Issued: 1,500 tokens, 3.00."""
    return billing.issue(company, [billing.billed_customer(company)])[0]


def november_adjustment() -> InvoiceLine:
    return InvoiceLine.objects.get(invoice__period_start=NOVEMBER, adjusts__isnull=False)


def test_a_late_event_becomes_an_adjustment_on_the_next_draft(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    report = billing.close_november()
    assert (report.drafted, report.held, report.adjusted) == (1, 0, 1)
    line = november_adjustment()
    assert line.adjusts == october.lines.get(meter_code="tokens")
    assert (line.quantity, line.amount, line.unit_price) == (250, Decimal("0.50"), "0.002")
    assert line.description == "Adjustment of 2026-10-01 to 2026-10-31: Tokens"
    assert (line.segment_start, line.segment_end) == (OCTOBER, NOVEMBER)
    assert (line.rated_line.quantity, line.rated_line.amount) == (1750, Decimal("3.50"))
    assert line.invoice.subtotal == Decimal("49.50")
    assert line.invoice.tie_outs.get().is_tied


def test_the_closed_snapshot_and_the_final_invoice_stay_as_they_are(company: billing.Company, october: Invoice) -> None:
    before = AggregationSnapshot.objects.get()
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    after = AggregationSnapshot.objects.get(pk=before.pk)
    assert (after.quantity, after.digest, after.watermark_id) == (before.quantity, before.digest, before.watermark_id)
    correction = after.corrections.get()
    assert (correction.kind, correction.quantity, correction.event_count) == ("adjustment", 1750, 3)
    october.refresh_from_db()
    assert (october.total, october.lines.count()) == (Decimal("61.88"), 2)


def test_a_correction_of_usage_becomes_a_negative_line(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("takes back", day(30), -500), at=NEXT_CLOSING)
    billing.close_november()
    line = november_adjustment()
    assert (line.quantity, line.amount) == (-500, Decimal("-1.00"))
    assert line.invoice.subtotal == Decimal(48)


def test_a_total_in_favour_of_the_customer_is_a_credit_note_with_a_number_of_its_own_series(
    company: billing.Company,
) -> None:
    usage_only = billing.make_plan("usage", finance=company.finance, fee=None, meter=company.meter, unit_amount="1")
    billing.subscribe_to(company, billing.make_customer("acme"), plan=usage_only)
    billing.use("acme", ("e1", day(3), 100))
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])
    billing.use("acme", ("takes back", day(4), -60), at=NEXT_CLOSING)
    billing.close_november()
    invoice = Invoice.objects.get(period_start=NOVEMBER)
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Decimal(-60), Decimal("-11.40"), Decimal("-71.40"))
    assert (invoice.kind, invoice.document_type) == ("cycle", "credit_note")
    document = queries.invoice_document(invoice)
    assert (document.is_credit_note, document.total) == (True, Decimal("71.40"))
    assert [one.number for one in document.corrects] == ["INV-000001"]
    november, given_back = document.lines
    assert (november.quantity, november.amount) == (0, 0)
    assert (given_back.quantity, given_back.amount) == (60, Decimal(60))
    assert [(step.label, step.quantity, step.amount) for step in given_back.steps] == [
        ("Per unit", -40, -40),
        ("What was billed before", 100, 100),
    ]
    assert billing.issue(company, [invoice], at=NEXT_CLOSING)[0].number == "CN-000001"


def test_the_difference_follows_from_the_whole_window_under_tiers(company: billing.Company) -> None:
    tiered = billing.make_plan("tiered", finance=company.finance, fee=None, meter=None)
    tiers = [
        {"up_to": "100", "unit_amount": "1", "flat_amount": "0"},
        {"up_to": None, "unit_amount": "0.5", "flat_amount": "0"},
    ]
    billing.set_price(tiered, meter=company.meter, model="graduated", params={"tiers": tiers}, finance=company.finance)
    billing.subscribe_to(company, billing.make_customer("acme"), plan=tiered)
    billing.use("acme", ("e1", day(3), 90))
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])
    billing.use("acme", ("late", day(4), 30), at=NEXT_CLOSING)
    billing.close_november()
    line = november_adjustment()
    assert (line.quantity, line.amount) == (30, Decimal(20))  # 10 × 1 + 20 × 0.5
    steps = queries.invoice_document(line.invoice).lines[-1].steps
    assert [(step.label, step.quantity, step.amount) for step in steps][-1] == (
        "Less what was billed before",
        Decimal(-90),
        Decimal(-90),
    )


def test_later_lateness_is_billed_on_top_of_the_first_adjustment(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    billing.issue(company, [Invoice.objects.get(period_start=NOVEMBER)], at=NEXT_CLOSING)
    billing.use("acme", ("later", day(29), 1000), at=MUCH_LATER)
    billing.close_november(as_of=MUCH_LATER, at=MUCH_LATER)
    second = InvoiceLine.objects.get(invoice__period_start=DECEMBER, adjusts__isnull=False)
    assert second.adjusts == october.lines.get(meter_code="tokens")
    assert (second.quantity, second.amount) == (1000, Decimal("2.00"))
    assert second.rated_line.quantity == 2750


def test_while_an_adjustment_is_undecided_no_second_one_is_drafted(company: billing.Company, october: Invoice) -> None:
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    billing.use("acme", ("later", day(29), 1000), at=MUCH_LATER)
    report = billing.close_november(as_of=MUCH_LATER, at=MUCH_LATER)
    assert (report.drafted, report.adjusted) == (1, 0)
    assert report.late_waiting == 1


def test_a_discarded_adjustment_is_drafted_anew_with_all_that_is_late(
    company: billing.Company, october: Invoice
) -> None:
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    first = Invoice.objects.get(period_start=NOVEMBER)
    billing.use("acme", ("later", day(29), 1000), at=NEXT_CLOSING)
    discard.discard_invoice(invoice_id=first.pk, reason="more came late", actor=company.finance, at=NEXT_CLOSING)
    billing.close_november(at=NEXT_CLOSING + timedelta(hours=1))
    line = InvoiceLine.objects.get(invoice__status="draft", adjusts__isnull=False)
    assert (line.quantity, line.amount) == (1250, Decimal("2.50"))


def test_a_discarded_adjustment_is_drafted_anew_even_if_nothing_more_came(
    company: billing.Company, october: Invoice
) -> None:
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    first = Invoice.objects.get(period_start=NOVEMBER)
    discard.discard_invoice(invoice_id=first.pk, reason="wrong address", actor=company.finance, at=NEXT_CLOSING)
    billing.close_november(at=NEXT_CLOSING + timedelta(hours=1))
    line = InvoiceLine.objects.get(invoice__status="draft", adjusts__isnull=False)
    assert (line.quantity, line.amount) == (250, Decimal("0.50"))


def test_late_usage_of_a_draft_waits_for_a_fresh_draft_and_is_reported(company: billing.Company) -> None:
    draft = billing.billed_customer(company)
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    assert queries.late_event_count(draft) == 1
    report = billing.close_november()
    assert (report.adjusted, report.late_waiting) == (0, 1)


def test_an_adjustment_is_taxed_as_the_line_it_corrects(company: billing.Company, october: Invoice) -> None:
    billing.prices.add_tax_rate(
        code="de-vat",
        name="VAT",
        category="S",
        percent=Decimal(21),
        effective_at=NOVEMBER,
        note="",
        actor=company.finance,
        at=NOVEMBER,
    )
    billing.use("acme", ("late", day(30), 5000), at=NEXT_CLOSING)
    billing.close_november()
    taxes = Invoice.objects.get(period_start=NOVEMBER).taxes.order_by("percent")
    assert [(tax.percent, tax.taxable, tax.tax) for tax in taxes] == [
        (19, Decimal(10), Decimal("1.90")),
        (21, Decimal(49), Decimal("10.29")),
    ]


def test_late_usage_of_an_ended_subscription_goes_to_the_customers_next_invoice(company: billing.Company) -> None:
    customer = billing.make_customer("acme")
    first = billing.subscribe_to(company, customer)
    subscribe.end_subscription(subscription=first, ends_at=NOVEMBER, actor=company.finance, at=OCTOBER)
    billing.use("acme", ("e1", day(3), 1000))
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])
    billing.subscribe_to(company, customer, since=NOVEMBER)
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    assert billing.close_november().adjusted == 1
    assert november_adjustment().amount == Decimal("0.50")


def test_late_usage_without_a_next_invoice_is_reported_by_every_close(company: billing.Company) -> None:
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    subscribe.end_subscription(subscription=subscription, ends_at=NOVEMBER, actor=company.finance, at=OCTOBER)
    billing.use("acme", ("e1", day(3), 1000))
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    for report in (billing.close_november(), billing.close_november(customer_codes=["acme"])):
        assert (report.drafted, report.late_waiting) == (0, 1)


def test_what_arrives_after_the_watermark_is_left_to_the_next_close(
    company: billing.Company, october: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    fix = close.watermarks.fix_watermark

    def fix_then_capture(*, at: datetime) -> Watermark:
        fixed = fix(at=at)
        billing.use("acme", ("just after", day(30), 250), at=NEXT_CLOSING)
        return fixed

    monkeypatch.setattr(close.watermarks, "fix_watermark", fix_then_capture)
    report = billing.close_november()
    assert (report.drafted, report.adjusted, report.late_waiting) == (1, 0, 1)
    assert Invoice.objects.get(period_start=NOVEMBER).lines.count() == 2


def test_late_usage_that_changes_nothing_is_still_accounted_for(company: billing.Company) -> None:
    peak = billing.make_meter("peak", event_type="peak", owner=company.finance, aggregation="max")
    plan = billing.make_plan("peaks", finance=company.finance, fee=None, meter=peak, unit_amount="2")
    billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.use("acme", ("e1", day(3), 10), event_type="peak")
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])
    billing.use("acme", ("late", day(4), 9), event_type="peak", at=NEXT_CLOSING)
    billing.close_november()
    line = november_adjustment()
    assert (line.quantity, line.amount) == (0, 0)
    assert billing.close_november(at=NEXT_CLOSING + timedelta(hours=1)).late_waiting == 0


def test_an_adjustment_can_be_held_approved_and_issued_like_any_line(
    company: billing.Company, october: Invoice
) -> None:
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    invoice = Invoice.objects.get(period_start=NOVEMBER)
    hold.hold_invoice(invoice_id=invoice.pk, reason="why so late?", actor=company.finance, at=NEXT_CLOSING)
    hold.release_invoice(invoice_id=invoice.pk, reason="sender was down", actor=company.other_finance, at=NEXT_CLOSING)
    billing.approve_by(company.finance, invoice)
    final = finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=NEXT_CLOSING)
    document = queries.invoice_document(final)
    assert document.lines[-1].adjusts == "INV-000001, line 2"
    assert document.number == "INV-000002"


def test_the_document_states_the_period_in_the_customers_zone(company: billing.Company, october: Invoice) -> None:
    document = queries.invoice_document(october)
    assert Period(document.period_start, document.period_end) == Period(OCTOBER, NOVEMBER)
    assert (document.time_zone, document.customer_code, document.is_draft) == ("UTC", "acme", False)
    assert CLOSING.date() == document.issue_date
