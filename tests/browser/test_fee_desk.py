"""A person in finance tries a fee on the page of its program, and nothing is saved by that."""

import pytest
from playwright.sync_api import Page, expect

from invoicing.pricing.models import FeeProgram
from tests.builders import billing, fees
from tests.builders.browsing import enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_fee_is_tried_on_the_page_of_its_program(page: Page) -> None:
    enter(page, billing.person("fiona", "finance"))
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
