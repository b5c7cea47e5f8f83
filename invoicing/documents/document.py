"""The invoice as a plain, frozen value: everything the printed page says, and nothing that needs a database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentParty:
    """One side of the invoice, as it was when the invoice was drafted."""

    name: str
    address: tuple[str, ...] = ()
    country: str = ""  # ISO 3166-1, printed as the country's name in the document's language
    tax_id: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentStep:
    """One step of how a line's amount came about; None where a step has no such figure."""

    label: str
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    flat_fee: Decimal | None = None
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentChange:
    """A whole line before and after its correction, as all documents up to this one say."""

    quantity_before: Decimal
    quantity_after: Decimal
    amount_before: Decimal
    amount_after: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReference:
    """An issued document that this one corrects (EN 16931 BG-3; directive 2006/112/EC art. 219)."""

    number: str
    issue_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """One charge in one segment `[start, end)`; `unit_price` is a decimal, a phrase, or empty for several prices."""

    position: int
    description: str
    start: datetime
    end: datetime
    quantity: Decimal
    unit: str = ""
    unit_price: str = ""
    amount: Decimal
    tax_category: str = ""
    tax_percent: Decimal = Decimal(0)
    adjusts: str = ""  # what an adjustment corrects, such as "INV-000012, line 3"
    steps: tuple[DocumentStep, ...] = ()
    change: DocumentChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTax:
    """Tax of one category and rate on the sum of its net lines; `note` is the reason where nothing is charged."""

    name: str
    category: str
    percent: Decimal
    taxable: Decimal
    tax: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentAllowance:
    """What the document takes off (below zero) or adds; with a percentage it says of what."""

    reason: str
    amount: Decimal
    percent: Decimal | None = None
    base: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """An invoice to be printed: a draft has neither number nor dates and says so across the page.

    The figures of a credit note are those that it gives back, so they are above 0 (EN 16931 type 381).
    """

    is_draft: bool
    is_credit_note: bool = False
    number: str = ""
    currency: str
    locale: str = "en"
    seller: DocumentParty
    customer: DocumentParty
    customer_code: str
    bank_details: tuple[str, ...] = ()
    logo_svg: str = ""
    period_start: datetime
    period_end: datetime
    time_zone: str  # the customer's; every date on the page is a date there
    issue_date: date | None = None
    due_date: date | None = None
    terms_days: int
    lines: tuple[DocumentLine, ...]
    allowances: tuple[DocumentAllowance, ...] = ()
    taxes: tuple[DocumentTax, ...] = ()
    subtotal: Decimal
    tax: Decimal
    total: Decimal
    prepaid: Decimal = Decimal(0)
    payable_rounding: Decimal = Decimal(0)
    notes: tuple[str, ...] = ()
    corrects: tuple[DocumentReference, ...] = ()

    @property
    def payable(self) -> Decimal:
        """What is to be paid: the total less what was paid in advance, rounded as agreed."""
        return self.total - self.prepaid + self.payable_rounding


def text_lines(text: str) -> tuple[str, ...]:
    """The lines of a free text such as an address, without empty ones."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def steps_of(computation: Iterable[Mapping[str, Any]]) -> tuple[DocumentStep, ...]:
    """Read a rated line's `computation` (decimal strings) as steps; a step without a label is named by its tier."""
    return tuple(
        DocumentStep(
            label=_label(step),
            quantity=_figure(step.get("quantity")),
            unit_price=None if "becomes" in step else _figure(step.get("unit_price")),
            flat_fee=_figure(step.get("flat_fee")),
            amount=Decimal(step["amount"]),
        )
        for step in computation
    )


def _label(step: Mapping[str, Any]) -> str:
    label = str(step.get("label") or f"Tier {step.get('tier')}")
    return f"{label}: {step['becomes']}" if "becomes" in step else label


def _figure(text: Any) -> Decimal | None:
    return None if text in (None, "") else Decimal(text)
