"""`offences`, `stopped-interims`, `review-queue` and `bulk-reviews`: list and act, by the rules of the back office."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core import invariants
from core.invariants import Finding, Invariant
from core.models import Job
from invoicing.cycle import bulk_reviews, offences, stopped
from invoicing.cycle.models import BulkReview, Invoice, StoppedInterim
from tests.builders import billing, usage
from tests.builders.billing import CLOSING

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(hours=1)


class Caller:
    """Somebody with a key."""

    def __init__(self, name: str, *roles: str) -> None:
        self.headers: Any = {"HTTP_AUTHORIZATION": f"Bearer {usage.api_key(name, *roles)}"}
        self.client = Client()

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query, **self.headers)

    def post(self, path: str, body: Any = None) -> Any:
        return self.client.post(f"/api/v1/{path}", body or {}, content_type="application/json", **self.headers)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def finance(company: billing.Company) -> Caller:
    return Caller("fay", "finance")


@pytest.fixture
def ops(company: billing.Company) -> Caller:
    return Caller("olga", "ops")


def offend(customer_id: int, *, number: int = 27) -> None:
    invariant = Invariant(number=number, name="a pencil lies on the desk", find_offenders=list)
    offences.keep([Finding(invariant, [f"customer {customer_id}", "AUD-1 is gone"])], at=CLOSING)


def test_the_list_says_when_everything_was_last_searched_and_how_far_a_check_is(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [Invariant(number=number, name=f"claim {number}", find_offenders=list) for number in (1, 2)]
    monkeypatch.setattr(invariants, "all_invariants", lambda: own)
    client.force_login(billing.person("olga", "ops"))
    address = reverse("admin:cycle_offence_changelist")
    assert "searched" not in client.get(address).content.decode()
    at = datetime(2026, 11, 2, 3, tzinfo=UTC)
    assert offences.go_on_with_check(at=at, is_over=lambda: True) is None
    assert "1 of 2 invariants are searched" in client.get(address).content.decode()
    offences.go_on_with_check(at=at)
    page = " ".join(client.get(address).content.decode().split())
    assert "Last searched 2 Nov 2026 03:00 UTC: 2 invariants." in page
    assert "not searched to the end" not in page


def test_an_offence_is_listed_called_false_and_agreed(company: billing.Company, finance: Caller, ops: Caller) -> None:
    invoice = billing.billed_customer(company)
    offend(invoice.customer_id)
    listed = finance.get("offences").json()["results"]
    assert [(one["offender"], one["customer"], one["stops"]) for one in listed] == [
        (f"customer {invoice.customer_id}", "acme", True),
        ("AUD-1 is gone", None, False),
    ]
    pk = finance.get("offences", customer="acme").json()["results"][0]["id"]
    reason = {"reason": "the query counts a test customer"}
    assert finance.post(f"offences/{pk}/false-alarm/agree", reason).status_code == 403
    said = finance.post(f"offences/{pk}/false-alarm", reason)
    assert (said.status_code, said.json()["stops"]) == (200, True)
    assert [(one["decision"], one["stated_by"]) for one in said.json()["false_alarms"]] == [("open", "fay")]
    again = finance.post(f"offences/{pk}/false-alarm", reason)
    assert (again.status_code, again.json()["code"]) == (409, "no_false_alarm")
    agreed = ops.post(f"offences/{pk}/false-alarm/agree", reason).json()
    assert (agreed["stops"], agreed["false_alarms"][0]["decided_by"]) == (False, "olga")
    assert [one["raw_events"] for one in agreed["false_alarms"][0]["recounted"]] == [2]
    assert finance.get(f"offences/{pk}").json() == agreed
    nothing = ops.post(f"offences/{pk}/false-alarm/refuse", reason)
    assert (nothing.status_code, nothing["Content-Type"]) == (404, "application/problem+json")
    assert finance.get("offences/999999").status_code == 404


def test_a_difference_of_figures_is_refused_with_what_to_do(
    company: billing.Company, finance: Caller, ops: Caller
) -> None:
    offend(billing.billed_customer(company).customer_id, number=14)
    (one,) = finance.get("offences", customer="acme").json()["results"]
    assert one["can_be_false"] is False
    refused = finance.post(f"offences/{one['id']}/false-alarm", {"reason": "I think it is fine"})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_false_alarm")
    assert "repair it at its source" in refused.json()["detail"]
    assert ops.post("offences/check").json() == {"queued": True}
    assert Job.objects.filter(kind=offences.CHECK_JOB).exists()


def test_interim_drafts_that_failed_are_listed_and_tried_again(company: billing.Company, finance: Caller) -> None:
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    stopped.note_failure(
        customer_id=subscription.customer_id,
        subscription_ids=[subscription.pk],
        error=RuntimeError("a fault"),
        at=CLOSING,
    )
    (one,) = finance.get("stopped-interims", customer="acme").json()["results"]
    assert (one["reason"], one["attempts"], one["left_at"]) == ("RuntimeError: a fault", 1, None)
    assert one["way_out"]
    tried = finance.post(f"stopped-interims/{one['id']}/try-again")
    assert (tried.status_code, tried.json()["id"]) == (202, one["id"])
    assert Job.objects.filter(kind=stopped.TRY_JOB).exists()
    stopped.let_go(customer_id=subscription.customer_id, at=LATER)
    assert finance.get("stopped-interims").json()["results"] == []
    assert len(finance.get("stopped-interims", include_left="true").json()["results"]) == 1
    late = finance.post(f"stopped-interims/{StoppedInterim.objects.get().pk}/try-again")
    assert (late.status_code, late.json()["code"]) == (409, "not_stopped")


def test_everything_that_a_filter_lists_is_decided_by_a_job(company: billing.Company, finance: Caller) -> None:
    for code in ("acme", "globex"):
        billing.subscribe_to(company, billing.make_customer(code))
        billing.use(code, ("e1", billing.day(3), 1000))
    billing.close_october()
    queue = finance.get("review-queue", statuses="draft").json()
    assert (queue["count"], [row["status"] for row in queue["results"]]) == (2, ["draft", "draft"])
    assert queue["sums"] == [{"currency": "EUR", "count": 2, "total": "121.38"}]  # twice 51.00 and 19 %
    body = {"filter": {"statuses": ["draft"]}, "list_hash": queue["list_hash"], "action": "approve"}
    changed = finance.post("bulk-reviews", body | {"list_hash": "0" * 64})
    assert (changed.status_code, changed.json()["code"]) == (409, "list_changed")
    started = finance.post("bulk-reviews", body)
    assert (started.status_code, started.json()["counts"]) == (202, {"waiting": 2})
    review = BulkReview.objects.get()
    bulk_reviews.go_on(review_id=review.pk, at=LATER)
    done = finance.get(f"bulk-reviews/{review.pk}").json()
    assert (done["counts"], done["refused"]) == ({"approved": 2}, [])
    assert finance.get("bulk-reviews").json()["results"] == [done]
    assert set(Invoice.objects.values_list("status", flat=True)) == {"approved"}
    assert finance.get("bulk-reviews/999999").status_code == 404


def test_a_filter_that_cannot_be_read_is_said(finance: Caller) -> None:
    for query in ({"statuses": "lost"}, {"page": "0"}, {"least": "much"}):
        answer = finance.get("review-queue", **query)
        assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json"), query
