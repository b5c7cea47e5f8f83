"""Payments over the API, in the back office and in the portal."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from invoicing.payments import record
from invoicing.payments.models import Payment
from invoicing.payments.rules.lifecycle import Step
from tests.builders import billing, payments, people
from tests.builders.payments import Desk, open_desk, pay
from tests.builders.people import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return open_desk()


@pytest.fixture
def api(desk: Desk) -> ApiClient:
    return ApiClient(people.key_for(desk.finance))


def body(desk: Desk, **facts: Any) -> dict[str, Any]:
    given = {
        "invoice": desk.invoice.number,
        "amount": "58.31",
        "currency": "EUR",
        "method": "bank_transfer",
        "reference": "SEPA 1",
        "received_at": "2026-11-05T09:00:00Z",
    }
    return {**given, **facts}


class TestApi:
    def test_a_payment_is_recorded_and_the_invoice_says_so(self, desk: Desk, api: ApiClient) -> None:
        before = api.get(f"invoices/{desk.invoice.pk}").json()
        assert (before["amount_due"], before["payments"]) == ("58.31", [])
        made = api.post("payments", body(desk, fee="0.35"))
        assert made.status_code == 201
        assert (made.json()["status"], made.json()["received"], made.json()["customer"]) == ("settled", "58.31", "acme")
        assert [one["step"] for one in made.json()["transitions"]] == ["recorded", "settled"]
        after = api.get(f"invoices/{desk.invoice.pk}").json()
        assert (after["amount_due"], after["payments"]) == ("0.00", [made.json()])
        assert api.get(f"payments/{made.json()['id']}").json() == made.json()

    def test_a_draft_has_nothing_due(self, desk: Desk, api: ApiClient) -> None:
        billing.close_november()
        rows = api.get("invoices?status=draft").json()["results"]
        assert [(row["amount_due"], row["payments"]) for row in rows] == [(None, [])]

    def test_a_repeat_with_its_key_records_once(self, desk: Desk, api: ApiClient) -> None:
        first, again = (api.post("payments", body(desk), Idempotency_Key="one") for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert Payment.objects.count() == 1

    def test_the_list_is_asked_by_invoice_customer_and_status(self, desk: Desk, api: ApiClient) -> None:
        pay(desk, "10.00", reference="a")
        pay(desk, "20.00", reference="b", received_at=None)
        for asked, count in (
            ("", 2),
            ("?status=pending", 1),
            ("?customer=acme", 2),
            ("?customer=nobody", 0),
            (f"?invoice={desk.invoice.number}", 2),
        ):
            assert len(api.get(f"payments{asked}").json()["results"]) == count, asked
        page = api.get("payments?page_size=1").json()
        assert (len(page["results"]), page["next"] is not None) == (1, True)

    def test_what_became_of_it_is_recorded_with_its_reason(self, desk: Desk, api: ApiClient) -> None:
        payment = pay(desk, received_at=None)
        step = {"happened_at": "2026-11-07T00:00:00Z", "reason": "the account is closed"}
        failed = api.post(f"payments/{payment.pk}/steps", {"step": "failed", **step})
        assert (failed.status_code, failed.json()["status"]) == (200, "errored")
        assert failed.json()["transitions"][-1]["reason"] == "the account is closed"
        again = api.post(f"payments/{payment.pk}/steps", {"step": "failed", **step})
        assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
        settled = api.post(f"payments/{payment.pk}/steps", {"step": "settled", **step})
        assert settled.json()["status"] == "settled"
        refunded = api.post(f"payments/{payment.pk}/refund", {"amount": "8.31", **step})
        assert (refunded.json()["status"], refunded.json()["refunded"]) == ("settled", "8.31")
        disputed = api.post(f"payments/{payment.pk}/steps", {"step": "disputed", "fee": "15.00", **step})
        assert (disputed.json()["status"], disputed.json()["contested"]) == ("chargeback", "50.00")

    def test_a_large_refund_waits_for_a_colleague(self, desk: Desk, api: ApiClient) -> None:
        payment = pay(desk)
        request = payments.ask_for_refund(payment, actor=desk.finance, at=payments.RECORDED_AT)
        own = api.post(f"refund-requests/{request.pk}/confirm", {})
        assert (own.status_code, own.json()["code"]) == (403, "four_eyes")
        other = ApiClient(people.key_for(desk.company.other_finance))
        confirmed = other.post(f"refund-requests/{request.pk}/confirm", {})
        assert (confirmed.json()["status"], confirmed.json()["refund_requests"][0]["decision"]) == (
            "refunded",
            "confirmed",
        )

    @pytest.mark.parametrize(
        ("facts", "status", "pointer"),
        [
            ({"amount": "58.311"}, 422, "/amount"),
            ({"amount": 58.31}, 422, "/amount"),
            ({"amount": "1_000"}, 422, "/amount"),
            ({"amount": "NaN"}, 422, "/amount"),
            ({"amount": "-1.00"}, 422, "/amount"),
            ({"currency": "USD"}, 422, "/currency"),
            ({"method": "barter"}, 422, "/method"),
            ({"reference": ""}, 422, "/reference"),
            ({"received_at": "2026-11-05T09:00:00"}, 422, "/received_at"),
            ({"invoice": "none"}, 404, "/invoice"),
            ({"status": "settled"}, 422, "/status"),
        ],
    )
    def test_what_cannot_be_is_a_problem_document(
        self, desk: Desk, api: ApiClient, facts: dict[str, Any], status: int, pointer: str
    ) -> None:
        refused = api.post("payments", body(desk, **facts))
        assert (refused.status_code, refused["Content-Type"]) == (status, "application/problem+json")
        assert [one["pointer"] for one in refused.json()["errors"]] == [pointer]
        assert not Payment.objects.exists()


class TestBackOffice:
    @pytest.fixture
    def finance(self, desk: Desk) -> Client:
        client = Client()
        client.force_login(desk.finance)
        return client

    def test_a_payment_is_recorded_on_the_page_of_its_invoice(self, desk: Desk, finance: Client) -> None:
        page = f"/admin/cycle/invoice/{desk.invoice.pk}/change/"
        shown = finance.get(page).content.decode()
        assert "Nothing was paid for it yet." in shown
        assert "Record a payment" in shown
        form = {"amount": "58.31", "method": "bank_transfer", "reference": "SEPA 1", "received_on": "2026-11-05"}
        answer = finance.post(f"/admin/payments/payment/of-invoice/{desk.invoice.pk}/", form, follow=True)
        assert "The payment is recorded." in answer.content.decode()
        payment = Payment.objects.get()
        assert payment.transitions.get(step="settled").entry.booked_on.isoformat() == "2026-11-05"  # type: ignore[union-attr]
        shown = finance.get(page).content.decode()
        assert "0.00 EUR" in shown
        assert f"/admin/payments/payment/{payment.pk}/change/" in shown

    def test_a_refusal_is_told_and_nothing_is_recorded(self, desk: Desk, finance: Client) -> None:
        form = {"amount": "58.311", "method": "card", "reference": "x", "received_on": "2026-11-05"}
        answer = finance.post(f"/admin/payments/payment/of-invoice/{desk.invoice.pk}/", form, follow=True)
        assert "Nothing was recorded. The amount must be more than 0" in answer.content.decode()
        answer = finance.post(f"/admin/payments/payment/of-invoice/{desk.invoice.pk}/", {"amount": "x"}, follow=True)
        assert "Nothing was recorded. Amount: Enter a number." in answer.content.decode()
        assert not Payment.objects.exists()

    def test_the_page_of_a_payment_tells_its_steps(self, desk: Desk, finance: Client) -> None:
        payment = pay(desk, "70.00")
        record.record_step(
            payment_id=payment.pk,
            step=Step.DISPUTED,
            fee=Decimal("15.00"),
            happened_at=timezone.now() - timedelta(days=1),
            reason="unknown to the holder",
            actor=desk.finance,
            at=timezone.now(),
        )
        shown = finance.get(f"/admin/payments/payment/{payment.pk}/change/").content.decode()
        for words in ("11.69 EUR more than was due", "Fee 15.00 EUR", "unknown to the holder", "Dispute won"):
            assert words in shown

    def test_who_is_not_in_finance_reads_only(self, desk: Desk) -> None:
        client = Client()
        client.force_login(billing.person("olga", "ops"))
        shown = client.get(f"/admin/cycle/invoice/{desk.invoice.pk}/change/").content.decode()
        assert "Nothing was paid for it yet." in shown
        assert "Record a payment" not in shown
        assert client.post(f"/admin/payments/payment/of-invoice/{desk.invoice.pk}/", {}).status_code == 403


class TestPortal:
    def test_a_customer_sees_what_is_open_and_what_is_paid(self, desk: Desk) -> None:
        client = Client()
        client.force_login(people.make_portal_user(desk.customer, "anna").user)
        assert "58.31 EUR due" in " ".join(client.get("/portal/invoices/").content.decode().split())
        pay(desk, "20.00")
        shown = " ".join(client.get("/portal/invoices/").content.decode().split())
        assert "Partly paid" in shown
        assert "38.31 EUR due" in shown
        pay(desk, "38.31", reference="rest")
        shown = client.get("/portal/invoices/").content.decode()
        assert "Paid" in shown
        assert " due</div>" not in shown
        page = " ".join(client.get(f"/portal/invoices/{desk.invoice.pk}/").content.decode().split())
        assert "Still due" in page
        assert "0.00 EUR" in page
