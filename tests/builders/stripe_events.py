"""Events as Stripe sends them, and deliveries signed with a secret of the tests."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

SECRET = "whsec_test_only_0123456789"
STATUSES = {
    "payment_intent.created": "requires_payment_method",
    "payment_intent.processing": "processing",
    "payment_intent.payment_failed": "requires_payment_method",
    "payment_intent.succeeded": "succeeded",
    "payment_intent.canceled": "canceled",
    "charge.succeeded": "succeeded",
    "charge.failed": "failed",
    "charge.refunded": "succeeded",
    "charge.dispute.created": "needs_response",
    "charge.dispute.updated": "under_review",
    "charge.dispute.closed": "lost",
}


def event(kind: str, *, id: str, created: int, status: str = "", **facts: Any) -> dict[str, Any]:  # noqa: A002  Stripe's word
    """An event about the intent pi_1 or its charge ch_1; 58.31 EUR for the invoice that `invoice` names."""
    about = _object(kind, status=status or STATUSES.get(kind, ""), facts=facts)
    return {
        "id": id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": created,
        "livemode": False,
        "type": kind,
        "data": {"object": about},
    }


def _object(kind: str, *, status: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    invoice, given = facts.get("invoice"), {name: value for name, value in facts.items() if name != "invoice"}
    common: dict[str, Any] = {
        "currency": "eur",
        "amount": 5831,
        "status": status,
        "metadata": {"invoice": invoice} if invoice else {},
    }
    own: dict[str, Any]
    if kind.startswith("payment_intent."):
        failed = kind.endswith("payment_failed")
        own = {
            "id": "pi_1",
            "object": "payment_intent",
            "amount_received": 5831 if status == "succeeded" else 0,
            "latest_charge": "ch_1",
            "last_payment_error": {"code": "card_declined", "message": "Anna's card was declined."} if failed else None,
            "payment_method_types": ["card"],
            "receipt_email": "anna@example.org",
        }
    elif kind.startswith("charge.dispute."):
        own = {"id": "dp_1", "object": "dispute", "charge": "ch_1", "payment_intent": "pi_1", "reason": "fraudulent"}
        own["balance_transactions"] = [{"id": "txn_2", "fee": 1500, "currency": "eur", "amount": -5831}]
    else:
        refunded = 5831 if kind == "charge.refunded" else 0
        own = {
            "id": "ch_1",
            "object": "charge",
            "payment_intent": "pi_1",
            "amount_captured": 5831 if status == "succeeded" else 0,
            "amount_refunded": refunded,
            "payment_method_details": {"type": "card"},
            "billing_details": {"name": "Anna Muster", "email": "anna@example.org"},
            "balance_transaction": "txn_1",
        }
    return {**common, **own, **given}


def body_of(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told).encode()


def signed(body: bytes, *, at: int, secret: str = SECRET) -> str:
    """The header Stripe-Signature over these bytes (docs.stripe.com/webhooks/signature)."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
