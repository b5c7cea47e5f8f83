"""Finance at work in a real browser: a payment is recorded on the page of its invoice, and part of it goes back."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from invoicing.payments.models import Payment
from tests.builders import people
from tests.builders.browsing import enter, show
from tests.builders.payments import open_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1400, "height": 900}


def show_both(page: Page, name: str) -> None:
    """At both widths, and neither wider than its window."""
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a TypedDict that is not exported
        show(page, f"{name}-{size['width']}")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_payment_is_recorded_and_part_of_it_goes_back(page: Page) -> None:
    desk = open_desk()
    enter(page, desk.finance)
    page.goto(f"/admin/cycle/invoice/{desk.invoice.pk}/change/")
    expect(page.get_by_text("Nothing was paid for it yet.")).to_be_visible()
    page.get_by_text("Record a payment").click()
    expect(page.get_by_label("Amount that came in (EUR)")).to_have_value("58.31")
    show_both(page, "invoice-open")
    page.get_by_label("Amount that came in (EUR)").fill("70.00")
    page.get_by_label("Reference, as the statement names it").fill("SEPA 0815")
    page.get_by_label(re.compile("^Received on")).fill(f"{timezone.localdate():%Y-%m-%d}")
    page.get_by_role("button", name="Record payment").click()
    expect(page.get_by_text("The payment is recorded.")).to_be_visible()
    show_both(page, "invoice-paid")
    page.get_by_role("link", name=f"Payment {Payment.objects.get().pk}").click()
    expect(page.get_by_text("11.69 EUR more than was due")).to_be_visible()
    page.get_by_role("link", name=re.compile("(^| )Refund$")).click()
    expect(page.locator("#dialog")).to_be_visible()
    page.get_by_label("Amount").fill("11.69")
    page.get_by_label("Reason").fill("paid twice")
    show(page, "refund-dialog")
    with page.expect_navigation():
        page.get_by_role("button", name="Refund").click()
    expect(page.get_by_text("Refunded: 11.69 EUR")).to_be_visible()
    show_both(page, "payment")
    page.goto("/admin/payments/payment/")
    show_both(page, "payments")
    assert Payment.objects.get().status == "settled"
    enter(page, people.make_portal_user(desk.customer).user)
    page.goto("/portal/invoices/")
    expect(page.get_by_role("cell", name="Paid")).to_be_visible()
    show_both(page, "portal-invoices")
    page.goto(f"/portal/invoices/{desk.invoice.pk}/")
    show_both(page, "portal-invoice")
