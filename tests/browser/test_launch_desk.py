"""The launch checklist in a browser: what is open, what was looked at, and what it stands in the way of."""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from compliance.launch import check, samples
from compliance.launch.models import ChecklistVersion, LaunchCheck, RestoreDrill
from tests.builders import billing, launch, people, replayed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000})
    yield context.new_page()
    context.close()


def enter(page: Page, user: User) -> None:
    client = Client()
    client.force_login(user)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": "localhost", "path": "/"}
    page.context.clear_cookies()
    page.context.add_cookies([session])  # type: ignore[list-item]  # a TypedDict that is not exported


def show(page: Page, name: str) -> None:
    """Keep a picture for whoever wants to look: SCREENSHOTS=folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_what_is_open_is_read_excepted_and_launched(page: Page) -> None:
    november = replayed.bill_two_months(replayed.open_company())[1]
    at = timezone.now() - timedelta(minutes=5)
    sample = samples.walk_sample(
        program="standard",
        kind="late_event",
        invoice=str(november.pk),
        actor=billing.person("olaf", "engineering"),
        at=at,
    )
    launch.keep_drill(at=at)
    enter(page, people.make_staff("petra", "product"))
    page.goto("/admin/launch/launchcheck/board/")
    show(page, "launch-unchecked")
    page.get_by_role("button", name="Check every box now").click()
    expect(page.get_by_text("A check is running")).to_be_visible()
    show(page, "launch-running")
    check.go_on(run_id=LaunchCheck.objects.get().pk, at=timezone.now())
    page.goto("/admin/launch/launchcheck/board/")
    expect(page.get_by_text("2 of 9 boxes are open.")).to_be_visible()
    for details in page.locator("details").all():
        details.evaluate("each => each.open = true")
    show(page, "launch-board")
    page.goto("/admin/launch/golivedecision/")
    page.get_by_role("link", name=re.compile("Declare live, or stop$")).click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Reason").fill("the pilot went well")
    show(page, "launch-decide")
    dialog.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Going live waits, for 2 boxes of the launch checklist are open")).to_be_visible()
    show(page, "launch-refused")
    page.goto("/admin/launch/launchexception/")
    page.get_by_role("link", name=re.compile("Propose an exception$")).click()
    for title in ("Identical replay stable", "Sample accounts walked and accepted"):
        dialog.get_by_label(title).check()
    dialog.get_by_label("Reason").fill("replays begin next week")
    dialog.get_by_label("Ends (UTC)").fill(f"{timezone.now() + timedelta(days=7):%Y-%m-%d %H:%M}")
    show(page, "launch-exception-form")
    dialog.get_by_role("button", name="Propose").click()
    page.get_by_role("link", name=re.compile("Exception .* for standard")).click()
    expect(page.get_by_text("Waits for finance and ops")).to_be_visible()
    show(page, "launch-exception")
    page.goto(f"/admin/launch/samplewalk/{sample.pk}/change/")
    expect(page.get_by_text("down to its events").first).to_be_visible()
    show(page, "launch-sample")
    page.get_by_role("link", name=re.compile("Accept$")).click()
    expect(dialog.get_by_label("SHA-256 of the proof")).to_have_value(sample.proof_hash)
    dialog.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Your acceptance is kept.")).to_be_visible()
    for path, name in (
        ("/admin/launch/checklistversion/", "launch-rules-list"),
        (f"/admin/launch/checklistversion/{ChecklistVersion.objects.get().pk}/change/", "launch-rules"),
        (f"/admin/launch/restoredrill/{RestoreDrill.objects.get().pk}/change/", "launch-drill"),
        ("/admin/launch/launchcheck/", "launch-checks"),
    ):
        page.goto(path)
        show(page, name)
