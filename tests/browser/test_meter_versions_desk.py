"""Contracts and meter versions in a browser: an event is tried, a version is proposed, compared and approved."""

import json
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from metering import aggregate, meter_versions, watermark
from metering.aggregate import UsageWindow
from metering.models import EventContract, Meter, MeterVersion, UsageEvent
from metering.rules.measures import MeterContent
from tests.builders import usage
from tests.builders.browsing import enter, show

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
LARGE = {"property": "model", "operator": "equals", "value": "large"}


@pytest.fixture
def page(page: Page) -> Page:
    usage.house()
    return page


def test_an_engineer_reads_how_to_send_and_tries_an_event(page: Page) -> None:
    usage.meter("large", filters=[LARGE])
    enter(page, usage.person("enza", "engineering"))
    page.goto(reverse("admin:metering_eventcontract_page", args=[EventContract.objects.get().pk]))
    expect(page.get_by_text("Version 1 is in force")).to_be_visible()
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("It would be accepted.")).to_be_visible()
    expect(page.get_by_text("nothing: its filters leave this event out")).to_be_visible()
    show(page, "contract_page")
    page.get_by_label("Event").fill(json.dumps(usage.event(subject="nobody")))
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("It would be quarantined.")).to_be_visible()
    show(page, "contract_page_quarantined")
    assert not UsageEvent.objects.exists()


def test_the_owner_sees_what_a_version_would_change_and_approves_it(page: Page) -> None:
    for number, model in enumerate(("small", "large", "large")):
        usage.capture(usage.event(f"e{number}", data={"input_tokens": 10, "output_tokens": 1, "model": model}))
    meter = Meter.objects.get()
    window = UsageWindow(usage.customer().pk, meter.pk, MARCH, APRIL)
    aggregate.take_snapshots([window], watermark=watermark.fix_watermark(at=APRIL), at=APRIL)
    version = meter_versions.propose_version(
        meter=meter,
        content=MeterContent(
            definition="Tokens read by large models.",
            aggregation="sum",
            value_property="input_tokens",
            filters=[LARGE],
            group_by=["model", "region"],
        ),
        effective_at=APRIL,
        reason="Small models are free from April on.",
        actor=usage.person("paul", "product"),
        at=usage.NOON,
    )
    enter(page, usage.person("enza", "engineering"))
    page.goto(reverse("admin:metering_meter_change", args=[meter.pk]))
    show(page, "meter")
    page.get_by_role("link", name="Propose a version").or_(
        page.get_by_role("button", name="Propose a version")
    ).first.click()
    expect(page.get_by_text("Nothing changes before the meter's owner approves it.")).to_be_visible()
    show(page, "meter_propose")
    page.goto(reverse("admin:metering_meterversion_change", args=[version.pk]))
    expect(page.get_by_text("1 of 1 customer would have been measured differently.")).to_be_visible()
    show(page, "meter_version")
    page.get_by_role("link", name="Approve").or_(page.get_by_role("button", name="Approve")).first.click()
    page.locator("#dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved. It measures").first).to_be_visible()
    show(page, "meter_version_approved")
    assert MeterVersion.objects.get(pk=version.pk).status == "approved"
