"""Agreement with Stripe on signatures, and on where a payment stands after deliveries in any order."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest

from invoicing.payments import stripe_gateway
from invoicing.payments.rules import lifecycle, stripe_events, told
from invoicing.payments.rules.lifecycle import Step
from invoicing.payments.rules.told import Stands, Told
from tests.builders.stripe_events import SECRET, event, signed
from tests.vectors import cases
from tests.vectors.cases import Case


def is_valid(case: Case) -> bool:
    params = case["params"]
    assert params["tolerance_seconds"] == stripe_gateway.TOLERANCE_SECONDS
    try:
        stripe_gateway.require_signed(
            params["payload"].encode(),
            header=params["header"],
            secret=params["secret"],
            at=datetime.fromtimestamp(params["now"], UTC),
        )
    except stripe_gateway.SignatureError:
        return False
    return True


def status_after(deliveries: list[Case]) -> str:
    """Each is taken in by itself, as it comes; all that came before is known."""
    known: list[Told] = []
    stands, disputes = Stands(), frozenset[tuple[str, str]]()
    for number, one in enumerate(deliveries):
        sent = event(one["type"], id=one["id"], created=one["created"], status=one.get("status", ""), invoice="LU-1")
        facts = stripe_events.facts_of(sent["data"]["object"])
        known.append(Told(number, datetime.fromtimestamp(one["created"], UTC), facts))
        while (due := told.next_step(stands, known)) is not None:
            refunded = stands.refunded + (due.amount if due.step == Step.REFUNDED else Decimal(0))
            status = lifecycle.leads_to(stands.status, due.step, is_all_refunded=refunded == Decimal("58.31"))
            disputes |= {(due.by.facts.get("dispute", ""), str(due.step))}
            stands = Stands(status=str(status), refunded=refunded, disputes=disputes)
    return stands.status


@cases.parametrize("webhooks")
def test_signatures_and_deliveries_mean_what_stripe_says(case: Case) -> None:
    cases.skip_if_excused("webhooks", case=case, group=case["scheme"])
    if case["scheme"] == "stripe":
        assert is_valid(case) is (case["expected"] == "valid")
    else:
        assert case["scheme"] == "stripe_delivery"
        assert status_after(case["params"]["deliveries"]) == case["expected"]["final_status"]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["payment_intent.processing", "payment_intent.succeeded", "charge.succeeded", "charge.refunded"], "refunded"),
        (
            [
                "payment_intent.processing",
                "payment_intent.payment_failed",
                "payment_intent.succeeded",
                "charge.dispute.created",
                "charge.dispute.closed",
            ],
            "chargeback",
        ),
    ],
)
def test_every_order_of_deliveries_ends_in_the_same_status(kinds: list[str], expected: str) -> None:
    sent = [{"id": f"evt_{number}", "type": kind, "created": number} for number, kind in enumerate(kinds)]
    assert {status_after(list(order)) for order in permutations(sent)} == {expected}


def test_a_signature_from_the_future_is_refused() -> None:
    """The SDK takes one that is dated ten years ahead."""
    now = datetime(2026, 11, 6, tzinfo=UTC)
    for seconds, is_taken in ((300, True), (301, False), (-300, True), (-301, False)):
        header = signed(b"{}", at=int(now.timestamp()) + seconds)
        try:
            stripe_gateway.require_signed(b"{}", header=header, secret=SECRET, at=now)
        except stripe_gateway.SignatureError:
            assert not is_taken
        else:
            assert is_taken
