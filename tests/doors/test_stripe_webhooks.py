"""What Stripe tells: signed, over real HTTP, twice, in any order and before its invoice."""

import http.client
import time
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from invoicing.cycle.models import Invoice
from invoicing.ledger.models import JournalEntry
from invoicing.payments import queries, webhooks
from invoicing.payments.models import GatewayEvent, Payment, PaymentObject
from tests.builders import billing
from tests.builders.payments import Desk, balances, open_desk
from tests.builders.soundness import offences
from tests.builders.stripe_events import SECRET, body_of, event, signed

pytestmark = pytest.mark.django_db
ISSUED = {"revenue_subscription": Decimal("-49.0000"), "tax_payable": Decimal("-9.3100")}
STORY = [
    "payment_intent.processing",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "charge.dispute.created",
    "charge.dispute.closed",
]


@pytest.fixture(autouse=True)
def secret(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRET = SECRET


@pytest.fixture
def desk() -> Desk:
    return open_desk()


def now() -> int:
    return int(time.time())


def told(kind: str, desk: Desk, **facts: Any) -> dict[str, Any]:
    given = {"id": f"evt_{kind}", "created": now() - 100, "invoice": desk.invoice.number, **facts}
    return event(kind, **given)


def receive(sent: dict[str, Any], *, header: str | None = None) -> GatewayEvent:
    """As the door does it, without the door."""
    body = body_of(sent)
    return webhooks.receive(header=header or signed(body, at=now()), body=body, at=timezone.now())


def story(desk: Desk) -> list[dict[str, Any]]:
    return [told(kind, desk, created=now() - 100 + number) for number, kind in enumerate(STORY)]


def test_a_payment_that_succeeded_settles_its_invoice(desk: Desk) -> None:
    assert receive(told("payment_intent.succeeded", desk)).outcome == "applied"
    payment = Payment.objects.get()
    assert (payment.status, payment.gateway_id, payment.method) == ("settled", "pi_1", "card")
    assert queries.due_of(desk.invoice).due == 0
    assert balances() == {**ISSUED, "processor_clearing": Decimal("58.31")}
    assert offences() == {}


def test_the_fee_is_what_the_gateway_says(desk: Desk) -> None:
    moves = {"id": "txn_1", "fee": 199, "currency": "eur"}
    receive(told("charge.succeeded", desk, balance_transaction=moves))
    assert balances() == {**ISSUED, "processor_clearing": Decimal("56.32"), "payment_fees": Decimal("1.99")}
    assert offences() == {}


def test_an_event_that_comes_again_changes_nothing(desk: Desk) -> None:
    sent = told("payment_intent.succeeded", desk)
    first, again = receive(sent), receive(sent)
    assert first.pk == again.pk
    assert Payment.objects.get().transitions.count() == 2


def test_a_refund_is_what_the_charge_says_in_all(desk: Desk) -> None:
    receive(told("payment_intent.succeeded", desk))
    receive(told("charge.refunded", desk, id="evt_30", amount_refunded=3000))
    receive(told("charge.refunded", desk, id="evt_10", amount_refunded=1000))  # older, and late
    assert Payment.objects.get().refunded == Decimal("30.00")
    receive(told("charge.refunded", desk, id="evt_all"))
    assert Payment.objects.get().status == "refunded"
    assert queries.due_of(desk.invoice).due == Decimal("58.31")
    assert offences() == {}


def test_a_dispute_takes_the_money_and_its_fee(desk: Desk) -> None:
    receive(told("payment_intent.succeeded", desk))
    receive(told("charge.dispute.created", desk))
    assert balances() == {
        **ISSUED,
        "processor_clearing": Decimal(-15),
        "dispute_fees": Decimal(15),
        "disputes_receivable": Decimal("58.31"),
    }
    receive(told("charge.dispute.closed", desk, status="won"))
    assert Payment.objects.get().status == "settled"
    assert balances() == {**ISSUED, "processor_clearing": Decimal("43.31"), "dispute_fees": Decimal(15)}
    assert offences() == {}


def test_an_inquiry_moves_nothing(desk: Desk) -> None:
    receive(told("payment_intent.succeeded", desk))
    receive(told("charge.dispute.created", desk, status="warning_needs_response"))
    assert receive(told("charge.dispute.closed", desk, status="warning_closed")).outcome == "nothing_new"
    assert Payment.objects.get().status == "settled"


@pytest.mark.parametrize("order", list(permutations(range(5)))[::13])
def test_in_any_order_the_end_is_the_same(desk: Desk, order: tuple[int, ...]) -> None:
    sent = story(desk)
    for place in order:
        receive(sent[place])
        receive(sent[place])
    payment = Payment.objects.get()
    assert (payment.status, payment.lost) == ("chargeback", Decimal("58.31"))
    assert balances() == {
        **ISSUED,
        "processor_clearing": Decimal(-15),
        "dispute_fees": Decimal(15),
        "bad_debt_or_refund": Decimal("58.31"),
    }
    assert JournalEntry.objects.filter(key__endswith=":settled").count() == 1
    assert not GatewayEvent.objects.filter(outcome__in=["waiting", "refused", "unknown"]).exists()
    assert offences() == {}


def test_what_comes_before_its_invoice_waits_for_it(desk: Desk) -> None:
    billing.close_november()
    draft = Invoice.objects.get(status="draft")
    issued_before = str(desk.invoice.number)
    number = f"{issued_before[:-1]}{int(issued_before[-1]) + 1}"
    assert receive(told("payment_intent.succeeded", desk, invoice=number)).outcome == "waiting"
    assert webhooks.try_waiting(at=timezone.now()) == 0
    (issued,) = billing.issue(desk.company, [draft], at=billing.NEXT_CLOSING)
    assert issued.number == number
    assert webhooks.try_waiting(at=timezone.now()) == 1
    assert queries.due_of(issued).due == 0
    assert GatewayEvent.objects.get().outcome == "applied"
    assert webhooks.try_waiting(at=timezone.now()) == 0


def test_a_kind_that_nobody_reads_is_kept_and_reported(desk: Desk) -> None:
    assert receive(told("customer.created", desk)).outcome == "unknown"
    client = Client()
    client.force_login(desk.finance)
    assert "customer.created" in client.get("/admin/payments/gatewayevent/?outcome__exact=unknown").content.decode()


def test_a_state_that_nobody_knows_settles_nothing(desk: Desk) -> None:
    kept = receive(told("payment_intent.succeeded", desk, status="succeeded_maybe"))
    assert (kept.outcome, kept.detail) == ("refused", "Nobody here knows the state succeeded_maybe.")
    assert not Payment.objects.exists()


def test_a_failure_that_comes_after_the_money_is_for_somebody_to_look_at(desk: Desk) -> None:
    receive(told("payment_intent.succeeded", desk))
    kept = receive(told("payment_intent.payment_failed", desk, created=now() - 1))
    assert (kept.outcome, Payment.objects.get().status) == ("refused", "settled")
    assert list(queries.unapplied_events(since=timezone.now() - timedelta(days=7))) == [kept]
    assert not queries.unapplied_events(since=timezone.now()).exists()
    assert offences() == {}


def test_money_in_another_currency_is_refused_and_kept(desk: Desk) -> None:
    kept = receive(told("payment_intent.succeeded", desk, currency="usd"))
    assert (kept.outcome, kept.detail) == ("refused", f"{desk.invoice} is in EUR; it is paid in that.")
    assert not Payment.objects.exists()


def test_a_charge_belongs_to_one_payment(desk: Desk) -> None:
    receive(told("payment_intent.succeeded", desk))
    other = told("payment_intent.succeeded", desk, id="evt_other")
    other["data"]["object"]["id"] = "pi_2"
    kept = receive(other)
    assert (kept.outcome, kept.detail) == ("refused", "Its charge belongs to another payment here.")
    assert PaymentObject.objects.get(kind="charge").payment == Payment.objects.get()


def test_nobodys_name_is_kept(desk: Desk) -> None:
    receive(told("payment_intent.payment_failed", desk))
    receive(told("charge.succeeded", desk))
    kept = str(list(GatewayEvent.objects.values_list("facts", flat=True)))
    assert "card_declined" in kept
    assert "anna" not in kept.casefold()


class TestOverHttp:
    """A server of its own, and a client that is no test client."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture(autouse=True)
    def server(self, live_server: Any, desk: Desk) -> None:
        self.host, self.desk = urlsplit(live_server.url).netloc, desk

    def post(self, body: bytes, header: str | None) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": header} if header else {})
        with closing(http.client.HTTPConnection(self.host, timeout=30)) as connection:
            connection.request("POST", "/api/v1/webhooks/stripe", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def test_a_signed_event_is_applied_and_a_repeat_is_a_success(self) -> None:
        body = body_of(told("payment_intent.succeeded", self.desk))
        for _ in range(2):
            status, answer = self.post(body, signed(body, at=now()))
            assert (status, answer) == (
                200,
                b'{"received":"evt_payment_intent.succeeded","outcome":"applied"}',
            )
        assert Payment.objects.get().status == "settled"

    def test_nothing_is_written_for_what_is_not_stripes(self, settings: Any) -> None:
        sent = told("payment_intent.succeeded", self.desk)
        body = body_of(sent)
        foreign = body_of({**sent, "account": "acct_1"})
        settings.STRIPE_API_KEY = "sk_live_x"  # then an event of the test mode is not ours
        refused = [
            (body, None),
            (body, "nonsense"),
            (body, signed(body, at=now(), secret="whsec_another_secret")),
            (body, signed(body, at=now() - 302)),
            (body, signed(body, at=now() + 330)),
            (body + b" ", signed(body, at=now())),
            (foreign, signed(foreign, at=now())),
            (body, signed(body, at=now())),
            (b"[]", signed(b"[]", at=now())),
            (b"\xff", signed(b"\xff", at=now())),
        ]
        assert [self.post(*each)[0] for each in refused] == [400] * len(refused)
        assert not GatewayEvent.objects.exists()
        assert not Payment.objects.exists()

    def test_without_a_secret_nothing_is_taken_in(self, settings: Any) -> None:
        settings.STRIPE_WEBHOOK_SECRET = ""
        body = body_of(told("payment_intent.succeeded", self.desk))
        assert self.post(body, signed(body, at=now()))[0] == 503
