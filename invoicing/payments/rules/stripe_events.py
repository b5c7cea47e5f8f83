"""Reads of a Stripe event what payments need: ids, amounts and states, and nothing that names a person."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core import money
from invoicing.payments.rules import stripe_states

# Where Stripe's minor units are not ISO 4217's (docs.stripe.com/currencies).
EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}
READ = ("payment_intent.", "charge.")
# Of these the object is something else, or says nothing that a charge does not say.
NOT_READ = ("charge.refund.", "charge.dispute.funds_")
METHODS = {
    "card": "card",
    "us_bank_account": "direct_debit",
    "sepa_debit": "direct_debit",
    "customer_balance": "bank_transfer",
}
INVOICE_LENGTH_MAX = 60
ID_LENGTH_MAX = 255


class UnreadableEventError(ValueError):
    """It is signed, and not in the shape that Stripe's API describes."""


def is_read(kind: str) -> bool:
    """Whether events of this kind say something about a payment here."""
    return kind.startswith(READ) and not kind.startswith(NOT_READ)


def payment_ref(kind: str, told: Mapping[str, Any]) -> str:
    """What the gateway calls the payment: its intent, or the charge where there is none; "" for other kinds."""
    if not is_read(kind):
        return ""
    if told.get("object") == "payment_intent":
        return _id(told.get("id"))
    return _id(told.get("payment_intent")) or _id(
        told.get("id") if told.get("object") == "charge" else told.get("charge")
    )


def facts_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """Of an intent, a charge or a dispute, as plain values; UnreadableEventError for any other object."""
    kind = str(told.get("object"))
    if kind not in stripe_states.OBJECTS:
        raise UnreadableEventError(f"an object of kind {kind[:40]}")
    currency = str(told.get("currency", "")).upper()
    status = str(told.get("status", ""))
    state = stripe_states.state_of(kind=kind, status=status, has_error=bool(told.get("last_payment_error")))
    facts = {
        "of": kind,
        "raw": status[:40],
        "state": None if state is None else str(state),
        "currency": currency[:3],
        "amount": _major(told.get("amount"), currency=currency),
        "invoice": _invoice(told.get("metadata")),
        "reason": _reason(told),
    }
    return facts | {"payment_intent": _of_intent, "charge": _of_charge, "dispute": _of_dispute}[kind](told, currency)


def _of_intent(told: Mapping[str, Any], currency: str) -> dict[str, Any]:
    charge = told.get("latest_charge")
    return {
        "received": _major(told.get("amount_received", 0), currency=currency),
        "charge": _id(charge),
        "fee": _fee([charge.get("balance_transaction")], currency=currency) if isinstance(charge, Mapping) else None,
        "method": _method(told.get("payment_method_types")),
    }


def _of_charge(told: Mapping[str, Any], currency: str) -> dict[str, Any]:
    captured = told.get("amount_captured", told.get("amount", 0))
    details = told.get("payment_method_details")
    return {
        "received": _major(captured, currency=currency),
        "refunded": _major(told.get("amount_refunded", 0), currency=currency),
        "charge": _id(told.get("id")),
        "fee": _fee([told.get("balance_transaction")], currency=currency),
        "method": _method([details.get("type")] if isinstance(details, Mapping) else None),
    }


def _of_dispute(told: Mapping[str, Any], currency: str) -> dict[str, Any]:
    moves = told.get("balance_transactions")
    return {
        "charge": _id(told.get("charge")),
        "dispute": _id(told.get("id")),
        "fee": _fee(moves[:1] if isinstance(moves, list) else [], currency=currency),
        "fee_back": _fee(moves[1:] if isinstance(moves, list) else [], currency=currency),
    }


def _fee(moves: list[Any], *, currency: str) -> str | None:
    """What the gateway kept by these movements of its balance; None where it does not say, or in another currency."""
    told = [one for one in moves if isinstance(one, Mapping) and isinstance(one.get("fee"), int)]
    if not told or any(str(one.get("currency", currency)).upper() != currency for one in told):
        return None
    return _major(sum(one["fee"] for one in told), currency=currency)


def _major(minor: Any, *, currency: str) -> str:
    if isinstance(minor, bool) or not isinstance(minor, int):
        raise UnreadableEventError("an amount is not a whole number of minor units")
    exponent = EXPONENTS.get(currency, money.currency_exponent(currency))
    return money.plain(Decimal(minor).scaleb(-exponent))


def _id(value: Any) -> str:
    """An id, or that of an object that stands in its place."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) and len(found) <= ID_LENGTH_MAX else ""


def _invoice(metadata: Any) -> str:
    found = metadata.get("invoice") if isinstance(metadata, Mapping) else None
    return found[:INVOICE_LENGTH_MAX] if isinstance(found, str) else ""


def _method(types: Any) -> str:
    first = types[0] if isinstance(types, list) and types else ""
    return METHODS.get(str(first), "other")


def _reason(told: Mapping[str, Any]) -> str:
    """A code of Stripe's, such as card_declined or fraudulent; never a sentence."""
    error = told.get("last_payment_error")
    found = error.get("code") if isinstance(error, Mapping) else told.get("failure_code") or told.get("reason")
    return found[:60] if isinstance(found, str) else ""
