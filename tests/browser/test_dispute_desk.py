"""A contested bill in a browser: opened from its invoice, put on its path, held, answered with a letter and a pack."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from compliance.disputes.models import Dispute
from core import work
from invoicing.cycle import collection
from tests.builders import disputes
from tests.builders.browsing import enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1400, "height": 1000}


def show(page: Page, name: str) -> None:
    """Keep pictures for whoever wants to look, wide and as on a phone: SCREENSHOTS=folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        for size in (DESK, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]  # as above
            page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png", full_page=True)
        page.set_viewport_size(DESK)  # type: ignore[arg-type]  # as above


def do(page: Page, button: str, *, submit: str, **typed: str) -> None:
    """Open the dialog of an action, fill what it asks for by label, and wait for the page to come back."""
    link = page.get_by_role("link", name=re.compile(f"(^| ){button}$"))
    if not link.is_visible():
        page.locator("li > a", has_text="More").click()
    link.click()
    dialog = page.locator("#dialog")
    for label, text in typed.items():
        field = dialog.get_by_label(label.replace("_", " "))
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(text)
        else:
            field.fill(text)
    show(page, f"dispute-dialog-{submit.lower().replace(' ', '-')}")
    with page.expect_navigation():
        dialog.get_by_role("button", name=submit).click()


def work_through() -> None:
    """What the worker does meanwhile."""
    work.run_due_jobs(at=timezone.now() + timedelta(minutes=1))


def open_from_the_invoice(page: Page, desk: disputes.Desk) -> None:
    """A line that is not there is refused in the dialog, where everything typed still stands; then line 2."""
    page.goto(f"/admin/cycle/invoice/{desk.invoice.pk}/change/")
    page.get_by_role("link", name="disputes").last.click()
    page.get_by_role("link", name=re.compile("Open a dispute$")).click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("Invoice number")).to_have_value(str(desk.invoice))
    dialog.get_by_label("Line").fill("9")
    dialog.get_by_label("In the customer's words").fill("We did not use that much.")
    dialog.get_by_role("button", name="Open").click()
    expect(dialog.get_by_text("has no line 9")).to_be_visible()  # and what was typed is still there
    expect(dialog.get_by_label("In the customer's words")).to_have_value("We did not use that much.")
    show(page, "dispute-open")
    dialog.get_by_label("Line").fill("2")
    with page.expect_navigation():
        dialog.get_by_role("button", name="Open").click()


@pytest.mark.nightly  # it waits for a page that shows itself again, and goes through ten of them
def test_a_right_bill_is_contested_held_defended_with_its_pack_and_collected_again(page: Page) -> None:
    desk = disputes.open_desk()
    work_through()  # the PDF of the invoice
    enter(page, desk.ops)
    page.set_viewport_size(DESK)  # type: ignore[arg-type]  # as above
    open_from_the_invoice(page, desk)
    expect(page.get_by_text("The evidence is being rebuilt.")).to_be_visible()
    show(page, "dispute-rebuilding")
    assert Dispute.objects.get().status == "evidence"
    work_through()  # and the page shows by itself what came of it
    expect(page.get_by_text("comes to what was billed").first).to_be_visible(timeout=15_000)
    expect(page.get_by_text("With operations").first).to_be_visible()
    show(page, "dispute-ops")
    do(page, "Hold collection", submit="Hold collection", Reason="They will not pay it.")
    expect(page.get_by_text("until this dispute closes")).to_be_visible()
    do(page, "Reject", submit="Reject", Answer_to_the_customer="Your own logs agree with ours.")
    expect(page.get_by_text("being written").first).to_be_visible()
    assert collection.open_hold(desk.invoice) is None
    work_through()
    page.reload()
    expect(page.get_by_text("This invoice is collected as usual again.")).to_be_visible()
    show(page, "dispute-rejected")
    letter = page.request.get(page.get_by_role("link", name="PDF").first.get_attribute("href") or "")
    assert letter.body().startswith(b"%PDF-")
    pack = page.request.get(page.get_by_role("link", name=re.compile(r"\.zip$")).get_attribute("href") or "")
    assert pack.body().startswith(b"PK")
    page.goto("/admin/disputes/dispute/?step=all")
    show(page, "dispute-list")


def test_a_bill_that_is_not_reproduced_goes_to_engineering_and_cannot_be_rejected(page: Page) -> None:
    desk = disputes.open_desk()
    disputes.break_the_chain()
    dispute = disputes.on_its_path(desk, at=timezone.now())
    enter(page, desk.ops)
    page.set_viewport_size(DESK)  # type: ignore[arg-type]  # as above
    page.goto(f"/admin/disputes/dispute/{dispute.pk}/change/")
    expect(page.get_by_text("First step that differs:")).to_be_visible()
    expect(page.get_by_text("does not come to what was billed")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Uphold$"))).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Reject$"))).to_have_count(0)
    show(page, "dispute-engineering")
    do(page, "Uphold", submit="Uphold", Answer_to_the_customer="You are right.")
    expect(page.get_by_text("Nothing is linked yet.")).to_be_visible()
    show(page, "dispute-upheld")
    disputes.tamper("UPDATE metering_usageevent SET data = '{\"units\": 1000}' WHERE event_id = 'e1'")  # all is well
