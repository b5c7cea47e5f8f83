"""Documents = books = export: what was issued on some days, as three places have it."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F, Q, Sum

from invoicing.cycle.models import Invoice
from invoicing.ledger import export
from invoicing.ledger import queries as ledger_queries
from invoicing.ledger.models import Posting

NOTHING = Decimal(0)
OWED = ("accounts_receivable", "customer_balance_liability")
TAX = "tax_payable"
KEYS = ("invoice:", ":final")
Sums = dict[str, tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One currency: what is owed for the documents of these days and the tax in it, as each place says."""

    currency: str
    documents: tuple[Decimal, Decimal]
    books: tuple[Decimal, Decimal]
    exported: tuple[Decimal, Decimal]

    @property
    def is_equal(self) -> bool:
        return self.documents == self.books == self.exported


def compare_days(*, start: date, end: date) -> list[Compared]:
    """Every currency in which anything was issued or booked for documents; `end` is outside.

    The export is written and read back as text, as whoever takes it over would.
    """
    documents, books = _documents(start, end), _books(start, end)
    exported = _exported(export.as_csv(ledger_queries.booked_lines(start=start, end=end)))
    nothing = (NOTHING, NOTHING)
    return [
        Compared(
            currency=currency,
            documents=documents.get(currency, nothing),
            books=books.get(currency, nothing),
            exported=exported.get(currency, nothing),
        )
        for currency in sorted({*documents, *books, *exported})
    ]


def _documents(start: date, end: date) -> Sums:
    final = Invoice.objects.filter(status=Invoice.Status.FINAL, issue_date__gte=start, issue_date__lt=end)
    sums = final.values("currency").annotate(owed=Sum(F("total") + F("payable_rounding")), levied=Sum("tax"))
    return {row["currency"]: (row["owed"], row["levied"]) for row in sums.order_by("currency")}


def _books(start: date, end: date) -> Sums:
    postings = Posting.objects.filter(
        entry__key__startswith=KEYS[0],
        entry__key__endswith=KEYS[1],
        entry__booked_on__gte=start,
        entry__booked_on__lt=end,
    )
    sums = postings.values("entry__currency").annotate(
        owed=Sum(F("debit") - F("credit"), filter=Q(account__in=OWED)),
        taxes=Sum(F("credit") - F("debit"), filter=Q(account=TAX)),
    )
    rows = sums.order_by("entry__currency")
    return {row["entry__currency"]: (row["owed"] or NOTHING, row["taxes"] or NOTHING) for row in rows}


def _exported(pieces: Iterable[str]) -> Sums:
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [NOTHING, NOTHING])
    for row in csv.DictReader(_lines(pieces)):
        if not (row["key"].startswith(KEYS[0]) and row["key"].endswith(KEYS[1])):
            continue
        debit, credit = Decimal(row["debit"]), Decimal(row["credit"])
        found = sums[row["currency"]]
        if row["account"] in OWED:
            found[0] += debit - credit
        elif row["account"] == TAX:
            found[1] += credit - debit
    return {currency: (owed, taxes) for currency, (owed, taxes) in sums.items()}


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    for piece in pieces:
        yield from piece.splitlines(keepends=True)
