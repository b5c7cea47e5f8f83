"""Why a customer's usage is held or allowed, in sentences that the customer may read as well."""

from decimal import Decimal

from core import money


def held_because(*, exposure: Decimal, line: Decimal, currency: str) -> str:
    """What was reached; the same to the customer, to ops and in the answer of the API."""
    owed, limit = (money.amount_text(amount, currency=currency) for amount in (exposure, line))
    return (
        f"Usage that is not billed yet and unpaid invoices together come to {owed} {currency} and have reached the "
        f"limit of {limit} {currency}."
    )


def allowed_because_below(*, exposure: Decimal, currency: str) -> str:
    owed = money.amount_text(exposure, currency=currency)
    return f"Usage that is not billed yet and unpaid invoices are down to {owed} {currency}, below the limit."


NO_RULE = "The policy in force asks for no hold any more."
NEVER_HELD = "Nothing was ever held."
