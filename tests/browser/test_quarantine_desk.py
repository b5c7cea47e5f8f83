"""The quarantine desk and metering health in a browser, by keyboard and without scripts of their own."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from core import work
from metering import minutes
from metering.models import BulkDecision, CaptureBatch, HealthPolicy, QuarantinedEvent, ReviewItem
from tests.browser.test_metering_desk import enter, show
from tests.builders import usage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(page: Page) -> Page:
    usage.house()
    return page


def dark(page: Page) -> None:
    page.evaluate("document.documentElement.classList.add('dark')")


def test_ops_goes_from_the_desk_to_a_group_and_discards_it(page: Page) -> None:
    usage.capture(*[usage.event(str(number), data={"input_tokens": "many"}) for number in range(12)])
    usage.capture(*[usage.event(f"n{number}", subject="newcomer") for number in range(3)])
    enter(page, usage.person("otto", "ops"))
    page.goto(reverse("admin:metering_quarantine_desk"))
    expect(page.get_by_text("15 events wait, in 2 groups")).to_be_visible()
    show(page, "desk")
    page.get_by_role("link", name="billing_field_missing").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("12 events with the same reason")).to_be_visible()
    expect(page.locator("mark").first).to_be_visible()
    show(page, "desk-group")
    dark(page)
    show(page, "desk-group-dark")
    page.get_by_label("Action").select_option("discard")
    page.get_by_label("Reason").fill("The SDK of a test sent them.")
    page.get_by_role("button", name="Decide over 12 events").click()
    expect(page.get_by_text("This page loads itself again")).to_be_visible()
    work.run_due_jobs(at=timezone.now())
    page.reload()
    expect(page.get_by_text("12 of 12")).to_be_visible()
    show(page, "desk-decision")
    assert BulkDecision.objects.get().discarded == 12
    assert QuarantinedEvent.objects.filter(status="open").count() == 3


def capture_an_hour(now: datetime) -> None:
    """Fifty-six minutes as ever, then four in which thirty times as many events are held back."""
    HealthPolicy.objects.get_or_create(
        version=1,
        defaults={
            "window_minutes": 5,
            "baseline_minutes": 120,
            "false_alarm_rate": "0.0000001",
            "events_min": 50,
            "share_shift_min": "0.02",
            "lag_shift_min": 10,
            "silence_days": 7,
            "silence_minutes_min": 5,
            "gaps_min": 20,
            "reason": "A test.",
        },
    )
    for back in range(60, 0, -1):
        held = 60 if back <= 4 else 2
        line = {
            "source": "api/eu",
            "type": "t",
            "accepted": 300 + 40 * (back % 7),
            "duplicates": 9,
            "quarantined": held,
        }
        counts = {name: line[name] for name in ("accepted", "duplicates", "quarantined")}
        CaptureBatch.objects.create(
            channel="http",
            origin="test",
            received_at=now - timedelta(minutes=back),
            received=sum(int(str(count)) for count in counts.values()),
            tallies=[line],
            **counts,
        )


def test_health_shows_a_shift_that_ops_takes_and_resolves(page: Page) -> None:
    now = minutes.floor_minute(timezone.now())
    capture_an_hour(now)
    minutes.record_minutes(until=now)
    minutes.watch_streams(until=now, at=timezone.now())
    otto = usage.person("otto", "ops")
    enter(page, otto)
    page.goto(reverse("admin:metering_arrivalminute_changelist"))
    expect(page.get_by_role("img", name="Events a minute")).to_be_visible()
    show(page, "health")
    dark(page)
    show(page, "health-dark")
    page.get_by_role("link", name="Acceptance rate fell").click()
    page.get_by_role("link", name="Resolve").or_(page.get_by_role("button", name="Resolve")).first.click()
    page.get_by_label("Reason").fill("A bad release of the sender, taken back.")
    page.get_by_role("button", name="Resolve").last.click()
    expect(page.get_by_text("A bad release of the sender, taken back.")).to_be_visible()
    show(page, "review-item")
    assert ReviewItem.objects.get().owner == otto
