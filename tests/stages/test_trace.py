"""A line is walked back to its events and forward to its amount; where something was altered, the walk says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.evidence import events, forward, trace
from compliance.evidence.trace import Trace
from core.errors import NotFoundError
from invoicing.cycle.models import Invoice
from invoicing.pricing import prices, subscribe
from invoicing.pricing.models import Charge
from metering.models import AggregationSnapshot
from tests.builders import billing

pytestmark = pytest.mark.django_db
ALL_OCTOBER = "2026-10-01 00:00:00+00:00 to 2026-11-01 00:00:00+00:00"


@contextmanager
def without_guards() -> Iterator[None]:
    """As somebody with the owner's rights could: no trigger, no foreign key."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET LOCAL session_replication_role = origin")


def alter(statement: str) -> None:
    with without_guards(), connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0


def usage_line(invoice: Invoice) -> Trace:
    return trace.trace_line(line_id=invoice.lines.get(meter_code="tokens").pk)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def invoice(company: billing.Company) -> Invoice:
    """1,000 and 500 tokens at 0.002, and a fee of 49.00."""
    return billing.billed_customer(company)


def test_usage_is_walked_to_each_event_and_back(invoice: Invoice) -> None:
    walked = usage_line(invoice)
    assert walked.is_equal
    assert walked.is_event_by_event
    assert [(check.step, check.claimed, check.found) for check in walked.checks if "digest" not in check.step] == [
        ("events counted", "2", "2"),
        ("events stored as they were captured", "2", "2"),
        ("events without a usable value", "0", "0"),
        ("quantity measured", "1500", "1500"),
        ("quantity that was rated", "1500", "1500"),
        ("price in force", "version 1", "version 1"),
        ("in force since", "2026-01-01 00:00:00+00:00", "2026-01-01 00:00:00+00:00"),
        ("time under this plan and price", ALL_OCTOBER, ALL_OCTOBER),
        ("terms of the plan in force", "version 1", "version 1"),
        ("computation", "1500 × 0.002 + 0 = 3", "1500 × 0.002 + 0 = 3"),
        ("amount before its rounding", "3", "3"),
        ("amount", "3", "3"),
        ("quantity on the invoice", "1500", "1500"),
        ("amount on the invoice", "3", "3"),
    ]


def test_a_flat_fee_has_no_events_and_still_follows_from_its_price(invoice: Invoice) -> None:
    fee = trace.trace_line(line_id=invoice.lines.get(meter_code="").pk)
    assert fee.is_equal
    assert fee.snapshot is None
    assert [check.found for check in fee.checks if check.step == "amount on the invoice"] == ["49"]


def test_the_whole_invoice_adds_up(invoice: Invoice) -> None:
    whole = trace.trace_invoice(invoice_id=invoice.pk)
    assert whole.is_equal
    assert len(whole.traces) == 2
    assert [(check.step, check.claimed, check.found) for check in whole.checks] == [
        ("subtotal from the lines", "52", "52"),
        ("VAT, 19 % of 52", "9.88", "9.88"),
        ("tax from the tax lines", "9.88", "9.88"),
        ("total", "61.88", "61.88"),
    ]


