"""The lines of an invoice as CSV, complete however many there are, and harmless in a spreadsheet."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC
from decimal import Decimal

from core import money
from core.csv_cells import inert
from invoicing.documents.document import DocumentLine, DocumentStep, InvoiceDocument
from invoicing.documents.rules import extent

LINE_COLUMNS = (
    "position",
    "description",
    "start",
    "end",
    "quantity",
    "unit",
    "unit_price",
    "amount",
    "currency",
    "tax_category",
    "tax_percent",
    "adjusts",
)
STEP_COLUMNS = ("position", "step", "quantity", "unit_price", "flat_fee", "amount")


def attached_files(document: InvoiceDocument) -> dict[str, str]:
    """Name → content of what is too long to print; usually nothing."""
    size = extent.measure(document)
    files = {}
    if size.attached:
        files["lines.csv"] = lines_csv(document)
    if size.explained_elsewhere:
        files["steps.csv"] = steps_csv(document)
    return files


def lines_csv(document: InvoiceDocument) -> str:
    """One row per line; figures are plain decimals and instants UTC, whatever the locale of the page."""
    return _csv(LINE_COLUMNS, (_line_row(line, currency=document.currency) for line in document.lines))


def steps_csv(document: InvoiceDocument) -> str:
    """One row per step of every line, exact amounts."""
    return _csv(STEP_COLUMNS, (_step_row(line, step) for line in document.lines for step in line.steps))


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def _line_row(line: DocumentLine, *, currency: str) -> tuple[str, ...]:
    return (
        str(line.position),
        inert(line.description),
        line.start.astimezone(UTC).isoformat(),
        line.end.astimezone(UTC).isoformat(),
        money.plain(line.quantity),
        inert(line.unit),
        inert(line.unit_price),
        money.amount_text(line.amount, currency=currency),
        currency,
        line.tax_category,
        money.plain(line.tax_percent),
        inert(line.adjusts),
    )


def _step_row(line: DocumentLine, step: DocumentStep) -> tuple[str, ...]:
    return (
        str(line.position),
        inert(step.label),
        _plain(step.quantity),
        _plain(step.unit_price),
        _plain(step.flat_fee),
        money.plain(step.amount),
    )


def _plain(number: Decimal | None) -> str:
    return "" if number is None else money.plain(number)
