"""What the states of Stripe's objects mean for a payment (stripe/openapi, and stripe-python 16.1.0)."""

from collections.abc import Mapping

from invoicing.payments.rules.lifecycle import Status

PENDING, SETTLED, ERRORED, CHARGEBACK = Status.PENDING, Status.SETTLED, Status.ERRORED, Status.CHARGEBACK
INTENT: Mapping[str, Status] = {
    "requires_payment_method": PENDING,  # errored once an attempt has failed
    "requires_confirmation": PENDING,
    "requires_action": PENDING,
    "processing": PENDING,
    "requires_capture": PENDING,
    "succeeded": SETTLED,
    "canceled": ERRORED,
}
CHARGE: Mapping[str, Status] = {"pending": PENDING, "succeeded": SETTLED, "failed": ERRORED}
# A warning is an inquiry: no money was taken. What was prevented never became a dispute.
DISPUTE: Mapping[str, Status] = {
    "needs_response": CHARGEBACK,
    "under_review": CHARGEBACK,
    "lost": CHARGEBACK,
    "appeal_needs_response": CHARGEBACK,
    "appeal_under_review": CHARGEBACK,
    "won": SETTLED,
    "prevented": SETTLED,
    "warning_needs_response": SETTLED,
    "warning_under_review": SETTLED,
    "warning_closed": SETTLED,
}
OBJECTS = {"payment_intent": INTENT, "charge": CHARGE, "dispute": DISPUTE}


def state_of(*, kind: str, status: str, has_error: bool = False) -> Status | None:
    """The status that the object speaks for; None for one that nobody here knows, which never counts as settled."""
    found = OBJECTS.get(kind, {}).get(status)
    return ERRORED if status == "requires_payment_method" and has_error else found
