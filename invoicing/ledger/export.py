"""The journal of some days as CSV, for the general ledger of the company."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import fields
from io import StringIO

from core import money
from core.csv_cells import inert
from invoicing.ledger.queries import BookedLine

HEADER = [field.name for field in fields(BookedLine)]


def as_csv(lines: Iterable[BookedLine]) -> Iterator[str]:
    """One row per posting under a header, written as it is read; no cell can be taken for a formula."""
    page = StringIO()
    writer = csv.writer(page, lineterminator="\r\n")  # RFC 4180
    writer.writerow(HEADER)
    for line in lines:
        amounts = [money.amount_text(amount, currency=line.currency) for amount in (line.debit, line.credit)]
        words = [line.memo, line.customer, line.currency, line.account, line.general_ledger_number]
        writer.writerow([line.entry_id, line.key, line.booked_on.isoformat(), *map(inert, words), *amounts])
        yield page.getvalue()
        page.seek(0)
        page.truncate()
    yield page.getvalue()
