"""What a firing says to people, in one sentence and its figures."""

from decimal import Decimal
from typing import Any

from core import money

TITLES = {
    "usage_near_limit": "Usage nears a limit",
    "exposure_growth": "Exposure rises faster than before",
    "program_cost": "Projected cost of a fee program",
}


def title_of(*, kind: str, customer: str) -> str:
    return f"{TITLES[kind]}: {customer}"


def text_of(*, rule: dict[str, Any], subject: str, value: Decimal, line: Decimal, policy: str, as_of: str) -> str:
    """Facts, one a line; nothing is asked of the reader that the policy does not say."""
    figure, limit = (_figure(number, rule) for number in (value, line))
    return "\n".join(
        [
            f"{TITLES[rule['kind']]}: {subject}.",
            f"Now: {figure}. The line: {limit}.",
            f"Figures as of {as_of}. Decided by policy {policy}.",
            "This is for your information. Nothing was invoiced and nothing was held.",
        ]
    )


def _figure(number: Decimal, rule: dict[str, Any]) -> str:
    if "currency" not in rule:
        return money.plain(number)
    return f"{money.amount_text(number, currency=rule['currency'])} {rule['currency']}"
