"""From events over HTTP to an alert, a hold, the answer that an application gets, and the lifting: nothing patched."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from core import recurring, work
from invoicing.alerts.models import AlertFiring
from invoicing.charge_controls.models import AccessChange
from invoicing.cycle.models import Hold, Invoice
from invoicing.notices.models import Delivery, Notice
from tests.builders import billing, people, triggers
from tests.builders.triggers import HOLD, NEAR

pytestmark = pytest.mark.django_db
A_MINUTE = 60


@pytest.fixture(autouse=True)
def fresh_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process remembers of rounds belongs to another test."""
    monkeypatch.setattr(recurring, "_due", {})


def send(client: people.ApiClient, event_id: str, units: int) -> None:
    answer = client.post(
        "events",
        {
            "specversion": "1.0",
            "source": "/app",
            "id": event_id,
            "type": "usage",
            "subject": "acme",
            "time": timezone.now().astimezone(UTC).isoformat(),
            "data": {"units": units},
        },
    )
    assert answer.json()["accepted"] == 1, answer.content


def wait_for(client: people.ApiClient, wanted: str, *, since: datetime) -> tuple[dict[str, Any], int]:
    """Let the workers' clock run, two rounds in five seconds of it, until the answer is the one awaited.

    The answer, and how many seconds of that clock it took.
    """
    for seconds in range(0, 120, 5):
        at = since + timedelta(seconds=seconds)
        recurring.enqueue_due(at=at)
        work.run_due_jobs(at=at)
        answer = client.get("customers/acme/access").json()
        if answer["access"] == wanted:
            return answer, seconds
    raise AssertionError(f"never {wanted}: {answer}")


def test_from_usage_to_an_alert_a_hold_the_answer_and_its_end() -> None:
    """49 + 20,000 × 0.002 = 89.00 net, 105.91 with tax: beyond 100.00; 20,000 of 10,000 units: beyond 80 %."""
    company = triggers.company_with(alerts=[NEAR], charge_controls=[HOLD])
    billing.make_customer("acme")
    month = timezone.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    billing.subscribe_to(company, billing.Customer.objects.get(), since=month)
    app = people.ApiClient(people.key_for(people.make_staff("enza", "engineering"), scopes=["events:write", "read"]))
    assert app.get("customers/acme/access").json()["access"] == "allowed"

    send(app, "one", 20000)
    held, seconds = wait_for(app, "held", since=timezone.now())
    assert seconds <= A_MINUTE - 10  # what it takes to run is not on that clock
    assert held["reason"].startswith("Usage that is not billed yet and unpaid invoices together come to 105.91 EUR")
    assert held["policy"] == {"program": "standard", "version": 2}
    (line,) = held["exposures"]
    assert (line["unbilled"], line["total"], line["holds_at"]) == ("105.91", "105.91", "100.00")
    assert held["as_of"] == line["as_of"]
    assert [firing.kind for firing in AlertFiring.objects.all()] == ["usage_near_limit"]
    assert sorted(Notice.objects.values_list("topic", flat=True)) == ["access.held", "alert.usage_near_limit"]
    assert not Delivery.objects.filter(status="pending").exists()

    portal = Client()
    portal.force_login(people.make_portal_user(billing.Customer.objects.get()).user)
    page = portal.get("/portal/").content.decode()
    assert "Further usage is on hold" in page
    assert "105.91 of 100.00 EUR" in page

    desk = people.ApiClient(people.key_for(people.make_staff("opal", "ops")))
    refused = app.post("customers/acme/access/lift", {"reason": "we are important"})
    assert refused.status_code == 403
    lifted = desk.post("customers/acme/access/lift", {"reason": "paid by wire today"})
    assert (lifted.status_code, lifted.json()["access"]) == (200, "allowed")
    send(app, "two", 10)
    assert wait_for(app, "allowed", since=timezone.now() + timedelta(seconds=60))[0]["revision"] == 2

    assert (Invoice.objects.count(), Hold.objects.count(), AccessChange.objects.count()) == (0, 0, 2)
    call_command("check_invariants")


def test_what_was_taken_back_ends_the_hold_by_itself() -> None:
    company = triggers.company_with(charge_controls=[HOLD])
    billing.make_customer("acme")
    month = timezone.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    billing.subscribe_to(company, billing.Customer.objects.get(), since=month)
    app = people.ApiClient(people.key_for(people.make_staff("enza", "engineering"), scopes=["events:write", "read"]))
    start = timezone.now()
    send(app, "one", 20000)
    wait_for(app, "held", since=start)
    send(app, "back", -15000)
    allowed, seconds = wait_for(app, "allowed", since=start + timedelta(seconds=120))
    assert seconds <= A_MINUTE - 10
    assert "70.21 EUR" in allowed["reason"]  # 49 + 10 = 59 net, 11.21 tax
