"""The launch checklist in a browser: what is open, what was looked at, and what it stands in the way of."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from compliance.launch import check, samples
from compliance.launch.models import ChecklistVersion, LaunchCheck, RestoreDrill, SampleWalk
from tests.builders import billing, launch, people, replayed
from tests.builders.browsing import enter, show

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def check_every_box(page: Page) -> None:
    """Asked for on the board, done as a worker does, read there."""
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


def be_refused_to_go_live(page: Page) -> None:
    """The dialog is filled in, and the page says what is open."""
    page.goto("/admin/launch/golivedecision/")
    page.get_by_role("link", name=re.compile("Declare live, or stop$")).click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Reason").fill("the pilot went well")
    show(page, "launch-decide")
    dialog.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Going live waits, for 2 boxes of the launch checklist are open")).to_be_visible()
    show(page, "launch-refused")


def propose_an_exception(page: Page) -> None:
    """For the two boxes, with an end."""
    dialog = page.locator("#dialog")
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


def accept_the_sample(page: Page, sample: SampleWalk) -> None:
    """By the hash of what was read."""
    dialog = page.locator("#dialog")
    page.goto(f"/admin/launch/samplewalk/{sample.pk}/change/")
    expect(page.get_by_text("down to its events").first).to_be_visible()
    show(page, "launch-sample")
    page.get_by_role("link", name=re.compile("Accept$")).click()
    expect(dialog.get_by_label("SHA-256 of the proof")).to_have_value(sample.proof_hash)
    dialog.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Your acceptance is kept.")).to_be_visible()


def look_at_the_samples_again(page: Page) -> None:
    """One box, without all the others."""
    page.goto("/admin/launch/launchcheck/board/")
    page.get_by_role("button", name="Look at Sample accounts walked and accepted (standard) again").click()
    expect(page.get_by_text("Sample accounts walked and accepted: looked at again.")).to_be_visible()
    show(page, "launch-one-box-running")
    check.go_on(run_id=LaunchCheck.objects.get(only="samples_accepted").pk, at=timezone.now())
    page.goto("/admin/launch/launchcheck/board/")
    expect(page.get_by_text("looked at again.")).to_have_count(0)
    show(page, "launch-one-box-again")


def look_at_the_rest(page: Page) -> None:
    """Lists and pages without a decision."""
    for path, name in (
        ("/admin/launch/checklistversion/", "launch-rules-list"),
        (f"/admin/launch/checklistversion/{ChecklistVersion.objects.get().pk}/change/", "launch-rules"),
        (f"/admin/launch/restoredrill/{RestoreDrill.objects.get().pk}/change/", "launch-drill"),
        ("/admin/launch/launchcheck/", "launch-checks"),
    ):
        page.goto(path)
        show(page, name)


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
    check_every_box(page)
    be_refused_to_go_live(page)
    propose_an_exception(page)
    accept_the_sample(page, sample)
    look_at_the_samples_again(page)
    look_at_the_rest(page)