@pytest.mark.parametrize(
    ("statement", "step"),
    [
        ("DELETE FROM metering_usageevent WHERE event_id = 'e2'", "events counted"),
        (
            """UPDATE metering_usageevent SET data = '{"units": 999}' WHERE event_id = 'e1'""",
            "events stored as they were captured",
        ),
        (
            """UPDATE metering_usageevent SET data = '{"units": 1000, "note": "x"}' WHERE event_id = 'e1'""",
            "events stored as they were captured",
        ),
        ("UPDATE metering_usageevent SET event_id = 'e3' WHERE event_id = 'e1'", "events stored as they were captured"),
        (
            "UPDATE metering_usageevent SET occurred_at = occurred_at + interval '1 second' WHERE event_id = 'e1'",
            "events stored as they were captured",
        ),
        ("UPDATE metering_aggregationsnapshot SET digest = repeat('0', 64)", "digest of the events"),
        ("UPDATE metering_aggregationsnapshot SET unmeasured_count = 1", "events without a usable value"),
        ("UPDATE metering_aggregationsnapshot SET quantity = 1600", "quantity measured"),
        ("UPDATE rating_ratedline SET quantity = 1600 WHERE snapshot_id IS NOT NULL", "quantity that was rated"),
        (
            "UPDATE pricing_priceversion SET effective_at = '2026-11-15Z'",
            "price in force",
        ),
        ("UPDATE rating_ratedline SET effective_at = '2026-02-01Z'", "in force since"),
        (
            """UPDATE pricing_priceversion SET params = '{"unit_amount": "0.003"}' WHERE model = 'standard'""",
            "computation",
        ),
        ("UPDATE rating_ratedline SET amount_exact = 3.001", "amount before its rounding"),
        ("UPDATE rating_ratedline SET amount = 4 WHERE snapshot_id IS NOT NULL", "amount"),
        ("UPDATE cycle_invoiceline SET quantity = 1501 WHERE meter_code = 'tokens'", "quantity on the invoice"),
        ("UPDATE cycle_invoiceline SET amount = 3.01 WHERE meter_code = 'tokens'", "amount on the invoice"),
    ],
)
def test_the_walk_leaves_the_books_where_they_were_altered(invoice: Invoice, statement: str, step: str) -> None:
    alter(statement)
    walked = usage_line(invoice)
    assert walked.first_difference is not None
    assert walked.first_difference.step == step
    assert not walked.is_equal
    assert not trace.trace_invoice(invoice_id=invoice.pk).is_equal


def test_totals_that_were_altered_are_seen_although_every_line_is_right(invoice: Invoice) -> None:
    alter("UPDATE cycle_invoice SET subtotal = subtotal + 1, total = total + 1")
    whole = trace.trace_invoice(invoice_id=invoice.pk)
    assert all(walked.is_equal for walked in whole.traces)
    assert not whole.is_equal


def test_a_price_that_changed_in_the_period_gives_two_segments_each_with_its_price(company: billing.Company) -> None:
    billing.set_price(
        company.plan,
        meter=company.meter,
        model="standard",
        params={"unit_amount": "0.003"},
        finance=company.finance,
        effective_at=billing.day(10),
    )
    invoice = billing.billed_customer(company)
    first, second = invoice.lines.filter(meter_code="tokens").order_by("segment_start")
    before, after = trace.trace_line(line_id=first.pk), trace.trace_line(line_id=second.pk)
    assert (before.is_equal, after.is_equal) == (True, True)
    assert (before.rated.price_version.version, after.rated.price_version.version) == (1, 2)
    assert before.next_price == after.rated.price_version
    assert after.next_price is None


def test_a_price_that_was_agreed_later_does_not_disturb_what_was_billed(
    company: billing.Company, invoice: Invoice
) -> None:
    later = billing.CLOSING + timedelta(days=30)
    price = prices.propose_price_version(
        charge=Charge.objects.get(meter=company.meter),
        model="standard",
        params={"unit_amount": "0.009"},
        effective_at=billing.day(5),
        actor=company.finance,
        at=billing.LONG_AGO,
    )
    prices.approve_price_version(pk=price.pk, actor=company.other_finance, at=later)
    assert usage_line(invoice).is_equal


def test_an_adjustment_is_the_window_counted_again_less_what_was_billed_before(company: billing.Company) -> None:
    original = billing.issue(company, [billing.billed_customer(company)])[0]
    billing.use("acme", ("late", billing.day(25), 250), at=billing.NEXT_CLOSING)
    billing.close_november()
    november = Invoice.objects.exclude(pk=original.pk).get()
    line = november.lines.get(adjusts__isnull=False)
    walked = trace.trace_line(line_id=line.pk)
    assert walked.is_equal
    assert line.adjusts is not None
    assert walked.billed_before is not None
    assert [earlier.invoice for earlier in walked.billed_before.lines] == [original]
    assert (walked.billed_before.quantity, walked.billed_before.amount) == (Decimal(1500), Decimal(3))
    assert [(check.step, check.found) for check in walked.checks[-3:]] == [
        ("window counted again", str(line.adjusts.rated_line.snapshot_id)),
        ("quantity less what was billed before", "250"),
        ("amount less what was billed before", "0.5"),
    ]
    assert usage_line(original).is_equal
    alter("UPDATE cycle_invoiceline SET amount = 0.6 WHERE adjusts_id IS NOT NULL")
    altered = trace.trace_line(line_id=line.pk).first_difference
    assert altered is not None
    assert altered.step == "amount less what was billed before"


