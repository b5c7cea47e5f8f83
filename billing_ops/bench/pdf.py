"""How many one-page invoices a process prints in a second, against WeasyPrint alone on the same HTML."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import median

from weasyprint import HTML

from billing_ops.bench.rows import BenchRow
from invoicing.documents import press, render
from invoicing.documents.document import DocumentLine, DocumentParty, DocumentTax, InvoiceDocument

START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
LINES = 10


def run(*, rounds: int = 15) -> list[BenchRow]:
    """Both ways in turn, so that what else the machine does meets both; medians of `rounds`."""
    document = one_page()
    alone = _with_styles(render.invoice_html(document))
    ways: tuple[Callable[[], object], ...] = (
        lambda: render.render_pdf(document),
        lambda: HTML(string=alone).write_pdf(),
    )
    for way in ways:  # the first call loads fonts
        way()
    seconds: tuple[list[float], ...] = ([], [])
    for _ in range(rounds):
        for way, measured in zip(ways, seconds, strict=True):
            began = time.perf_counter()
            way()
            measured.append(time.perf_counter() - began)
    ours, theirs = (1 / median(measured) for measured in seconds)
    return [BenchRow(name="one-page invoices as PDF", value=ours, unit="PDF/s", limit=theirs, ratio=ours / theirs)]


def one_page() -> InvoiceDocument:
    """Ten lines of 5.25 with 19 % tax."""
    lines = tuple(
        DocumentLine(
            position=position,
            description=f"Input tokens, project {position}",
            start=START,
            end=END,
            quantity=Decimal(1_250_000),
            unit="token",
            unit_price="0.0000042",
            amount=Decimal("5.25"),
            tax_category="S",
            tax_percent=Decimal(19),
        )
        for position in range(1, LINES + 1)
    )
    net, tax = Decimal("52.50"), Decimal("9.98")
    return InvoiceDocument(
        is_draft=False,
        number="INV-000001",
        currency="EUR",
        seller=DocumentParty(
            name="Lumen GmbH", address=("Hafen 1", "10245 Berlin"), country="DE", tax_id="DE811193231"
        ),
        customer=DocumentParty(name="Acme GmbH", address=("Werkstr. 7", "80331 München"), country="DE"),
        customer_code="acme",
        bank_details=("IBAN DE02 1203 0000 0000 2020 51",),
        period_start=START,
        period_end=END,
        time_zone="UTC",
        issue_date=date(2026, 11, 2),
        due_date=date(2026, 12, 2),
        terms_days=30,
        lines=lines,
        taxes=(DocumentTax(name="VAT", category="S", percent=Decimal(19), taxable=net, tax=tax),),
        subtotal=net,
        tax=tax,
        total=net + tax,
    )


def _with_styles(html: str) -> str:
    """The page as a file on its own, as one would hand it to WeasyPrint."""
    return html.replace("</head>", f"<style>{press.style_sheet()}</style></head>")
