"""One decision over everything that a filter of the review queue lists, made by a job."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.roles import Role
from core.errors import NotAllowedError
from core.models import Job
from invoicing.cycle import bulk_reviews, discard, queue
from invoicing.cycle.models import BulkReview, Invoice
from invoicing.cycle.queue import Wanted
from tests.builders import billing, soundness
from tests.builders.billing import CLOSING

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(hours=1)
DRAFTS = Wanted(statuses=("draft",))


@pytest.fixture
def company(monkeypatch: pytest.MonkeyPatch) -> billing.Company:
    """Five drafts, decided two at a time, two steps of a job."""
    monkeypatch.setattr(bulk_reviews, "ITEMS_AT_ONCE", 2)
    monkeypatch.setattr(bulk_reviews, "STEPS_MAX", 2)
    company = billing.open_company()
    for number in range(5):
        code = f"customer{number}"
        billing.subscribe_to(company, billing.make_customer(code))
        billing.use(code, ("e1", billing.day(3), 1000))
    billing.close_october()
    return company


def start(actor: Any, *, action: str = "approve", wanted: Wanted = DRAFTS, reason: str = "") -> BulkReview:
    list_hash = queue.find_list(wanted).list_hash
    return bulk_reviews.start_review(
        wanted=wanted, list_hash=list_hash, action=action, reason=reason, reason_code="", actor=actor, at=CLOSING
    )


def work_on(review: BulkReview) -> None:
    bulk_reviews.go_on(review_id=review.pk, at=LATER)


def test_a_job_approves_all_that_were_listed_and_goes_on_where_it_stopped(company: billing.Company) -> None:
    review = start(company.finance)
    work_on(review)
    assert bulk_reviews.counts_of(review) == {"approved": 4, "": 1}
    assert Job.objects.filter(kind=bulk_reviews.JOB).count() == 2
    work_on(review)
    work_on(review)  # run again, it finds nothing to do
    review.refresh_from_db()
    assert (bulk_reviews.counts_of(review), review.ended_at) == ({"approved": 5}, LATER)
    assert set(Invoice.objects.values_list("status", "approved_by")) == {("approved", company.finance.pk)}
    assert soundness.offences() == {}


def test_what_changed_since_is_refused_and_says_why(company: billing.Company) -> None:
    review = start(company.finance)
    gone = Invoice.objects.earliest("pk")
    discard.discard_invoice(invoice_id=gone.pk, reason="again", actor=company.other_finance, at=CLOSING)
    work_on(review)
    work_on(review)
    item = review.items.get(outcome="refused")
    assert (item.invoice, item.code) == (gone, "wrong_state")
    assert bulk_reviews.counts_of(review) == {"approved": 4, "refused": 1}


def test_a_list_that_is_not_the_one_looked_at_is_not_decided_over(company: billing.Company) -> None:
    seen = queue.find_list(DRAFTS).list_hash
    billing.discard_draft(company, Invoice.objects.earliest("pk"))
    with pytest.raises(bulk_reviews.ListChangedError):
        bulk_reviews.start_review(
            wanted=DRAFTS,
            list_hash=seen,
            action="approve",
            reason="",
            reason_code="",
            actor=company.finance,
            at=CLOSING,
        )
    assert not BulkReview.objects.exists()


def test_who_left_finance_meanwhile_decides_nothing_more(company: billing.Company) -> None:
    review = start(company.finance)
    company.finance.groups.clear()
    work_on(review)
    work_on(review)
    assert bulk_reviews.counts_of(review) == {"refused": 5}
    with pytest.raises(NotAllowedError):
        start(billing.person("paula", Role.PRODUCT))


def test_all_are_held_with_a_reason_and_released_by_another(company: billing.Company) -> None:
    held = start(company.finance, action="hold", reason="prices in doubt")
    work_on(held)
    work_on(held)
    released = start(company.finance, action="release", wanted=Wanted(statuses=("held",)), reason="prices confirmed")
    work_on(released)
    work_on(released)
    assert bulk_reviews.counts_of(released) == {"refused": 5}  # whoever placed a hold does not release it
    released = start(
        company.other_finance, action="release", wanted=Wanted(statuses=("held",)), reason="prices confirmed"
    )
    work_on(released)
    work_on(released)
    assert bulk_reviews.counts_of(released) == {"released": 5}


def test_the_queue_offers_it_where_a_page_does_not_hold_all(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    client.force_login(company.finance)
    address = "/admin/cycle/invoice/queue/"
    assert "tick-list" not in client.get(address).content.decode()
    monkeypatch.setattr(queue, "PAGE_ROWS", 2)
    page = client.get(address, {"status": "draft"}).content.decode()
    list_hash = queue.find_list(DRAFTS).list_hash
    assert f'value="{list_hash}"' in page
    assert "All 5 that this filter lists" in page
    sent = {"action": "approve", "all": list_hash, "filter": "status=draft"}
    shown = client.post("/admin/cycle/invoice/decide/", sent, follow=True)
    assert "0 of 5: 5 waiting" in shown.content.decode()
    assert shown.headers["Refresh"] == "3"
    review = BulkReview.objects.get()
    work_on(review)
    work_on(review)
    page = client.get(f"/admin/cycle/bulkreview/{review.pk}/change/").content.decode()
    assert "5 of 5: 5 approved" in page
    again = client.post("/admin/cycle/invoice/decide/", sent, follow=True).content.decode()
    assert "The list has changed since you looked at it" in again
