"""The doors of backfills: API, command and back office."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from invoicing.cycle.models import DeltaReport, Invoice
from metering.models import Backfill, StagedEvent, UsageEvent
from tests.builders import billing, people
from tests.builders.billing import day
from tests.builders.people import ApiClient

pytestmark = pytest.mark.django_db
REASON = "The proxy kept a day of logs."


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def october(company: billing.Company) -> Invoice:
    return billing.issue(company, [billing.billed_customer(company)])[0]


def api_of(name: str, *roles: str) -> ApiClient:
    return ApiClient(people.key_for(billing.person(name, *roles)))


def sent(event_id: str, units: int) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "source": "/meter/acme",
        "id": event_id,
        "type": "usage",
        "subject": "acme",
        "time": day(25).isoformat(),
        "data": {"units": units},
    }


def test_from_the_first_event_to_the_decision_by_api(october: Invoice) -> None:
    ops, finance = api_of("olga", "ops"), api_of("fiona", "finance")
    assert ops.post("backfills", {"name": "old-logs", "reason": REASON}).json()["status"] == "open"
    assert ops.post("backfills/old-logs/events", [sent("b1", 250), sent("b2", 250)]).json()["staged"] == 2
    sealed = ops.post("backfills/old-logs/inspect").json()
    assert (sealed["status"], len(sealed["digest"])) == ("sealed", 64)
    report = finance.get(f"delta-reports/{sealed['delta_report']}").json()
    assert [(row["before"]["amount"], row["after"]["amount"]) for row in report["rows"]] == [("3.00", "4.00")]
    body = {"content_hash": report["content_hash"], "reason": "matches their logs"}
    assert finance.post(f"delta-reports/{report['id']}/approve", body).json()["status"] == "approved"
    assert finance.get("backfills/old-logs").json()["decided_by"] == "fiona"
    assert [one["name"] for one in finance.get("backfills").json()["results"]] == ["old-logs"]


def test_a_sealed_batch_takes_no_more_and_is_not_dropped(october: Invoice) -> None:
    ops = api_of("olga", "ops")
    ops.post("backfills", {"name": "old-logs", "reason": REASON})
    assert ops.post("backfills/old-logs/inspect").json()["code"] == "backfill_unusable"  # nothing is in it
    ops.post("backfills/old-logs/events", [sent("b1", 250)])
    ops.post("backfills/old-logs/inspect")
    assert ops.post("backfills/old-logs/events", [sent("b2", 250)]).json()["code"] == "backfill_closed"
    assert ops.post("backfills/old-logs/drop", {"reason": "wrong file"}).json()["code"] == "backfill_inspected"


def test_a_file_is_imported_into_a_backfill(october: Invoice, tmp_path: Path) -> None:
    path = tmp_path / "logs.csv"
    path.write_text("when,units\n2026-10-25 10:00:00,250\n2026-10-25 11:00:00,50\n")
    words = [str(path), "--customer", "acme", "--type", "usage", "--map", "time=when", "--map", "data.units=units"]
    with pytest.raises(CommandError, match="There is no backfill"):
        call_command("import_events", *words, "--backfill", "old-logs")
    api_of("olga", "ops").post("backfills", {"name": "old-logs", "reason": REASON})
    out = StringIO()
    call_command("import_events", *words, "--backfill", "old-logs", stdout=out)
    assert out.getvalue() == "staged 2 in all in backfill old-logs\n"
    assert (StagedEvent.objects.count(), UsageEvent.objects.count()) == (2, 2)  # e1 and e2 are the two that count


def test_the_back_office_opens_inspects_and_drops(october: Invoice) -> None:
    client = Client()
    client.force_login(billing.person("olga", "ops"))
    client.post("/admin/metering/backfill/open_new/", {"name": "b-one", "reason": REASON, "_form_submitted": "1"})
    batch = Backfill.objects.get(name="b-one")
    api_of("olga", "ops").post("backfills/b-one/events", [sent("b1", 250)])
    client.post(f"/admin/metering/backfill/{batch.pk}/inspect_it/", {"_form_submitted": "1"})
    report = DeltaReport.objects.get(backfill=batch)
    html = client.get(f"/admin/metering/backfill/{batch.pk}/change/").content.decode()
    assert f"/admin/cycle/deltareport/{report.pk}/change/" in html
    shown = client.get(f"/admin/cycle/deltareport/{report.pk}/change/").content.decode()
    for text in ("1,500 unit", "1,750 unit", "+0.50"):
        assert text in shown
