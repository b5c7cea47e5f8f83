"""What the portal says about a customer's credit: the same reason, figures and limit that the back office sees."""

from datetime import datetime
from typing import Any

from accounts.models import Customer
from invoicing.charge_controls import queries as control_queries
from invoicing.documents.rules import figures
from invoicing.portal.pages import LOCALE


def read_credit(*, customer: Customer, at: datetime) -> dict[str, Any]:
    """Whether usage is on hold and why, and how much of each limit is taken; no limit, no line."""
    found = control_queries.access_of(customer, at=at)
    return {
        "is_held": found.is_held,
        "reason": found.reason,
        "since": None if found.since is None else f"{figures.date_text(found.since.date(), locale=LOCALE)}",
        "lines": [
            {
                "currency": line.exposure.currency,
                "used": _text(line.exposure.total, line.exposure.currency),
                "limit": _text(line.holds_at, line.exposure.currency),
                "as_of": f"{figures.date_text(line.exposure.as_of.date(), locale=LOCALE)}, "
                f"{line.exposure.as_of:%H:%M} UTC",
            }
            for line in found.lines
            if line.holds_at is not None
        ],
    }


def _text(amount: Any, currency: str) -> str:
    return figures.amount_text(amount, currency=currency, locale=LOCALE)
