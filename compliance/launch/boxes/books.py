"""Totals tie: what was issued since the last closed period began, as documents, ledger and export have it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.urls import reverse

from compliance.launch import last_close
from compliance.launch.boxes.found import Found
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Link, Proof
from core import money
from invoicing.cycle import books_check
from invoicing.cycle.books_check import Compared


def look(*, at: datetime) -> Iterator[Found]:
    """One answer over all currencies; days are those of documents, from the last close's first period on."""
    closed = last_close.find_last_close()
    start = (at if closed is None else closed.starts_at).date()
    end = at.date() + timedelta(days=2)  # a seller's day may be ahead of UTC
    found = books_check.compare_days(start=start, end=end)
    different = [one.currency for one in found if not one.is_equal]
    said, remedy = f"Documents, ledger and export agree in {', '.join(one.currency for one in found)}.", ""
    if different:
        said = f"Documents, ledger and export differ in {', '.join(different)}."
        remedy = "Compare them by day (check_books), and correct the side that is wrong."
    elif not found:
        said = "Nothing was issued since the last closed period began, so there is nothing to compare."
        remedy = "Issue the invoices of the last close; a program that does not ask for a launch can go first."
    yield Found(
        box=Box.BOOKS_TIE,
        is_closed=bool(found) and not different,
        said=said,
        remedy=remedy,
        proof=Proof(
            facts=[("Issued from", f"{start}"), ("to", f"{at:%Y-%m-%d}")],
            head=("Currency", "Owed: documents", "ledger", "export", "Tax: documents", "ledger", "export", "Verdict"),
            rows=[_row(one) for one in found],
            links=[Link(text="Invoices, books and export", path=reverse("admin:cycle_billingcycle_books"))],
        ),
        proved_at=at,
    )


def _row(one: Compared) -> tuple[str, ...]:
    owed, taxes = zip(one.documents, one.books, one.exported, strict=True)
    texts = [money.amount_text(amount, currency=one.currency) for amount in (*owed, *taxes)]
    return (one.currency, *texts, "equal" if one.is_equal else "DIFFERENT")
