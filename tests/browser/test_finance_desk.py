"""A person in finance takes a draft from the queue to final, and two persons are needed for it."""

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from invoicing.cycle.models import HoldReason, Invoice
from tests.builders import billing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long enough phrase"


@pytest.fixture
def draft() -> Invoice:
    """October of acme as a draft of 61.88 EUR."""
    company = billing.open_company()
    for user in (company.finance, company.other_finance):
        user.set_password(PASSWORD)
        user.save()
    return billing.billed_customer(company, "acme")


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


def decide(page: Page, button: str, *, reason: str | None = None, submit: str, label: str = "In your words") -> None:
    """Open the dialog of a decision, give the reason if it asks for one, and wait for the page to come back."""
    action(page, button).click()
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    if reason is not None:
        dialog.get_by_label(label).fill(reason)
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
    dialog.get_by_label("In your words").fill("no")
    dialog.get_by_role("button", name="Hold").click()
    expect(dialog.get_by_text("Give a reason of 5 to 1000 characters")).to_be_visible()
    assert Invoice.objects.get(pk=draft.pk).status == "draft"


@pytest.fixture
def large() -> Invoice:
    """The same draft, under a policy that asks for two people above 50.00 EUR."""
    company = billing.open_company()
    billing.ask_for_two(company)
    for user in (company.finance, company.other_finance):
        user.set_password(PASSWORD)
        user.save()
    return billing.billed_customer(company, "acme")


def approve_by_keys(page: Page) -> None:
    """In the queue: to the first row, tick it, approve."""
    page.goto("/admin/cycle/invoice/queue/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#ticked")).to_have_text("1 invoice ticked")
    page.keyboard.press("a")
    with page.expect_navigation():
        page.locator("#approve-dialog").get_by_role("button", name="Approve").click()


def test_a_large_draft_goes_from_the_queue_to_final_by_two_people(page: Page, large: Invoice) -> None:
    fiona, felix = User.objects.get(username="fiona"), User.objects.get(username="felix")
    sign_in(page, fiona)
    approve_by_keys(page)
    expect(page.get_by_role("heading", name="1 first of two approvals")).to_be_visible()
    page.get_by_role("link", name="Back to the queue").click()
    expect(page.get_by_text("Approval: 1 of 2, yours among them")).to_be_visible()
    approve_by_keys(page)
    expect(page.get_by_text("You approved these figures already")).to_be_visible()
    assert Invoice.objects.get(pk=large.pk).status == "draft"

    page.goto(f"/admin/cycle/invoice/{large.pk}/change/")
    expect(page.get_by_text("1 of 2 approvals is given")).to_be_visible()
    expect(action(page, "Finalize")).to_have_count(0)

    sign_in(page, felix)
    approve_by_keys(page)
    expect(page.get_by_role("heading", name="1 approved")).to_be_visible()
    page.get_by_role("link", name=f"Draft {large.pk}").click()
    decide(page, "Finalize", submit="Finalize")
    expect(page.get_by_text("Final. The PDF is being made.")).to_be_visible()
    issued = Invoice.objects.get(pk=large.pk)
    assert (issued.status, issued.number, issued.approved_by) == ("final", "INV-000001", felix)
    assert list(issued.approvals.values_list("person__username", flat=True)) == ["fiona", "felix"]


def test_the_queue_is_worked_by_keys(page: Page, draft: Invoice) -> None:
    HoldReason.objects.create(code="audit", use="hold", label="Asked for by the auditors")
    sign_in(page, User.objects.get(username="fiona"))
    page.goto("/admin/cycle/invoice/queue/")
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("h")
    dialog = page.locator("#hold-dialog")
    dialog.get_by_label("Reason").select_option(label="Asked for by the auditors")
    dialog.get_by_label("In your words").fill("The 5th looks high.")
    with page.expect_navigation():
        dialog.get_by_role("button", name="Hold").click()
    expect(page.get_by_role("heading", name="1 held")).to_be_visible()
    held = Invoice.objects.get(pk=draft.pk).holds.get()
    assert held.reason == "Asked for by the auditors: The 5th looks high."
    page.goto("/admin/cycle/invoice/queue/?status=held")
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_text("The 5th looks high.").first).to_be_visible()


def test_a_comment_stands_on_the_timeline(page: Page, draft: Invoice) -> None:
    sign_in(page, User.objects.get(username="fiona"))
    page.goto(f"/admin/cycle/invoice/{draft.pk}/change/")
    page.get_by_label("For your colleagues").fill("Asked Ada about the 5th.")
    with page.expect_navigation():
        page.get_by_role("button", name="Comment").click()
    expect(page.get_by_text("Asked Ada about the 5th.")).to_have_count(2)
