"""How the desk writes periods and amounts: as the invoice prints them."""

from decimal import Decimal

from invoicing.cycle.models import BillingCycle, Invoice, ParkedCustomer
from invoicing.documents.rules import figures

LOCALE = "en"


def period_text(billed: Invoice | BillingCycle | ParkedCustomer) -> str:
    """The period in the customer's time zone, last day included: 1 – 31 Oct 2026."""
    zone = billed.customer.time_zone
    return figures.span_text(billed.period_start, billed.period_end, zone=zone, locale=LOCALE)


def amount_text(amount: Decimal, *, currency: str) -> str:
    return figures.amount_text(amount, currency=currency, locale=LOCALE)


def total_text(invoice: Invoice) -> str:
    return f"{amount_text(invoice.total, currency=invoice.currency)} {invoice.currency}"


def signed_text(amount: Decimal, *, currency: str) -> str:
    """An amount that says its direction: +12.50, -3.00, 0.00."""
    return f"{'+' if amount > 0 else ''}{amount_text(amount, currency=currency)}"


def signed_percent(percent: Decimal) -> str:
    """+12.5%."""
    return f"{'+' if percent > 0 else ''}{figures.percent_text(percent, locale=LOCALE)}"
