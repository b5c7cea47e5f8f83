"""A policy that invoices inside the period, and looks at what was used by then."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from invoicing.cycle import finalize, off_cycle
from invoicing.cycle.models import Invoice
from invoicing.policy.models import TriggerPolicy
from tests.builders import billing
from tests.builders.billing import Company


def threshold_terms(amount: str, *, currency: str = "EUR", **eligible: list[str]) -> dict[str, Any]:
    """Everybody is invoiced at this amount; with names given, those are, beside the cycle."""
    trigger = {"kind": "unbilled_amount", "currency": currency, "amount": amount}
    off_the_cycle: dict[str, Any] = {"triggers": [trigger]}
    if eligible:
        off_the_cycle["eligible"] = eligible
    return {"cadence": {"model": "hybrid" if eligible else "threshold"}, "off_cycle": off_the_cycle}


def sign(terms: dict[str, Any], *, since: datetime) -> TriggerPolicy:
    """The next version of the program's policy."""
    return billing.sign_a_policy(author=author(), terms=terms, at=since)


def author() -> User:
    return billing.person("olaf", "engineering")


def look(at: datetime) -> list[Invoice]:
    """The interim drafts that an evaluation at this instant brings."""
    report = off_cycle.draft_interims(at=at)
    assert report.failed == []
    return list(Invoice.objects.filter(pk__in=report.invoice_ids).order_by("pk"))


def issue(company: Company, invoice: Invoice, *, at: datetime) -> Invoice:
    """Approve and finalize one."""
    billing.approve_by(company.finance, invoice, at=at)
    return finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=at + timedelta(minutes=1))


def lines_of(invoice: Invoice) -> list[tuple[str, str, str]]:
    """Description, quantity and amount, in order."""
    return [
        (line.description, f"{line.quantity.normalize():f}", f"{line.amount:.2f}")
        for line in invoice.lines.order_by("position")
    ]


def totals_of(invoice: Invoice) -> tuple[str, str, str]:
    """Net, tax, total."""
    return f"{invoice.subtotal:.2f}", f"{invoice.tax:.2f}", f"{invoice.total:.2f}"
