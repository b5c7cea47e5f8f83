"""Exposures, alerts, charge controls and notices at their doors: the API, the back office, the portal."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import Customer
from invoicing.alerts.models import AlertFiring
from invoicing.charge_controls.models import AccessChange, AccessState, CreditLimit, CreditReview
from invoicing.exposure.models import Exposure
from invoicing.notices.models import Delivery, Endpoint
from tests.builders import billing, people, triggers
from tests.builders.triggers import HOLD, MID, NEAR, look, subscriber, use

pytestmark = pytest.mark.django_db


def api(*roles: str) -> people.ApiClient:
    return people.ApiClient(people.key_for(staff(*roles)))


def staff(*roles: str) -> User:
    name = "-".join(roles)
    return User.objects.filter(username=name).first() or people.make_staff(name, *roles)


def desk(*roles: str) -> Client:
    client = Client()
    client.force_login(staff(*roles))
    return client


def submit(role: str, path: str, **given: str) -> None:
    """Fill in a dialog of the back office and send it."""
    answer = desk(role).post(f"/admin/{path}/", {**given, "_form_submitted": "1"})
    assert answer.status_code == 200
    assert "HX-Redirect" in answer.headers, answer.content.decode()


@pytest.fixture
def held() -> Customer:
    """Beyond a hold, a review and an alert at once."""
    review = HOLD | {"action": "require_review", "amount": "90.00"}
    company = triggers.company_with(alerts=[NEAR], charge_controls=[HOLD, review])
    customer = subscriber(company)
    use("a", 20000)
    look()
    return customer


class TestApi:
    def test_the_access_answer_says_what_why_by_whom_and_on_which_figures(self, held: Customer) -> None:
        answer = api("auditor").get("customers/acme/access").json()
        change = AccessChange.objects.get()
        assert answer == {
            "customer": "acme",
            "access": "held",
            "reason": "Usage that is not billed yet and unpaid invoices together come to 105.91 EUR and have reached "
            "the limit of 100.00 EUR.",
            "since": "2026-11-16T00:00:00Z",
            "revision": 1,
            "firing": change.firing_id,
            "policy": {"program": "standard", "version": 2},
            "exposures": [
                {
                    "currency": "EUR",
                    "unbilled": "105.91",
                    "drafted": "0.00",
                    "unpaid": "0.00",
                    "total": "105.91",
                    "holds_at": "100.00",
                    "is_complete": True,
                    "as_of": "2026-11-16T00:00:00Z",
                    "watermark": Exposure.objects.get().watermark_seq,
                }
            ],
            "as_of": "2026-11-16T00:00:00Z",
        }

    def test_somebody_who_was_never_looked_at_is_allowed(self) -> None:
        triggers.company_with()
        billing.make_customer("beta")
        answer = api("auditor").get("customers/beta/access").json()
        assert (answer["access"], answer["exposures"], answer["as_of"]) == ("allowed", [], None)
        assert api("auditor").get("customers/nobody/access").status_code == 404

    def test_a_hold_is_lifted_with_a_reason_once(self, held: Customer) -> None:
        finance = api("finance")
        refused = finance.post("customers/acme/access/lift", {"reason": "  "})
        assert refused.status_code == 422
        answer = finance.post("customers/acme/access/lift", {"reason": "paid"}, Idempotency_Key="k1")
        assert (answer.status_code, answer.json()["access"]) == (200, "allowed")
        again = finance.post("customers/acme/access/lift", {"reason": "paid"}, Idempotency_Key="k1")
        assert (again.status_code, again.json()) == (200, answer.json())
        once_more = finance.post("customers/acme/access/lift", {"reason": "paid"})
        assert (once_more.status_code, once_more.json()["code"]) == (409, "access_not_held")

    def test_lists_show_what_fired_and_what_followed(self, held: Customer) -> None:
        auditor = api("auditor")
        (firing,) = auditor.get("alert-firings?customer=acme&kind=usage_near_limit").json()["results"]
        assert (firing["value"], firing["line"], firing["policy"]["version"]) == ("20000", "8000", 2)
        assert auditor.get("alert-firings?kind=program_cost").json()["results"] == []
        assert auditor.get("alert-firings?kind=noise").status_code == 422
        controls = auditor.get("charge-control-firings?customer=acme").json()["results"]
        assert sorted(one["action"] for one in controls) == ["hold_usage", "require_review"]
        (change,) = auditor.get("access-changes?customer=acme").json()["results"]
        assert (change["cause"], change["actor"]) == ("control", None)
        (exposure,) = auditor.get("exposures?customer=acme").json()["results"]
        assert (exposure["total"], exposure["projected"], exposure["elapsed"]) == ("105.91", "153.51", "0.500000")
        assert auditor.get("exposures?customer=beta").json()["results"] == []
        assert auditor.get("program-costs").json()["results"] == []

    def test_a_review_is_resolved_over_the_api(self, held: Customer) -> None:
        ops = api("ops")
        (review,) = ops.get("credit-reviews?status=open").json()["results"]
        answer = ops.post(f"credit-reviews/{review['id']}/resolve", {"resolution": "a good customer"})
        assert (answer.json()["status"], answer.json()["resolved_by"]) == ("resolved", "ops")
        assert ops.get("credit-reviews?status=open").json()["results"] == []
        assert ops.get("credit-reviews?status=other").status_code == 422
        assert ops.post("credit-reviews/999/resolve", {"resolution": "x"}).status_code == 404

    def test_a_credit_limit_is_set_by_finance(self, held: Customer) -> None:
        finance = api("finance")
        body = {"customer": "acme", "currency": "EUR", "amount": "250.00", "reason": "their bank vouches"}
        made = finance.post("credit-limits", body)
        assert (made.status_code, made.json()["amount"]) == (201, "250.00")
        assert finance.post("credit-limits", body | {"amount": "-1"}).status_code == 422
        assert finance.post("credit-limits", body | {"currency": "XXZ"}).status_code == 422
        assert finance.post("credit-limits", body | {"customer": "nobody"}).status_code == 404
        assert finance.get("credit-limits?customer=acme").json()["results"][0]["reason"] == "their bank vouches"

    def test_deliveries_show_every_attempt_and_no_secret(self, held: Customer) -> None:
        rows = api("ops").get("notice-deliveries").json()["results"]
        assert {row["topic"] for row in rows} == {"alert.usage_near_limit", "access.held", "review.requested"}
        assert {row["status"] for row in rows} == {"pending", "not_set_up"}
        assert api("ops").get("notice-deliveries?status=odd").status_code == 422
        assert api("ops").post(f"notice-deliveries/{rows[0]['id']}/send-again").status_code == 409


class TestBackOffice:
    def test_every_page_says_what_it_is_about(self, held: Customer) -> None:
        auditor = desk("auditor")
        pages = {
            f"exposure/exposure/{Exposure.objects.get().pk}/change/": ["105.91 EUR", "sums of usage", "20000"],
            f"alerts/alertfiring/{AlertFiring.objects.get().pk}/change/": ["8000", "standard v2", "holds nothing"],
            f"charge_controls/accessstate/{AccessState.objects.get().pk}/change/": [
                "105.91 EUR and have reached the limit of 100.00 EUR",
                "GET /api/v1/customers/acme/access",
                "A charge control fired",
            ],
            f"charge_controls/creditreview/{CreditReview.objects.get().pk}/change/": ["105.91 EUR reached 90.00 EUR"],
            "exposure/exposure/": ["105.91", "Whole"],
            "alerts/alertfiring/": ["Usage nears a limit"],
            "charge_controls/accessstate/": ["On hold"],
            "charge_controls/controlfiring/": ["Hold further usage"],
            "notices/delivery/": ["On its way"],
            "": ["Usage on hold", "Credit reviews"],
        }
        missing = {
            (path, text)
            for path, texts in pages.items()
            for page in [auditor.get(f"/admin/{path}").content.decode()]
            for text in texts
            if text not in page
        }
        assert missing == set()

    def test_ops_lifts_a_hold_with_a_reason(self, held: Customer) -> None:
        state = AccessState.objects.get()
        submit("ops", f"charge_controls/accessstate/{state.pk}/lift", reason="paid by wire today")
        state.refresh_from_db()
        assert (state.status, state.reason) == ("allowed", "paid by wire today")

    def test_ops_resolves_a_review(self, held: Customer) -> None:
        review = CreditReview.objects.get()
        submit("ops", f"charge_controls/creditreview/{review.pk}/resolve", reason="knows them well")
        review.refresh_from_db()
        assert (review.status, review.resolution) == ("resolved", "knows them well")

    def test_finance_agrees_on_a_limit(self, held: Customer) -> None:
        body = {"customer": "acme", "currency": "EUR", "amount": "250.00", "reason": "their bank vouches"}
        submit("finance", "charge_controls/creditlimit/agree", **body)
        assert str(CreditLimit.objects.get().amount) == "250.0000"

    def test_an_endpoint_is_made_and_its_secret_shown_once(self) -> None:
        enza = desk("engineering")
        asked = {
            "code": "crm",
            "description": "The CRM.",
            "url": "https://crm.example/x",
            "topics": ["access.held", "access.allowed"],
        }
        bad = enza.post("/admin/notices/endpoint/add/", asked | {"url": "http://crm.example/x"})
        assert "must be an https address" in bad.content.decode()
        page = enza.post("/admin/notices/endpoint/add/", asked)
        assert "whsec_" in page.content.decode()
        assert "no-store" in page.headers["Cache-Control"]
        made = Endpoint.objects.get()
        assert made.topics == ["access.allowed", "access.held"]
        shown = enza.get(f"/admin/notices/endpoint/{made.pk}/change/").content.decode()
        assert "whsec_" not in shown
        changed = asked | {"topics": ["access.held"]}
        enza.post(f"/admin/notices/endpoint/{made.pk}/change/", changed)
        made.refresh_from_db()
        assert made.topics == ["access.held"]
        rotated = enza.post(f"/admin/notices/endpoint/{made.pk}/rotate/")
        assert "whsec_" in rotated.content.decode()
        submit("engineering", f"notices/endpoint/{made.pk}/close", reason="moved away")
        made.refresh_from_db()
        assert made.closed_at is not None

    def test_what_was_given_up_is_sent_again(self, held: Customer) -> None:
        delivery = Delivery.objects.filter(channel="email").earliest("pk")
        Delivery.objects.filter(pk=delivery.pk).update(status="failed", finished_at=MID)
        submit("ops", f"notices/delivery/{delivery.pk}/send_again")
        delivery.refresh_from_db()
        assert delivery.status == "pending"


class TestPortal:
    def page(self, customer: Customer) -> Any:
        client = Client()
        client.force_login(people.make_portal_user(customer).user)
        return client.get("/portal/").content.decode()

    def test_a_customer_on_hold_reads_why_and_what_to_do(self, held: Customer) -> None:
        page = self.page(held)
        assert "Further usage is on hold" in page
        assert "have reached the limit of 100.00 EUR" in page
        assert "105.91 of 100.00 EUR" in page

    def test_a_customer_below_the_limit_sees_how_much_is_taken(self) -> None:
        customer = subscriber(triggers.company_with(charge_controls=[HOLD]))
        use("a", 1000)
        look()
        page = self.page(customer)
        assert "on hold" not in page
        assert "60.69 of 100.00 EUR" in page

    def test_without_a_limit_nothing_is_said(self) -> None:
        customer = subscriber(triggers.company_with())
        use("a", 1000)
        look()
        assert "Not billed yet" not in self.page(customer)
