"""A customer on hold reads why in the portal; a person of ops looks at the figures and lifts the hold."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from accounts import portal_access
from accounts.models import Customer
from invoicing.charge_controls.models import AccessChange
from tests.builders import billing, triggers
from tests.builders.triggers import HOLD, NEAR, look, subscriber, use

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long enough phrase"


@pytest.fixture
def held() -> Customer:
    """105.91 EUR of 100.00."""
    customer = subscriber(triggers.company_with(alerts=[NEAR], charge_controls=[HOLD]))
    portal_access.give_access(
        customer=customer, person={"username": "ada"}, password=PASSWORD, actor=None, at=triggers.MID
    )
    opal = billing.person("opal", "ops")
    opal.set_password(PASSWORD)
    opal.save()
    use("a", 20000)
    look()
    return customer


def sign_in(page: Page, name: str, *, at: str) -> None:
    page.context.clear_cookies()
    page.goto(f"/{at}/login/?next=/{at}/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_a_hold_is_read_in_the_portal_and_lifted_at_the_desk(page: Page, held: Customer) -> None:
    sign_in(page, "ada", at="portal")
    expect(page.get_by_role("heading", name="Further usage is on hold")).to_be_visible()
    expect(page.get_by_text("have reached the limit of 100.00 EUR", exact=False)).to_be_visible()

    sign_in(page, "opal", at="admin")
    page.get_by_role("link", name=re.compile("Usage on hold")).click()
    page.get_by_role("link", name="Acme GmbH (acme)").click()
    expect(page.get_by_text("105.91 EUR").first).to_be_visible()
    page.get_by_role("link", name=re.compile("(^| )Lift the hold$")).click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Reason").fill("Paid by wire today.")
    with page.expect_navigation():
        dialog.get_by_role("button", name="Lift the hold").click()
    expect(page.get_by_text("The hold is lifted.")).to_be_visible()
    change = AccessChange.objects.first()
    assert change is not None
    assert (change.to_status, change.actor, change.reason) == (
        "allowed",
        User.objects.get(username="opal"),
        "Paid by wire today.",
    )

    sign_in(page, "ada", at="portal")
    expect(page.get_by_role("heading", name="Usage so far")).to_be_visible()
    expect(page.get_by_role("heading", name="Further usage is on hold")).to_have_count(0)
