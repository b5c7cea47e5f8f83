"""A customer moves to another plan in the middle of a month: each part by its own terms, and one invoice."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from compliance.evidence import trace
from invoicing.cycle.models import Invoice
from invoicing.pricing import subscribe
from tests.builders import billing
from tests.builders.billing import OCTOBER, day

pytestmark = pytest.mark.django_db
CHANGE = datetime(2026, 10, 16, tzinfo=UTC)


def test_both_plans_stand_on_the_invoice_of_the_month() -> None:
    company = billing.open_company()
    larger = billing.make_plan("pro", finance=company.finance, fee="99", meter=company.meter, unit_amount="0.001")
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 1000))
    subscribe.change_plan(subscription=subscription, plan=larger, effective_at=CHANGE, actor=company.finance, at=CHANGE)
    billing.use("acme", ("e2", day(20), 2000))
    billing.close_october()
    invoice = Invoice.objects.get()
    lines = invoice.lines.order_by("segment_start", "description")
    assert [(line.description, line.segment_start, line.quantity, line.amount) for line in lines] == [
        ("Base", OCTOBER, Decimal(1), Decimal("23.71")),  # 49 × 15/31 = 23.709…
        ("Tokens", OCTOBER, Decimal(1000), Decimal("2.00")),
        ("Base", CHANGE, Decimal(1), Decimal("51.10")),  # 99 × 16/31 = 51.096…
        ("Tokens", CHANGE, Decimal(2000), Decimal("2.00")),
    ]
    # 78.81 net, 14.9739 of tax
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Decimal("78.81"), Decimal("14.97"), Decimal("93.78"))
    [issued] = billing.issue(company, [invoice])
    assert issued.running_number == 1
    assert trace.trace_invoice(invoice_id=issued.pk).is_equal
