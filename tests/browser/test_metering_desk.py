"""The metering desk in a browser: a held event is released, a version comes into force, a figure shows its events."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from metering import aggregate, watermark
from metering.aggregate import UsageWindow
from metering.models import EventContract, EventContractVersion, Meter, QuarantinedEvent, UsageEvent
from tests.builders import usage
from tests.builders.browsing import enter, show

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(page: Page) -> Page:
    usage.house()
    return page


def act(page: Page, name: str) -> None:
    """Press a button of the page's head and wait for its dialog."""
    page.get_by_role("link", name=name).or_(page.get_by_role("button", name=name)).first.click()


def test_ops_releases_a_held_event_once_its_customer_is_known(page: Page) -> None:
    usage.capture(usage.event("held", subject="newcomer"))
    usage.customer("newcomer")
    held = QuarantinedEvent.objects.get()
    enter(page, usage.person("otto", "ops"))
    page.goto(reverse("admin:metering_quarantinedevent_changelist") + "?status__exact=open")
    expect(page.get_by_text("No customer has the code")).to_be_visible()
    show(page, "quarantine")
    page.goto(reverse("admin:metering_quarantinedevent_change", args=[held.pk]))
    expect(page.get_by_text("customer_unknown")).to_be_visible()
    act(page, "Release")
    show(page, "quarantined-event")
    page.get_by_label("Reason").fill("The customer is set up now.")
    page.get_by_role("button", name="Check and release").click()
    expect(page.get_by_text("Released: accepted.")).to_be_visible()
    assert UsageEvent.objects.get(event_id="held").customer.code == "newcomer"


def test_engineering_drafts_a_version_and_puts_it_in_force(page: Page) -> None:
    enter(page, usage.person("enza", "engineering"))
    page.goto(reverse("admin:metering_eventcontract_change", args=[EventContract.objects.get().pk]))
    act(page, "New version")
    show(page, "new-version")
    page.get_by_label("Accepts past days").fill("35")
    page.get_by_role("button", name="Save as draft").click()
    expect(page.get_by_text("The version is drafted.")).to_be_visible()
    page.get_by_role("link", name="Version 2").click()
    show(page, "version")
    act(page, "Put in force")
    page.get_by_role("button", name="Put in force").last.click()
    expect(page.get_by_text("In force. Events are held to it from now on.")).to_be_visible()
    assert EventContractVersion.objects.get(status="active").accepts_past_days == 35


def test_a_snapshot_shows_its_events(page: Page) -> None:
    usage.capture(usage.event("a"), usage.event("b", data={"input_tokens": 4, "output_tokens": 0}))
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    window = UsageWindow(usage.customer().pk, Meter.objects.get().pk, start, end)
    mark = watermark.fix_watermark(at=usage.NOON)
    (snapshot,) = aggregate.take_snapshots([window], watermark=mark, at=usage.NOON)
    enter(page, usage.person("fiona", "finance"))
    page.goto(reverse("admin:metering_aggregationsnapshot_change", args=[snapshot.pk]))
    expect(page.get_by_text("7 token")).to_be_visible()
    show(page, "snapshot")
    page.get_by_role("link", name="api/eu b").click()
    expect(page.get_by_text('"input_tokens": 4')).to_be_visible()
    show(page, "event")