def test_many_events_are_recounted_instead_of_looked_at_one_by_one(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "EVENT_BY_EVENT_MAX", 1)
    walked = usage_line(invoice)
    assert (walked.is_equal, walked.is_event_by_event) == (True, False)
    alter("""UPDATE metering_usageevent SET data = '{"units": 999}' WHERE event_id = 'e1'""")
    assert [check.step for check in usage_line(invoice).checks if not check.is_equal] == ["quantity measured"]


def test_events_are_paged_in_the_order_of_capture_and_found_by_their_id(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", *[(f"e{number}", billing.day(3), number) for number in range(5)])
    billing.close_october()
    billing.use("acme", ("later", billing.day(3), 7))
    snapshot = AggregationSnapshot.objects.select_related("watermark", "customer", "meter__contract").get()
    first = events.page_of_events(snapshot, after_seq=0, limit=2)
    assert first.next_after is not None
    second = events.page_of_events(snapshot, after_seq=first.next_after, limit=3)
    assert [event.row.event_id for event in [*first.events, *second.events]] == ["e0", "e1", "e2", "e3", "e4"]
    assert second.next_after is None
    [found] = events.find_events(snapshot, event_id="e3").events
    assert (found.row.value, found.is_as_captured) == (Decimal(3), True)
    assert events.find_events(snapshot, event_id="later").events == []
    assert events.find_events(snapshot, event_id="nobody").events == []


def test_the_number_of_questions_does_not_grow_with_the_events(company: billing.Company) -> None:
    counts = []
    for size, code in ((2, "small"), (40, "large")):
        billing.subscribe_to(company, billing.make_customer(code))
        billing.use(code, *[(f"{code}{number}", billing.day(3), 1) for number in range(size)])
        billing.close_october(customer_codes=[code])
        invoice = Invoice.objects.get(customer__code=code)
        with CaptureQueriesContext(connection) as asked:
            assert usage_line(invoice).is_equal
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_unknown_lines_and_invoices_are_not_found(invoice: Invoice) -> None:
    line = invoice.lines.get(position=1)
    assert trace.find_line(line_id=line.pk, invoice_id=invoice.pk) == line
    with pytest.raises(NotFoundError):
        trace.find_line(line_id=line.pk, invoice_id=invoice.pk + 1)
    with pytest.raises(NotFoundError):
        trace.trace_line(line_id=0)
    with pytest.raises(NotFoundError):
        trace.trace_invoice(invoice_id=0)


def test_steps_are_told_as_a_person_would_write_them() -> None:
    step = {"quantity": "1000", "unit_price": "0.01", "flat_fee": "5", "amount": "15"}
    assert forward.tell_steps([step, step]) == "1000 × 0.01 + 5 = 15; 1000 × 0.01 + 5 = 15"


def test_the_fee_of_a_part_of_a_period_shows_its_share(company: billing.Company) -> None:
    subscribe.start_subscription(
        customer=billing.make_customer("acme"),
        plan=company.plan,
        starts_at=billing.day(15),
        anchor_date=date(2026, 10, 1),
        actor=company.finance,
        at=billing.day(15),
    )
    billing.close_october()
    walked = trace.trace_line(line_id=Invoice.objects.get().lines.get(meter_code="").pk)
    assert walked.is_equal
    computation = next(check for check in walked.checks if check.step == "computation")
    assert computation.found.startswith("1 × 49 × 17/31 + 0 = 26.8709")
    assert walked.line.amount == Decimal("26.87")
