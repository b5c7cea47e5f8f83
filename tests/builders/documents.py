"""Invoice documents for tests: one a company would send, and ways to bend it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from invoicing.documents.document import DocumentLine, DocumentParty, DocumentStep, DocumentTax, InvoiceDocument

LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 220 48" width="220" height="48">
<rect width="48" height="48" rx="11" fill="#0b6bcb"/><path d="M13 33V15h9a6 6 0 0 1 4 10 6 6 0 0 1-3 8z" fill="#fff"/>
<text x="60" y="33" font-family="Inter" font-size="26" font-weight="600" fill="#17202b">Nordlicht</text></svg>"""
SELLER = DocumentParty(
    name="Nordlicht Compute GmbH",
    address=("Speicherstraße 12", "20457 Hamburg"),
    country="DE",
    tax_id="DE811907980",
    email="billing@nordlicht.example",
)
CUSTOMER = DocumentParty(
    name="Atelier Lumière SAS",
    address=("14 rue des Tanneurs", "69001 Lyon"),
    country="FR",
    tax_id="FR40303265045",
    email="compta@lumiere.example",
)
START, CUT, END = (
    datetime(2026, 9, 30, 22, tzinfo=UTC),
    datetime(2026, 10, 16, 12, 30, tzinfo=UTC),
    datetime(2026, 10, 31, 23, tzinfo=UTC),
)


def line(**changes: Any) -> DocumentLine:
    """1,250,000 tokens at 0.0000042: 5.25."""
    plain = DocumentLine(
        position=1,
        description="Input tokens",
        start=START,
        end=END,
        quantity=Decimal("1250000.000000000000000000"),
        unit="token",
        unit_price="0.0000042",
        amount=Decimal("5.2500"),
        tax_category="S",
        tax_percent=Decimal("19.0000"),
    )
    return replace(plain, **changes)


GRADUATED = line(
    position=2,
    description="API requests",
    start=START,
    end=CUT,
    quantity=Decimal(15000),
    unit="request",
    unit_price="",
    amount=Decimal("37.50"),
    steps=(
        DocumentStep(
            label="1 to 10,000", quantity=Decimal(10000), unit_price=Decimal("0.0020"), amount=Decimal("20.0000")
        ),
        DocumentStep(
            label="above 10,000",
            quantity=Decimal(5000),
            unit_price=Decimal("0.0015"),
            flat_fee=Decimal(10),
            amount=Decimal("17.5000"),
        ),
    ),
)
ADJUSTMENT = line(
    position=3,
    description="Adjustment of 1 – 30 Sep 2026: Input tokens",
    start=datetime(2026, 8, 31, 22, tzinfo=UTC),
    end=START,
    quantity=Decimal(-2000),
    amount=Decimal("-0.01"),
    adjusts="INV-000041, line 1",
)


def document(**changes: Any) -> InvoiceDocument:
    """Net 42.74, 19 % tax 8.12, total 50.86, as counted by hand."""
    whole = InvoiceDocument(
        is_draft=False,
        number="INV-000042",
        currency="EUR",
        seller=SELLER,
        customer=CUSTOMER,
        customer_code="lumiere",
        bank_details=("Hansebank Hamburg", "IBAN DE02 1203 0000 0000 2020 51", "BIC BYLADEM1001"),
        logo_svg=LOGO,
        period_start=START,
        period_end=END,
        time_zone="Europe/Paris",
        issue_date=date(2026, 11, 3),
        due_date=date(2026, 12, 3),
        terms_days=30,
        lines=(line(), GRADUATED, ADJUSTMENT),
        taxes=(
            DocumentTax(
                name="VAT",
                category="S",
                percent=Decimal("19.0000"),
                taxable=Decimal("42.7400"),
                tax=Decimal("8.1200"),
            ),
        ),
        subtotal=Decimal("42.7400"),
        tax=Decimal("8.1200"),
        total=Decimal("50.8600"),
    )
    return replace(whole, **changes)
