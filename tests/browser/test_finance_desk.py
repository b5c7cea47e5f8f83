"""A person in finance takes a draft from the queue to final, and two persons are needed for it."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from invoicing.cycle.models import Invoice
from tests.builders import billing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
PASSWORD = "a long enough phrase"


@pytest.fixture
def draft() -> Invoice:
    """October of acme as a draft of 61.88 EUR."""
    company = billing.open_company()
    for user in (company.finance, company.other_finance):
        user.set_password(PASSWORD)
        user.save()
    return billing.billed_customer(company, "acme")


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000})
    yield context.new_page()
    context.close()


def sign_in(page: Page, user: User) -> None:
    page.context.clear_cookies()
    page.goto("/admin/login/?next=/admin/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Drafts to review")).to_be_visible()


def action(page: Page, name: str) -> Locator:
    """The button of a decision at the top of the page; its accessible name begins with that of its icon."""
    return page.get_by_role("link", name=re.compile(f"(^| ){name}$"))


def decide(page: Page, button: str, *, reason: str | None = None, submit: str) -> None:
    """Open the dialog of a decision, give the reason if it asks for one, and wait for the page to come back."""
    action(page, button).click()
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    if reason is not None:
        dialog.get_by_label("Reason").fill(reason)
    with page.expect_navigation():
        dialog.get_by_role("button", name=submit).click()


def test_a_draft_is_held_released_by_a_colleague_approved_and_finalized(page: Page, draft: Invoice) -> None:
    fiona, felix = User.objects.get(username="fiona"), User.objects.get(username="felix")
    sign_in(page, fiona)
    page.get_by_role("link", name="Acme GmbH").first.click()
    expect(page.get_by_text("61.88 EUR").first).to_be_visible()
    page.get_by_text("Why this number?").nth(1).click()
    expect(page.get_by_text("1,500 from 2 events", exact=False)).to_be_visible()
    decide(page, "Hold", reason="The customer asked about the tokens of 5 October.", submit="Hold")
    expect(page.get_by_text("The customer asked about the tokens").first).to_be_visible()
    decide(page, "Release", reason="I looked again myself.", submit="Release")
    expect(page.get_by_text("a colleague in finance has to release it")).to_be_visible()

    sign_in(page, felix)
    page.goto(f"/admin/cycle/invoice/{draft.pk}/change/")
    decide(page, "Release", reason="Checked with the customer: the usage is theirs.", submit="Release")
    decide(page, "Approve these figures", submit="Approve")
    decide(page, "Finalize", submit="Finalize")
    expect(page.get_by_text("Final. The PDF is being made.")).to_be_visible()
    issued = Invoice.objects.get(pk=draft.pk)
    assert (issued.status, issued.number, issued.total) == ("final", "INV-000001", Decimal("61.88"))
    assert (issued.approved_by, issued.approved_hash) == (felix, draft.content_hash)
    expect(action(page, "Discard")).to_have_count(0)


def test_a_reason_that_says_nothing_is_refused_in_the_dialog(page: Page, draft: Invoice) -> None:
    sign_in(page, User.objects.get(username="fiona"))
    page.goto(f"/admin/cycle/invoice/{draft.pk}/change/")
    action(page, "Hold").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Reason").fill("no")
    dialog.get_by_role("button", name="Hold").click()
    expect(dialog.get_by_text("at least 5 characters")).to_be_visible()
    assert Invoice.objects.get(pk=draft.pk).status == "draft"
