"""A letter to a customer as a plain, frozen value, and the same letter as text and as PDF."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time
from textwrap import fill
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string

from invoicing.documents import glyphs
from invoicing.documents.document import DocumentParty

WIDTH = 78


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRow:
    """One line of the invoice in the letter, all of it as printed."""

    position: str
    what: str
    quantity: str
    price: str
    billed: str
    again: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Everything the letter says; nothing in it needs a database."""

    title: str
    reference: str
    seller: DocumentParty
    customer: DocumentParty
    written_on: date
    facts: tuple[tuple[str, str], ...]
    opening: tuple[str, ...]
    rows: tuple[LetterRow, ...]
    more: str
    closing: tuple[str, ...]
    attachment: tuple[tuple[str, str], ...]


def render_letter(letter: Letter) -> bytes:
    """The letter as PDF with its text attached: the same letter gives the same bytes on the same machine."""
    from invoicing.documents import press  # noqa: PLC0415  needs Pango; who prints nothing starts without it

    html = render_to_string("documents/letter.html", {"letter": letter})
    with glyphs.missing_glyphs_reported(document=letter.reference):
        return press.print_html(
            html,
            identifier=hashlib.sha256(html.encode()).digest()[:16],
            files={"letter.txt": letter_text(letter)},
            made_at=datetime.combine(letter.written_on, time.min, ZoneInfo("UTC")),
        )


def letter_text(letter: Letter) -> str:
    """The letter as plain text."""
    return "\n".join(
        [
            letter.seller.name,
            "",
            letter.customer.name,
            *letter.customer.address,
            "",
            f"{letter.written_on:%d %b %Y}",
            "",
            f"{letter.title} ({letter.reference})",
            "",
            *(f"{label}: {value}" for label, value in letter.facts),
            "",
            *_paragraphs(letter.opening),
            *(text for row in letter.rows for text in _row(row)),
            *([letter.more, ""] if letter.more else []),
            *_paragraphs(letter.closing),
            *(f"{label}: {value}" for label, value in letter.attachment),
            "",
        ]
    )


def _paragraphs(texts: tuple[str, ...]) -> list[str]:
    return [part for text in texts for part in (*_wrapped(text), "")]


def _wrapped(text: str) -> list[str]:
    """Each line by itself, so that what somebody wrote in lines stays in lines; long words, such as hashes, whole."""
    return [fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")]


def _row(row: LetterRow) -> list[str]:
    where = f"Line {row.position}: {row.what}" if row.position else row.what
    said = {"Quantity": row.quantity, "Price": row.price, "Billed": row.billed, "Worked out again": row.again}
    return [where, *(f"  {label}: {value}" for label, value in said.items() if value), ""]
