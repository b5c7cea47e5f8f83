"""Deliveries, people and closes at once, in processes of their own: money moves once."""

import multiprocessing
import os
import random
import signal
import time
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from invoicing.ledger.models import JournalEntry
from invoicing.payments import book, move, record, settle, webhooks
from invoicing.payments.models import GatewayEvent, Payment
from tests.builders import racing
from tests.builders.payments import Desk, open_desk, pay
from tests.builders.soundness import offences
from tests.builders.stripe_events import SECRET, body_of, event, signed

pytestmark = pytest.mark.django_db(transaction=True)
SENDERS = 4
STORY = ["payment_intent.processing", "payment_intent.succeeded", "charge.refunded", "charge.succeeded"]


@pytest.fixture
def desk(settings: Any) -> Desk:
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    return open_desk()


def deliver(sent: list[dict[str, Any]], *, seed: int) -> None:
    """All of them five times, in an order of this sender's own."""
    chance = random.Random(seed)  # noqa: S311  an order, no secret
    for one in chance.sample(sent * 5, k=len(sent) * 5):
        body = body_of(one)
        header = signed(body, at=int(time.time()))
        webhooks.receive(header=header, body=body, at=timezone.now())


def test_deliveries_at_once_are_applied_once_each(desk: Desk) -> None:
    began = int(time.time()) - 100
    sent = []
    for number in range(10):
        for place, kind in enumerate(STORY):
            one = event(kind, id=f"evt_{number}_{place}", created=began + place, invoice=desk.invoice.number)
            about = one["data"]["object"]
            about.update(amount=100, amount_received=100, amount_captured=100)
            about["amount_refunded"] = 40 if kind == "charge.refunded" else 0
            if kind.startswith("payment_intent."):
                about.update(id=f"pi_{number}", latest_charge=f"ch_{number}")
                about["amount_received"] = 100 if about["status"] == "succeeded" else 0
            else:
                about.update(id=f"ch_{number}", payment_intent=f"pi_{number}")
            sent.append(one)
    racing.run_together(*(partial(deliver, sent, seed=seed) for seed in range(SENDERS)))
    assert GatewayEvent.objects.count() == 40
    stands = set(Payment.objects.values_list("status", "received", "refunded"))
    assert stands == {("settled", Decimal("1.00"), Decimal("0.40"))}
    assert JournalEntry.objects.filter(key__endswith=":settled").count() == 10
    assert JournalEntry.objects.filter(key__endswith=":refunded").count() == 10
    assert offences() == {}


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _deliver_and_die(sent: dict[str, Any], *, where: tuple[Any, str] | None) -> None:
    """Killed when it reaches that function, or after it has committed and before it could answer."""
    if where is not None:
        setattr(*where, _die)
    deliver([sent], seed=1)
    _die()


@pytest.mark.parametrize(
    "where",
    [(settle, "settle_told"), (book, "book_step"), (move, "keep_transition"), (settle, "_close"), None],
    ids=["event kept", "before the books", "before its first step", "all but said", "committed"],
)
def test_who_is_killed_on_the_way_has_done_all_or_nothing(desk: Desk, where: tuple[Any, str] | None) -> None:
    sent = event("payment_intent.succeeded", id="evt_1", created=int(time.time()) - 100, invoice=desk.invoice.number)
    connections.close_all()  # a connection must never be shared across a fork
    dying = multiprocessing.get_context("fork").Process(target=partial(_deliver_and_die, sent, where=where))
    dying.start()
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    assert GatewayEvent.objects.count() == Payment.objects.count() == (where is None)
    deliver([sent], seed=1)  # Stripe sends it again
    assert Payment.objects.get().status == "settled"
    assert JournalEntry.objects.filter(key__endswith=":settled").count() == 1
    assert offences() == {}


def _pay(desk: Desk, refused: list[str], reference: str) -> None:
    try:
        pay(desk, "58.31", reference=reference)
    except record.PaymentExistsError:
        refused.append(reference)


def test_two_people_who_record_the_same_transfer_record_it_once(desk: Desk) -> None:
    racing.run_together(*(partial(_pay, desk, [], "SEPA 1") for _ in range(SENDERS)))
    assert Payment.objects.count() == 1
    assert offences() == {}


def test_two_transfers_at_once_leave_what_is_too_much_in_favour(desk: Desk) -> None:
    racing.run_together(*(partial(_pay, desk, [], f"SEPA {number}") for number in range(SENDERS)))
    assert Payment.objects.count() == SENDERS
    assert offences() == {}
