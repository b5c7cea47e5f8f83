"""Why this number, in a browser: from a credit to the line that it gives back, and to the time that a fee was used."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from invoicing.cycle import credit_note, finalize
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing import subscribe
from tests.builders import billing, browsing
from tests.builders.billing import CLOSING
from tests.stages.test_advance_fees import FIRST_CLOSING, MID_OCTOBER, billed_and_issued, plan_in_advance

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1400, "height": 1000}


def show(page: Page, name: str) -> None:
    """Wide and as on a phone, where nothing may run out at the side."""
    for size in (PHONE, DESK):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a TypedDict that is not exported
        browsing.show(page, f"{name}-{size['width']}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_what_was_used_of_a_fee_stands_with_its_days_its_plan_and_its_price(page: Page) -> None:
    company = billing.open_company()
    subscription = billed_and_issued(company)
    pro = plan_in_advance(company, "pro", "62.00")
    subscribe.change_plan(
        subscription=subscription, plan=pro, effective_at=MID_OCTOBER, actor=company.finance, at=FIRST_CLOSING
    )
    billing.close_october()
    line = InvoiceLine.objects.get(adjusts__isnull=False)
    browsing.enter(page, billing.person("audrey", "auditor"))
    page.goto(f"/admin/evidence/trace/{line.pk}/")
    expect(page.locator("#story")).to_contain_text("used of that was 14 of 31 days: 1 Oct 2026 to 14 Oct 2026")
    expect(page.get_by_role("row", name="1 Oct 2026 to 14 Oct 2026")).to_contain_text("Basic, terms version 1")
    show(page, "trace-used")
    page.get_by_role("link", name="What the whole invoice comes to").click()
    expect(page.get_by_text("The total follows from the lines.")).to_be_visible()
    show(page, "trace-document")


def test_a_credit_leads_to_its_line_and_the_line_back_to_the_credit(page: Page) -> None:
    company = billing.open_company()
    (invoice,) = billing.issue(company, [billing.billed_customer(company)])
    at = CLOSING + timedelta(days=2)
    asked = credit_note.ask_for_credit(
        invoice_id=invoice.pk, reason="The service was down.", actor=company.finance, at=at
    )
    billing.approve_by(company.other_finance, asked, at=at)
    note = finalize.finalize_invoice(invoice_id=asked.pk, actor=None, at=at)
    browsing.enter(page, billing.person("audrey", "auditor"))
    page.goto(f"/admin/cycle/invoice/{Invoice.objects.get(pk=note.pk).pk}/change/")
    page.get_by_role("link", name="Why this credit?").nth(1).click()
    expect(page.locator("#story")).to_contain_text("gives back 3.00 EUR")
    show(page, "trace-credit")
    page.get_by_role("link", name=f"Why {invoice}, line 2 was what it was").click()
    expect(page.get_by_role("row", name="Given back by")).to_contain_text("-3.00 EUR")
    show(page, "trace-credited")
