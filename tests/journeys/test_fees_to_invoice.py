"""Payments and payouts come in over HTTP, a month is closed, and each fee program is a line of its own."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing_ops.management.commands import check_invariants
from compliance.evidence import trace
from invoicing.cycle import finalize, park, queries
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.cycle.rules import parking
from invoicing.documents import page
from invoicing.pricing.models import Plan
from tests.builders import billing, fees
from tests.builders.billing import NOVEMBER, OCTOBER
from tests.builders.people import ApiClient, key_for

pytestmark = pytest.mark.django_db
PAYMENTS = [("100.00", {}), ("37.45", {"international": True}), ("5.00", {}), ("20.00", {"manual": True})]
PAYOUTS = [("north", "1000.00"), ("north", "500.00"), ("south", "250.50")]


@pytest.fixture
def platform() -> Plan:
    return fees.open_platform()


def send(client: ApiClient, kind: str, number: int, data: dict[str, Any], *, day: int = 5) -> dict[str, Any]:
    event = fees.event(kind, str(number), data, at=datetime(2026, 10, day, 12, tzinfo=UTC))
    answer = client.post("events", [event])
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1), answer.content
    return event


def send_month(client: ApiClient) -> None:
    for number, (amount, flags) in enumerate(PAYMENTS):
        send(client, "payment.succeeded", number, {"amount": amount, **flags}, day=number + 1)
    for number, (account, amount) in enumerate(PAYOUTS):
        send(client, "payout.sent", number, {"amount": amount, "account": account, "country": "US"}, day=28)


def api() -> ApiClient:
    return ApiClient(key_for(billing.person("olaf", "engineering"), scopes=("events:write",)))


def close() -> Invoice:
    report = billing.close_october()
    assert (report.drafted, report.held, report.failed) == (1, 0, [])
    return Invoice.objects.exclude(status="discarded").get()


def figures(invoice: Invoice) -> list[tuple[str, Decimal, Decimal]]:
    return [(line.description, line.quantity, line.amount) for line in invoice.lines.order_by("position")]


@pytest.mark.usefixtures("platform")
def test_each_program_is_a_line_of_its_own_with_its_computation() -> None:
    send_month(api())
    invoice = close()
    # cards: 3.20 + 1.95 (1.9478) + 0.45 (0.445) + 0.98; managed, 3.5 %: 3.50 + 1.31 (1.31075) + 0.18 (0.175) + 0.70
    # connect: 2 × 2.00 + 0.25 % of 1,750.50 (4.37625) + 3 × 0.25 = 9.12625, rounded once
    assert figures(invoice) == [
        ("Cards", Decimal("162.45"), Decimal("6.58")),
        ("Managed", Decimal("162.45"), Decimal("5.69")),
        ("Connect", Decimal("1750.50"), Decimal("9.13")),
    ]
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Decimal("21.40"), Decimal("4.07"), Decimal("25.47"))
    connect = invoice.lines.get(description="Connect").rated_line
    assert [(step["label"], step["quantity"], step["amount"]) for step in connect.computation] == [
        ("Active accounts", "2", "4"),
        ("0.25% of the volume", "1750.5", "4.37625"),
        ("Fixed part, per transaction", "3", "0.75"),
    ]
    assert (connect.amount_exact, str(connect.fee_version)) == (Decimal("9.12625"), "stripe-connect v1")


@pytest.mark.usefixtures("platform")
def test_every_line_walks_back_to_its_events_and_forward_to_its_amount() -> None:
    send_month(api())
    invoice = close()
    walked = trace.trace_invoice(invoice_id=invoice.pk)
    assert walked.is_equal, [each.first_difference for each in walked.traces]
    assert [offence for each in check_invariants.all_invariants() for offence in each.find_offenders()] == []


@pytest.mark.usefixtures("platform")
def test_the_document_explains_each_fee() -> None:
    send_month(api())
    context = page.page_context(queries.invoice_document(close()))
    explained = {line["description"]: [step["label"] for step in line["steps"]] for line in context["explained"]}
    assert explained["Cards"] == [
        "2.9% of the volume",
        "Fixed part, per transaction",
        "Each fee rounded by itself",
        "2.9% + 1.5% international = 4.4% of the volume",
        "Fixed part, per transaction",
        "Each fee rounded by itself",
        "2.9% + 0.5% manual = 3.4% of the volume",
        "Fixed part, per transaction",
    ]


@pytest.mark.usefixtures("platform")
def test_new_figures_of_a_card_program_split_the_month_at_their_instant() -> None:
    terms = {"tables": [{"currency": "USD", "rate_percent": "3.1", "fixed": "0.30"}], "rounding_level": "per_payout"}
    instant = datetime(2026, 10, 3, 12, tzinfo=UTC)  # that of the third payment, which is the new figures'
    fees.next_figures("stripe-standard", terms, effective_at=instant)
    send_month(api())
    invoice = close()
    cards = invoice.lines.filter(description="Cards").order_by("segment_start")
    # 3.20 + 1.95 before; 5.00 × 3.1 % + 0.30 = 0.455 → 0.46 and 20.00 × 3.1 % + 0.30 = 0.92 after
    assert [(line.segment_start, line.segment_end, line.amount) for line in cards] == [
        (OCTOBER, instant, Decimal("5.15")),
        (instant, NOVEMBER, Decimal("1.38")),
    ]
    assert trace.trace_invoice(invoice_id=invoice.pk).is_equal


@pytest.mark.usefixtures("platform")
def test_new_figures_of_connect_wait_for_the_next_period_so_that_no_account_counts_twice() -> None:
    terms = {"tables": [{"currency": "USD", "rate_percent": "1", "per_account": "3.00"}]}
    fees.next_figures("stripe-connect", terms, effective_at=datetime(2026, 10, 15, tzinfo=UTC))
    client = api()
    send(client, "payout.sent", 1, {"amount": "100.00", "account": "north"}, day=5)
    send(client, "payout.sent", 2, {"amount": "100.00", "account": "north"}, day=20)
    invoice = close()
    line = invoice.lines.get(description="Connect")
    # 2.00 + 0.25 % of 200.00 + 2 × 0.25
    assert (line.segment_start, line.segment_end, line.amount) == (OCTOBER, NOVEMBER, Decimal("3.00"))
    assert trace.trace_invoice(invoice_id=invoice.pk).is_equal


def test_a_late_payout_bills_the_difference_on_the_next_invoice(platform: Plan) -> None:
    client = api()
    send_month(client)
    invoice = close()
    billing.approve_by(billing.person("fiona", "finance"), invoice)
    finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=billing.CLOSING)
    send(client, "payout.sent", 9, {"amount": "100.00", "account": "east"}, day=30)
    billing.close_november()
    late = InvoiceLine.objects.get(adjusts__isnull=False)
    # 3 × 2.00 + 0.25 % of 1,850.50 (4.62625) + 4 × 0.25 = 11.62625 → 11.63, less 9.13
    assert (late.quantity, late.amount, late.rated_line.amount) == (Decimal(100), Decimal("2.50"), Decimal("11.63"))
    assert platform.charges.count() == 3


@pytest.mark.usefixtures("platform")
def test_a_country_without_a_table_parks_its_customer_until_it_has_one() -> None:
    terms = {"tables": [{"currency": "USD", "country": "US", "rate_percent": "1"}]}
    fees.next_figures("stripe-managed-payments", terms, effective_at=datetime(2026, 2, 1, tzinfo=UTC))
    send_month(api())
    report = billing.close_october()
    assert report.drafted == 0
    parked = park.open_parkings().get()
    assert (parked.code, parked.customer.code) == ("unratable", report.failed[0].customer)
    assert "Fee program stripe-managed-payments: There is no table in USD" in parked.reason
    assert "Add it as a new version" in parking.way_out(parked.code)
    terms["tables"].append({"currency": "USD", "rate_percent": "1"})
    fees.next_figures("stripe-managed-payments", terms, effective_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert billing.close_october().drafted == 1
    assert not park.open_parkings().exists()
