"""A break is found, pauses its cycle, is repaired at its events, and what is issued is right to the cent."""

from datetime import timedelta
from decimal import Decimal

import pgtrigger
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from invoicing.cycle import finalize, reconcile
from invoicing.cycle.models import Invoice
from metering.models import UsageEvent
from tests.builders import billing
from tests.builders.billing import CLOSING, day
from tests.builders.people import ApiClient, key_for

pytestmark = pytest.mark.django_db


def figures(invoice: Invoice) -> list[tuple[str, Decimal, Decimal]]:
    return [(line.description, line.quantity, line.amount) for line in invoice.lines.order_by("position")]


def test_a_lost_event_is_found_brought_back_and_billed() -> None:
    company = billing.open_company()
    draft = billing.billed_customer(company)  # 1,000 and 500 tokens at 0.002, and a fee of 49.00
    billing.approve_by(company.other_finance, draft)
    lost = UsageEvent.objects.get(event_id="e2")
    with pgtrigger.ignore():
        UsageEvent.objects.filter(pk=lost.pk).delete()  # a disk, a restore, somebody with psql
    reconcile.recheck_invoice(invoice_id=draft.pk, actor=None, at=CLOSING + timedelta(hours=1))
    found = draft.breaks.get()
    assert (found.kind, found.facts["raw_quantity"], found.facts["aggregated_quantity"]) == ("missing", "1000", "1500")
    assert [(event.difference, event.event_id) for event in found.events.all()] == [("gone", "e2")]
    draft.refresh_from_db()
    assert draft.status == "held"  # and its approval is withdrawn

    UsageEvent.objects.bulk_create([lost])  # ops brings the row back from the backup
    billing.use("acme", ("e3", day(25), 20), at=CLOSING + timedelta(hours=2))  # and an event came late meanwhile
    finance = Client()
    finance.force_login(company.finance)
    answer = finance.post(
        reverse("admin:cycle_break_repair", args=[found.pk]),
        {"_form_submitted": "True", "reason": "e2 was lost and is back"},
    )
    fresh = Invoice.objects.exclude(status="discarded").get()
    assert answer["HX-Redirect"] == reverse("admin:cycle_invoice_change", args=[fresh.pk])
    assert figures(fresh) == [("Base", Decimal(1), Decimal(49)), ("Tokens", Decimal(1520), Decimal("3.04"))]
    # 52.04 net, 9.8876 of tax
    assert (fresh.subtotal, fresh.tax, fresh.total) == (Decimal("52.04"), Decimal("9.89"), Decimal("61.93"))
    assert fresh.tie_outs.get().is_tied
    issue(company, fresh)


def issue(company: billing.Company, fresh: Invoice) -> None:
    """By a colleague of who repaired it, at the clock by which the doors closed its breaks."""
    now = timezone.now()
    billing.approve_by(company.other_finance, fresh, at=now)
    assert finalize.finalize_invoice(invoice_id=fresh.pk, actor=None, at=now).running_number == 1


def test_usage_without_a_price_gets_one_and_is_billed() -> None:
    company = billing.open_company()
    storage = billing.make_meter("storage", event_type="storage", owner=company.meter.owner)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 1000))
    billing.use("acme", ("s1", day(4), 30), ("s2", day(5), 20), event_type="storage")
    billing.close_october()
    draft = Invoice.objects.get()
    assert (draft.status, draft.breaks.get().kind) == ("held", "missing")

    billing.set_price(
        company.plan, meter=storage, model="standard", params={"unit_amount": "0.05"}, finance=company.finance
    )
    answer = ApiClient(key_for(company.finance)).post(
        f"invoices/{draft.pk}/repair", {"reason": "storage has a price now"}
    )
    assert answer.status_code == 200, answer.content
    fresh = Invoice.objects.get(pk=answer.json()["id"])
    assert figures(fresh) == [
        ("Base", Decimal(1), Decimal(49)),
        ("Tokens", Decimal(1000), Decimal(2)),
        ("Storage", Decimal(50), Decimal("2.50")),
    ]
    # 53.50 net, 10.165 of tax
    assert (fresh.status, fresh.subtotal, fresh.tax, fresh.total) == (
        "draft",
        Decimal("53.50"),
        Decimal("10.17"),
        Decimal("63.67"),
    )
    issue(company, fresh)
