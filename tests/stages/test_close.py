"""Closing: every due period becomes one draft, with the figures of its events."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Seller
from core import audit
from invoicing.cycle import close, discard
from invoicing.cycle.models import BillingCycle, Break, Invoice, InvoiceLine, TieOut
from invoicing.pricing import subscribe
from metering import queries
from metering.models import AggregationSnapshot
from tests.builders import billing
from tests.builders.billing import CLOSING, DECEMBER, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db


def test_a_closed_month_becomes_a_draft_with_the_figures_of_its_events() -> None:
    company = billing.open_company()
    invoice = billing.billed_customer(company)
    fee, usage = invoice.lines.order_by("position")
    assert (fee.description, fee.quantity, fee.unit_price, fee.amount) == ("Base", 1, "49", Decimal(49))
    assert (usage.description, usage.meter_code, usage.unit) == ("Tokens", "tokens", "unit")
    assert (usage.quantity, usage.unit_price, usage.amount) == (1500, "0.002", Decimal(3))
    assert (usage.segment_start, usage.segment_end) == (OCTOBER, NOVEMBER)
    assert (invoice.status, invoice.number, invoice.currency) == ("draft", None, "EUR")
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Decimal("52.00"), Decimal("9.88"), Decimal("61.88"))
    tax = invoice.taxes.get()
    assert (tax.name, tax.category, tax.percent, tax.taxable) == ("VAT", "S", 19, Decimal(52))
    assert invoice.parties["seller"]["tax_id"] == "DE811193231"
    assert (invoice.opened_parties["customer"]["name"], invoice.terms_days) == ("Acme GmbH", 14)


def test_a_draft_brings_its_recount_its_first_move_and_its_audit_entry() -> None:
    invoice = billing.billed_customer(billing.open_company())
    tie_out = TieOut.objects.get(invoice=invoice)
    assert (tie_out.raw_events, tie_out.aggregated_events, tie_out.rated_lines, tie_out.is_tied) == (2, 2, 2, True)
    move = invoice.transitions.get()
    assert (move.from_status, move.to_status, move.revision, move.actor, move.moved_at) == (
        "",
        "draft",
        0,
        None,
        CLOSING,
    )
    assert (move.audit_entry.action, move.audit_entry.subject) == ("invoice.drafted", f"invoice:{invoice.pk}")
    assert move.audit_entry.facts["content_hash"] == invoice.content_hash
    assert audit.find_first_broken_entry() is None


def test_closing_again_adds_nothing() -> None:
    billing.billed_customer(billing.open_company())
    report = billing.close_october()
    assert (report.drafted, report.failed) == (0, [])
    assert BillingCycle.objects.count() == Invoice.objects.count() == 1


def test_periods_that_have_not_ended_by_the_instant_wait() -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"))
    assert billing.close_october(as_of=NOVEMBER - timedelta(microseconds=1)).drafted == 0
    assert billing.close_october(as_of=NOVEMBER).drafted == 1


def test_usage_of_a_period_that_was_closed_early_is_late() -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(5), 3))
    assert close.close_cycles(as_of=DECEMBER, at=CLOSING).drafted == 2
    billing.use("acme", ("e2", day(1, month=11), 4), at=day(2, month=11))
    (late,) = queries.late_windows()
    assert (late.event_count, AggregationSnapshot.objects.get(pk=late.snapshot_id).window_start) == (1, NOVEMBER)


def test_several_periods_that_were_missed_become_one_draft_each() -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"), since=datetime(2026, 8, 15, tzinfo=UTC))
    report = billing.close_november()
    assert report.drafted == 3  # counted from the 15th
    starts = Invoice.objects.order_by("period_start").values_list("period_start", flat=True)
    assert [start.date().isoformat() for start in starts] == ["2026-08-15", "2026-09-15", "2026-10-15"]


def test_only_the_customers_that_were_named_are_closed() -> None:
    company = billing.open_company()
    for code in ("acme", "globex", "initech"):
        billing.subscribe_to(company, billing.make_customer(code))
    report = billing.close_october(customer_codes=["acme", "initech"])
    assert report.drafted == 2
    assert set(Invoice.objects.values_list("customer__code", flat=True)) == {"acme", "initech"}


def test_a_customer_who_does_not_exist_is_named() -> None:
    billing.open_company()
    with pytest.raises(close.due.UnknownCustomerError, match="There is no customer nobody"):
        billing.close_october(customer_codes=["nobody"])


def test_the_month_is_the_customers_own() -> None:
    company = billing.open_company()
    start = datetime(2026, 10, 1, 4, tzinfo=UTC)  # midnight in New York
    customer = billing.make_customer("globex", time_zone="America/New_York")
    billing.subscribe_to(company, customer, since=start)
    end = datetime(2026, 11, 1, 4, tzinfo=UTC)
    billing.use("globex", ("in", end - timedelta(seconds=1), 7), ("out", end, 90))
    assert billing.close_october(as_of=end - timedelta(seconds=1)).drafted == 0
    billing.close_october(as_of=end)
    invoice = Invoice.objects.get()
    assert (invoice.period_start, invoice.period_end) == (start, end)
    assert invoice.lines.get(meter_code="tokens").quantity == 7
    assert invoice.parties["customer"]["time_zone"] == "America/New_York"


def test_a_change_of_plan_splits_the_month_into_segments() -> None:
    company = billing.open_company()
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    bigger = billing.make_plan("bigger", finance=company.finance, fee="99", meter=company.meter, unit_amount="0.001")
    change = datetime(2026, 10, 11, tzinfo=UTC)
    subscribe.change_plan(subscription=subscription, plan=bigger, effective_at=change, actor=company.finance, at=change)
    billing.use("acme", ("before", change - timedelta(microseconds=1), 1000), ("on", change, 2000))
    billing.close_october()
    lines = InvoiceLine.objects.order_by("segment_start", "position").values_list(
        "description", "segment_start", "quantity", "amount"
    )
    assert list(lines) == [
        ("Base", OCTOBER, Decimal(1), Decimal("15.81")),  # 49 × 10/31 = 15.806
        ("Tokens", OCTOBER, Decimal(1000), Decimal("2.00")),
        ("Base", change, Decimal(1), Decimal("67.06")),  # 99 × 21/31 = 67.064
        ("Tokens", change, Decimal(2000), Decimal("2.00")),
    ]


def test_a_month_without_usage_still_bills_the_fee() -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.close_october()
    assert list(Invoice.objects.order_by("lines__position").values_list("subtotal", "lines__amount")) == [
        (Decimal(49), Decimal(49)),
        (Decimal(49), Decimal(0)),
    ]


def test_a_plan_without_any_price_bills_nothing_and_leaves_the_period_open() -> None:
    company = billing.open_company()
    empty = billing.make_plan("empty", finance=company.finance, fee=None, meter=None)
    billing.subscribe_to(company, billing.make_customer("acme"), plan=empty)
    report = billing.close_october()
    assert (report.drafted, report.nothing_to_bill) == (0, 1)
    assert not BillingCycle.objects.exists()
    billing.set_price(empty, charge="base", model="flat", params={"amount": "10"}, finance=company.finance)
    assert billing.close_october().drafted == 1


def test_usage_that_no_price_covers_holds_the_draft_at_once() -> None:
    company = billing.open_company()
    billing.make_meter("storage", event_type="storage", owner=company.finance)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("s1", day(5), 3), ("s2", day(6), 4), event_type="storage")
    report = billing.close_october()
    assert (report.drafted, report.held, report.breaks) == (1, 1, 1)
    invoice = Invoice.objects.get()
    found = Break.objects.get()
    assert (found.name, found.detail) == (
        "usage_without_price",
        "2 events of type storage fall where no price of the plan covers them.",
    )
    assert (found.facts["event_type"], found.facts["events"]) == ("storage", "2")
    assert (invoice.status, invoice.revision) == ("held", 1)
    assert [(move.from_status, move.to_status) for move in invoice.transitions.all()] == [
        ("", "draft"),
        ("draft", "held"),
    ]
    hold = invoice.holds.get()
    assert (hold.cause, hold.placed_by, hold.reason) == ("break", None, found.detail)


def test_usage_alone_without_any_price_is_not_lost_but_held() -> None:
    company = billing.open_company()
    empty = billing.make_plan("empty", finance=company.finance, fee=None, meter=None)
    billing.subscribe_to(company, billing.make_customer("acme"), plan=empty)
    billing.use("acme", ("e1", day(5), 3))
    billing.close_october()
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.total, invoice.lines.count()) == ("held", 0, 0)


def test_what_another_subscription_of_the_customer_prices_is_not_stray() -> None:
    company = billing.open_company()
    storage = billing.make_meter("storage", event_type="storage", owner=company.finance)
    more = billing.make_plan("more", finance=company.finance, fee=None, meter=storage, unit_amount="1")
    customer = billing.make_customer("acme")
    billing.subscribe_to(company, customer)
    billing.subscribe_to(company, customer, plan=more)
    billing.use("acme", ("s1", day(5), 3), event_type="storage")
    billing.use("acme", ("e1", day(5), 3))
    report = billing.close_october()
    assert (report.drafted, report.held) == (2, 0)


def test_a_missing_seller_stops_the_close_and_says_what_to_do() -> None:
    with pytest.raises(close.SellerMissingError, match="add one in the back office"):
        billing.close_october()


def test_two_sellers_are_one_too_many() -> None:
    billing.open_company()
    Seller.objects.create(code="second", legal_name="Second", address="x", country="DE")
    with pytest.raises(close.SellerMissingError, match="keep only one"):
        billing.close_october()


def test_a_customer_without_a_tax_rate_in_force_is_named_and_the_others_go_on() -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme", tax_rate_code="fr-vat"))
    billing.subscribe_to(company, billing.make_customer("globex"))
    report = billing.close_october()
    assert report.drafted == 1
    [failure] = report.failed
    assert (failure.customer, failure.period.start) == ("acme", OCTOBER)
    assert failure.reason.startswith("No tax rate fr-vat is in force at the end of the period")


def test_the_tax_rate_of_a_period_is_the_one_at_its_last_moment() -> None:
    company = billing.open_company()
    for percent, effective_at in (("21", NOVEMBER - timedelta(microseconds=1)), ("25", NOVEMBER)):
        billing.prices.add_tax_rate(
            code="de-vat",
            name="VAT",
            category="S",
            percent=Decimal(percent),
            effective_at=effective_at,
            note="",
            actor=company.finance,
            at=OCTOBER,
        )
    assert billing.billed_customer(company).taxes.get().percent == 21


def test_a_customer_outside_the_scope_of_tax_is_billed_without() -> None:
    invoice = billing.billed_customer(billing.open_company(), tax_rate_code="")
    tax = invoice.taxes.get()
    assert (tax.category, tax.percent, tax.tax, invoice.total) == ("O", 0, 0, Decimal(52))


def test_one_customer_whose_usage_cannot_be_billed_does_not_stop_the_others() -> None:
    company = billing.open_company()
    for code in ("acme", "globex", "initech"):
        billing.subscribe_to(company, billing.make_customer(code))
    billing.use("globex", *((f"e{number}", day(3), 10**15) for number in range(2)))
    report = billing.close_october()
    assert report.drafted == 2
    [failure] = report.failed
    assert failure.customer == "globex"
    assert "adds up to 2.000000000000000E+15" in failure.reason


def test_a_discarded_draft_is_counted_and_drafted_afresh() -> None:
    company = billing.open_company()
    first = billing.billed_customer(company)
    billing.use("acme", ("e3", day(25), 500))
    assert billing.close_october().drafted == 0
    discard.discard_invoice(
        invoice_id=first.pk, reason="an event came late", actor=company.finance, at=CLOSING + timedelta(hours=1)
    )
    assert billing.close_october(at=CLOSING + timedelta(hours=2)).drafted == 1
    second = Invoice.objects.exclude(pk=first.pk).get()
    assert second.cycle_id == first.cycle_id
    assert second.lines.get(meter_code="tokens").quantity == 2000
    first.refresh_from_db()
    assert (first.status, first.lines.get(meter_code="tokens").quantity) == ("discarded", 1500)


def test_the_number_of_statements_does_not_grow_with_the_customers() -> None:
    company = billing.open_company()
    for number in range(2):
        billing.subscribe_to(company, billing.make_customer(f"few{number}"))
        billing.use(f"few{number}", ("e1", day(3), 5))
    with CaptureQueriesContext(connection) as few:
        assert billing.close_october().drafted == 2
    for number in range(20):
        billing.subscribe_to(company, billing.make_customer(f"many{number}"))
        billing.use(f"many{number}", ("e1", day(3), 5))
    with CaptureQueriesContext(connection) as many:
        assert billing.close_october().drafted == 20
    assert len(many) == len(few)


def test_chunks_hold_whole_customers_and_report_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(close, "CHUNK_PERIODS", 3)
    company = billing.open_company()
    for code in ("acme", "globex", "initech"):
        billing.subscribe_to(company, billing.make_customer(code), since=datetime(2026, 9, 1, tzinfo=UTC))
    steps: list[tuple[int, int]] = []
    report = billing.close_october(progress=lambda done, total: steps.append((done, total)))
    assert report.drafted == 6
    assert steps == [(2, 6), (4, 6), (6, 6)]


def test_a_period_after_the_subscription_ended_inside_a_closed_one_is_not_billed_again() -> None:
    company = billing.open_company()
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    billing.close_october()
    subscribe.end_subscription(subscription=subscription, ends_at=day(20), actor=company.finance, at=CLOSING)
    report = billing.close_november()
    assert report.drafted == 0
    assert Invoice.objects.count() == 1
