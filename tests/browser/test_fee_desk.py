"""A person in finance tries a fee on the page of its program, and nothing is saved by that."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from invoicing.pricing.models import FeeProgram
from tests.builders import billing, fees

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long enough phrase"


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    fiona = billing.person("fiona", "finance")
    fiona.set_password(PASSWORD)
    fiona.save()
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000})
    signed_in = context.new_page()
    signed_in.goto("/admin/login/?next=/admin/")
    signed_in.get_by_label("Username").fill("fiona")
    signed_in.get_by_label("Password").fill(PASSWORD)
    signed_in.keyboard.press("Enter")
    expect(signed_in.get_by_text("Drafts to review")).to_be_visible()
    yield signed_in
    context.close()


def test_a_fee_is_tried_on_the_page_of_its_program(page: Page) -> None:
    fees.approve_shipped("stripe-standard")
    program = FeeProgram.objects.get(code="stripe-standard")
    page.goto(f"/admin/pricing/feeprogram/{program.pk}/change/")
    expect(page.get_by_text("To be checked before go-live.")).to_be_visible()
    page.get_by_label("Amount").fill("37.45")
    page.get_by_label("international").check()
    page.get_by_role("button", name="Show the fee").click()
    expect(page.get_by_text("2.9% + 1.5% international = 4.4% of the volume")).to_be_visible()
    expect(page.get_by_role("row", name="Fee, rounded 1.95")).to_be_visible()
    assert program.history.count() == 1
