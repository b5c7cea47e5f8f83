"""Previews: what would be drafted now, with nothing stored."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core.errors import InvalidInputError, NotFoundError
from core.periods import Period
from invoicing.cycle import preview
from invoicing.cycle.models import BillingCycle, Invoice
from invoicing.rating.models import RatedLine
from metering.models import AggregationSnapshot, Watermark
from tests.builders import billing
from tests.builders.billing import CLOSING, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def look(code: str = "acme", start: datetime = OCTOBER, end: datetime = NOVEMBER) -> preview.Preview:
    return preview.preview_for(customer_code=code, start=start, end=end, at=CLOSING)


def test_a_preview_has_the_figures_that_the_draft_will_have(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 1000), ("e2", day(20), 500))
    seen = look()
    assert not Invoice.objects.exists()
    billing.close_october()
    drafted = Invoice.objects.get()
    assert (seen.totals.subtotal, seen.totals.tax, seen.totals.total) == (
        Decimal(52),
        Decimal("9.88"),
        Decimal("61.88"),
    )
    assert [(line.description, line.quantity, line.unit_price, line.amount) for line in seen.lines] == [
        (line.description, line.quantity, line.unit_price, line.amount) for line in drafted.lines.all()
    ]
    assert [(tax.name, tax.taxable, tax.tax) for tax in seen.taxes] == [("VAT", Decimal(52), Decimal("9.88"))]


def test_nothing_is_stored(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 1000))
    look()
    for model in (BillingCycle, Invoice, RatedLine, AggregationSnapshot, Watermark):
        assert not model.objects.exists()


def test_a_part_of_a_period_takes_its_share_of_the_fee(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 1000), ("e2", day(20), 500))
    seen = look(end=OCTOBER + timedelta(days=9))
    assert [(line.quantity, line.amount) for line in seen.lines] == [
        (1, Decimal("14.23")),  # 49 × 9/31 = 14.226
        (1000, Decimal("2.00")),
    ]


def test_several_billing_periods_are_priced_one_by_one(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"), since=datetime(2026, 9, 1, tzinfo=UTC))
    billing.use("acme", ("e1", day(3), 1000), ("e0", day(3, month=9), 2000))
    seen = look(start=datetime(2026, 9, 1, tzinfo=UTC))
    assert [(line.segment_start.month, line.amount) for line in seen.lines] == [
        (9, Decimal(49)),
        (9, Decimal(4)),
        (10, Decimal(49)),
        (10, Decimal(2)),
    ]


def test_a_customer_without_a_subscription_owes_nothing(company: billing.Company) -> None:
    billing.make_customer("acme")
    seen = look()
    assert (seen.lines, seen.totals.total, seen.currency) == ((), 0, "EUR")


def test_closed_periods_can_be_previewed_too(company: billing.Company) -> None:
    billing.billed_customer(company)
    assert look().totals.total == Decimal("61.88")


def test_what_cannot_be_asked_is_refused(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    with pytest.raises(NotFoundError, match="There is no customer nobody"):
        look("nobody")
    with pytest.raises(InvalidInputError) as refusal:
        look(start=NOVEMBER, end=OCTOBER)
    assert refusal.value.pointer == "/period/end"
    with pytest.raises(preview.PeriodTooLongError):
        look(end=datetime(2090, 1, 1, tzinfo=UTC))


def test_a_preview_needs_the_tax_rate_that_a_draft_needs(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme", tax_rate_code="fr-vat"))
    with pytest.raises(preview.NoTaxRateError, match="No tax rate fr-vat is in force"):
        preview.preview_invoice(customer=billing.Customer.objects.get(), period=Period(OCTOBER, NOVEMBER), at=CLOSING)
