"""What a person of a customer sees in the portal, in a real browser without scripts."""

import io
import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from core import work
from invoicing.cycle.models import Invoice
from tests.builders import billing, portal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def has_scripts() -> bool:
    return False


@pytest.fixture
def issued() -> Invoice:
    """October of acme, issued and printed, and some usage in the days before today."""
    company = billing.open_company()
    invoice = billing.issue(company, [billing.billed_customer(company, "acme")])[0]
    now = timezone.now()
    work.run_due_jobs(at=now)
    billing.use("acme", *recent_usage(now), at=now)
    portal.portal_person(invoice.customer)
    return invoice


def recent_usage(now: datetime) -> list[tuple[str, datetime, int]]:
    """Some usage today only, so that it lies in the running period on every day of a month."""
    return [(f"now-{number}", now - timedelta(seconds=number), 250) for number in range(4)]


def sign_in(page: Page) -> None:
    page.goto("/portal/")
    page.get_by_label("Username").fill("acme@portal.example")
    page.get_by_label("Password").fill(portal.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_from_sign_in_to_the_pdf(page: Page, issued: Invoice) -> None:
    sign_in(page)
    expect(page.get_by_role("heading", name="Usage so far")).to_be_visible()
    chart = page.get_by_role("img", name=re.compile(r"Tokens by day, 1,000 unit in all"))
    box = chart.bounding_box()
    assert box is not None
    assert box["width"] > 300
    bar = page.locator("rect.bar").bounding_box()
    assert bar is not None
    assert bar["height"] > 100  # the only day reaches the top of the scale
    page.get_by_text("Day by day").click()
    expect(page.get_by_role("cell", name="1,000", exact=True)).to_be_visible()

    page.get_by_role("navigation").get_by_role("link", name="Invoices").click()
    page.get_by_role("link", name=str(issued.number), exact=True).click()
    expect(page.get_by_role("row", name=re.compile("^Total"))).to_contain_text("61.88")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    assert download.value.suggested_filename == f"{issued.number}.pdf"
    text = PdfReader(io.BytesIO(Path(download.value.path()).read_bytes())).pages[0].extract_text()
    assert "61.88" in text
    assert str(issued.number) in text

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/portal/invoices/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_page_is_wider_than_its_screen(page: Page, issued: Invoice, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page)
    for path in ("/portal/", "/portal/invoices/", f"/portal/invoices/{issued.pk}/", "/portal/password/"):
        page.goto(path)
        body = page.locator("body").bounding_box()
        main = page.locator("main").bounding_box()
        assert body is not None
        assert main is not None
        assert Decimal(str(body["width"])) <= width, path
        assert Decimal(str(main["x"] + main["width"])) <= width, path


def test_the_keyboard_reaches_the_content_first(page: Page, issued: Invoice) -> None:
    sign_in(page)
    expect(page.get_by_role("heading", name="Usage so far")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
