"""Prints what the demo did: capture, closes, invoices, payouts, and where to look further."""

from rich.console import Console
from rich.table import Table

from billing_ops.demo import scenario
from billing_ops.demo.company import Company
from billing_ops.demo.story import Told
from invoicing.cycle.admin import wording
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.payments import queries as payments_queries
from invoicing.replay.models import ReplaySet


def print_report(console: Console, *, told: Told, company: Company, address: str) -> None:
    """Five tables a newcomer can read from top to bottom."""
    _print_capture(console, told)
    _print_closes(console, told)
    _print_invoices(console)
    _print_payouts(console, told)
    _print_places(console, told=told, company=company, address=address)


def _table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left")
    return table


def _print_capture(console: Console, told: Told) -> None:
    counts = ("received", "accepted", "duplicates", "quarantined")
    table = _table("Usage sent over HTTP", "what", *counts, right=counts)
    for title, sent in told.sent:
        table.add_row(title, *(f"{getattr(sent, name):,}" for name in counts))
    console.print(table)


def _print_closes(console: Console, told: Told) -> None:
    table = _table("Periods closed", "close", "drafted", "held", "failed", right=("drafted", "held", "failed"))
    for title, closed in told.closes:
        table.add_row(title, str(closed.drafted), str(closed.held), str(len(closed.failed)))
    console.print(table)


def _print_invoices(console: Console) -> None:
    right = ("total", "still due")
    table = _table("Invoices", "invoice", "customer", "period", "status", *right, "why", right=right)
    live = Invoice.objects.exclude(status=Invoice.Status.DISCARDED).select_related("customer")
    for invoice in live.order_by("period_start", "customer__code"):
        waiting = invoice.holds.filter(released_at=None).values_list("reason", flat=True).first()
        adjusted = invoice.lines.filter(adjusts__isnull=False).count()
        note = waiting or (f"{adjusted} lines correct late usage" if adjusted else "")
        table.add_row(
            str(invoice),
            invoice.customer.legal_name,
            wording.period_text(invoice),
            invoice.status,
            wording.total_text(invoice),
            _due_text(invoice),
            note,
        )
    console.print(table)


def _due_text(invoice: Invoice) -> str:
    if invoice.status != Invoice.Status.FINAL:
        return ""
    due = payments_queries.due_of(invoice).due
    return wording.amount_text(due, currency=invoice.currency) if due else "paid"


def _print_payouts(console: Console, told: Told) -> None:
    table = _table("Payouts", "payee", "amount", "outcome", "because", "audit reference", right=("amount",))
    for decision in told.decisions:
        payable = decision.payable
        table.add_row(
            payable.payee.legal_name,
            f"{wording.amount_text(payable.amount, currency=payable.currency)} {payable.currency}",
            decision.outcome,
            "; ".join(decision.reasons) or "Every gate is approved.",
            decision.audit_entry.reference,
        )
    console.print(table)


def _print_places(console: Console, *, told: Told, company: Company, address: str) -> None:
    table = _table("Look further", "what", "where")
    for path in told.pdfs:
        table.add_row("PDF", str(path))
    for line in InvoiceLine.objects.filter(invoice__number__isnull=False, position=2).order_by("-invoice_id")[:1]:
        table.add_row(f"Why line 2 of {line.invoice} is what it is", f"{address}/admin/evidence/trace/{line.pk}/")
    for replay_set in ReplaySet.objects.all():
        table.add_row(
            f"Replay set {replay_set}, with its runs", f"{address}/admin/replay/replayset/{replay_set.pk}/change/"
        )
    table.add_row("Back office", f"{address}/admin/")
    table.add_row("Customer portal", f"{address}/portal/")
    table.add_row("API to try", f"{address}/api/v1/docs/")
    console.print(table)
    logins = _table("Sign in", "as", "user", "password")
    for person in scenario.PEOPLE:
        logins.add_row(person.role, person.username, company.password)
    for code, customer in company.customers.items():
        logins.add_row(f"customer {customer.legal_name}", f"{code}-portal", company.password)
    console.print(logins)
