"""What lies far outside a customer's own past is born held for review; normal growth is not."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from invoicing.cycle import close, finalize, hold
from invoicing.cycle.models import Invoice, UnusualFigure
from tests.builders import billing
from tests.builders.people import ApiClient, key_for

pytestmark = pytest.mark.django_db
AUGUST, SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER = (datetime(2026, month, 1, tzinfo=UTC) for month in range(8, 13))


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def bill_month(start: datetime, end: datetime, units: int) -> Invoice:
    """49.00 a month and 0.002 a token, of which `units` were used at once."""
    noon = start.replace(day=10, hour=12)
    billing.use("acme", (f"use-{start:%m}", noon, units), at=noon)
    close.close_cycles(as_of=end, at=end.replace(day=2))
    return Invoice.objects.get(customer__code="acme", period_start=start)


def issue(company: billing.Company, invoice: Invoice, *, at: datetime) -> None:
    billing.issue(company, [invoice], at=at.replace(day=2))


def two_months_before(company: billing.Company) -> None:
    """51.00 and 53.00: 1,000 and 2,000 tokens."""
    billing.subscribe_to(company, billing.make_customer("acme"), since=AUGUST)
    issue(company, bill_month(AUGUST, SEPTEMBER, 1000), at=SEPTEMBER)
    issue(company, bill_month(SEPTEMBER, OCTOBER, 2000), at=OCTOBER)


@pytest.mark.parametrize(
    ("units", "found"),
    [
        (2000, []),  # 4.00 for tokens, 53.00 in all
        (10_000, []),  # 20.00 is five times the greatest of 2.00 and 4.00, and not more
        (10_005, ["tokens"]),  # 20.01
        (200, []),  # 0.40 is a fifth of the least
        (195, ["tokens"]),  # 0.39
        (55_000, ["tokens"]),  # 110.00; 159.00 in all is three times 53.00, and not more
        (55_005, [None, "tokens"]),  # 159.01
    ],
)
def test_a_month_beside_two_before(company: billing.Company, units: int, found: list[str | None]) -> None:
    two_months_before(company)
    invoice = bill_month(OCTOBER, NOVEMBER, units)
    figures = [figure.charge and figure.charge.code for figure in invoice.unusual.order_by("pk")]
    assert figures == found
    assert invoice.status == ("held" if found else "draft")


def test_it_is_held_with_both_figures_and_released_with_a_reason(company: billing.Company) -> None:
    two_months_before(company)
    invoice = bill_month(OCTOBER, NOVEMBER, 500_000)  # somebody typed a zero or two too many: 1,000.00
    placed = invoice.holds.get()
    assert (placed.cause, placed.placed_by) == ("review", None)
    assert placed.reason == (
        "The whole invoice comes to 1049.00 EUR; the last 2 invoices had 51.00 to 53.00. More than 3 times the greatest"
        " is looked at before it is sent."
    )
    whole, tokens = invoice.unusual.order_by("pk")
    assert (whole.amount, whole.least, whole.greatest, whole.periods, whole.times) == (1049, 51, 53, 2, 3)
    assert (tokens.amount, tokens.least, tokens.greatest, tokens.times) == (1000, 2, 4, 5)
    assert [move.reason for move in invoice.transitions.all()] == ["", "Figures far outside the customer's own past."]
    hold.release_invoice(
        invoice_id=invoice.pk, reason="a campaign, says the customer", actor=company.other_finance, at=billing.CLOSING
    )
    invoice.refresh_from_db()
    billing.approve_by(company.finance, invoice)
    assert finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=billing.CLOSING).number is not None


def test_one_earlier_invoice_is_no_past(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"), since=SEPTEMBER)
    issue(company, bill_month(SEPTEMBER, OCTOBER, 1000), at=OCTOBER)
    assert bill_month(OCTOBER, NOVEMBER, 500_000).status == "draft"


def test_drafts_are_no_past(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"), since=AUGUST)
    bill_month(AUGUST, SEPTEMBER, 1000)
    bill_month(SEPTEMBER, OCTOBER, 1000)
    assert bill_month(OCTOBER, NOVEMBER, 500_000).status == "draft"


@pytest.mark.parametrize(
    ("bounds", "status"),
    [
        ({"active": False}, "draft"),
        ({"line_times": "300", "invoice_times": "30"}, "draft"),
        ({"least": {"EUR": "5000"}}, "draft"),
        ({"least": {"USD": "5000"}}, "held"),
        ({"past_periods": 2}, "held"),
    ],
)
def test_the_bounds_are_the_policys(company: billing.Company, bounds: dict[str, Any], status: str) -> None:
    two_months_before(company)
    billing.sign_a_policy(author=company.meter.owner, terms={"review_bounds": bounds}, at=OCTOBER)
    assert bill_month(OCTOBER, NOVEMBER, 500_000).status == status


def test_what_corrects_earlier_invoices_is_not_compared(company: billing.Company) -> None:
    two_months_before(company)
    billing.use("acme", ("late", SEPTEMBER.replace(day=20), 400_000), at=OCTOBER.replace(day=3))  # 800.00
    invoice = bill_month(OCTOBER, NOVEMBER, 2000)
    assert invoice.lines.filter(adjusts__isnull=False).get().amount == Decimal(800)
    assert not UnusualFigure.objects.exists()


def test_the_api_shows_both_figures(company: billing.Company) -> None:
    two_months_before(company)
    invoice = bill_month(OCTOBER, NOVEMBER, 10_005)
    answer = ApiClient(key_for(company.finance)).get(f"invoices/{invoice.pk}").json()
    assert answer["unusual"] == [
        {
            "charge": "tokens",
            "amount": "20.01",
            "least": "2.00",
            "greatest": "4.00",
            "periods": 2,
            "times": "5",
            "detail": "Tokens comes to 20.01 EUR; the last 2 invoices had 2.00 to 4.00. More than 5 times the greatest"
            " is looked at before it is sent.",
        }
    ]
    assert answer["holds"][0]["cause"] == "review"
