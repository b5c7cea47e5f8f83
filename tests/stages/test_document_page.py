"""The printed invoice, read back from the PDF."""

import io
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from pypdf import PdfReader
from structlog.testing import capture_logs

from invoicing.documents import glyphs, render
from invoicing.documents.document import DocumentParty, DocumentTax, InvoiceDocument
from tests.builders import documents


def pages_of(document: InvoiceDocument) -> list[str]:
    """The text of each page, with runs of white space as one blank."""
    reader = PdfReader(io.BytesIO(render.render_pdf(document)))
    return [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]


def test_a_final_invoice_says_all_that_an_invoice_must() -> None:
    first, annex = pages_of(documents.document())
    for text in (
        "No. INV-000042",
        "Nordlicht Compute GmbH",
        "Speicherstraße 12",
        "20457 Hamburg",
        "Germany",
        "Tax ID DE811907980",
        "Atelier Lumière SAS",
        "69001 Lyon",
        "France",
        "Tax ID FR40303265045",
        "Issue date 3 Nov 2026",
        "Due date 3 Dec 2026",
        "Billing period (Europe/Paris) 1 – 31 Oct 2026",
        "1 Input tokens 1 – 31 Oct 2026 1,250,000 token 0.0000042 5.25",
        "15,000 request see annex 37.50",
        "corrects INV-000041, line 1",
        "-2,000 token 0.0000042 -0.01",
        "Subtotal 42.74",
        "VAT 19% on 42.74 8.12",
        "Total (EUR) 50.86",
        "Please pay by 3 Dec 2026.",
        "Reference: INV-000042",
        "IBAN DE02 1203 0000 0000 2020 51",
        "Page 1 of 2",
    ):
        assert text in first
    for text in (
        "How each amount was computed",
        "1 to 10,000 10,000 0.002 20.00",
        "above 10,000 5,000 10.00 0.0015 17.50",
        "Page 2 of 2",
        "Invoice INV-000042",
    ):
        assert text in annex


def test_a_draft_says_so_and_has_neither_number_nor_dates() -> None:
    first, annex = pages_of(documents.document(is_draft=True, number="", issue_date=None, due_date=None))
    assert "Draft invoice" in first
    assert "DRAFT" in first
    assert "DRAFT" in annex
    assert "Issue date when final" in first
    assert "Payable within 30 days of the issue date." in first
    assert "No. " not in first


def test_a_final_invoice_bears_no_draft_mark() -> None:
    assert "DRAFT" not in " ".join(pages_of(documents.document()))


def test_several_tax_rates_stand_on_the_lines_and_an_exemption_names_its_reason() -> None:
    taxes = (
        DocumentTax(name="VAT", category="S", percent=Decimal(19), taxable=Decimal("5.25"), tax=Decimal("1.00")),
        DocumentTax(
            name="VAT",
            category="AE",
            percent=Decimal(0),
            taxable=Decimal("37.50"),
            tax=Decimal(0),
            note="Reverse charge: the recipient owes the tax.",
        ),
    )
    lines = (documents.line(), replace(documents.GRADUATED, tax_category="AE", tax_percent=Decimal(0)))
    page = pages_of(
        documents.document(
            lines=lines, taxes=taxes, subtotal=Decimal("42.75"), tax=Decimal("1.00"), total=Decimal("43.75")
        )
    )[0]
    assert "0.0000042 19% 5.25" in page
    assert "see annex 0% 37.50" in page
    assert "VAT 19% on 5.25 1.00" in page
    assert "VAT on 37.50 Reverse charge: the recipient owes the tax. 0.00" in page


def test_a_negative_total_asks_for_no_payment() -> None:
    document = documents.document(
        lines=(documents.ADJUSTMENT,), taxes=(), subtotal=Decimal("-0.01"), tax=Decimal(0), total=Decimal("-0.01")
    )
    page = pages_of(document)[0]
    assert "Total in your favour (EUR) -0.01" in page
    assert "Nothing is to be paid on this invoice." in page


@pytest.mark.parametrize(("currency", "total"), [("JPY", "1,500"), ("KWD", "1,500.000"), ("CLF", "1,500.0000")])
def test_currencies_keep_their_own_decimals(currency: str, total: str) -> None:
    line = documents.line(amount=Decimal(1500))
    document = documents.document(
        currency=currency, lines=(line,), taxes=(), subtotal=Decimal(1500), tax=Decimal(0), total=Decimal(1500)
    )
    assert f"Total ({currency}) {total}" in pages_of(document)[0]


def test_a_period_without_charges_says_that_nothing_was_used() -> None:
    document = documents.document(lines=(), taxes=(), subtotal=Decimal(0), tax=Decimal(0), total=Decimal(0))
    assert "Nothing was used and no fee was due in this period." in pages_of(document)[0]


def test_two_hundred_lines_are_all_there_on_numbered_pages() -> None:
    lines = tuple(documents.line(position=n, description=f"Project {n}") for n in range(1, 201))
    pages = pages_of(documents.document(lines=lines))
    text = " ".join(pages)
    assert [n for n in range(1, 201) if f"Project {n} " not in text] == []
    assert [f"Page {n} of {len(pages)}" in page for n, page in enumerate(pages, 1)] == [True] * len(pages)
    assert all("Description" in page for page in pages[: len(pages) - 1])  # the head of the table comes again


def test_lines_past_five_hundred_are_summed_up_and_attached() -> None:
    lines = tuple(documents.line(position=n) for n in range(1, 2001))
    pdf = PdfReader(io.BytesIO(render.render_pdf(documents.document(lines=lines))))
    text = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pdf.pages))
    assert "Lines 501 to 2,000, one by one in the file lines.csv that is attached to this PDF 7,875.00" in text
    assert list(pdf.attachments) == ["lines.csv"]
    content = pdf.attachments["lines.csv"][0]
    assert content.count(b"\r\n") == 2001
    assert content.decode().splitlines()[-1].startswith("2000,Input tokens,")


def test_hostile_names_are_text() -> None:
    hostile = DocumentParty(name="<script>alert(1)</script> & {{ 7|add:7 }}", address=('"><img src=x onerror=y>',))
    page = pages_of(documents.document(customer=hostile))[0]
    assert "<script>alert(1)</script> & {{ 7|add:7 }}" in page
    assert '"><img src=x onerror=y>' in page


def test_names_in_other_scripts_keep_their_letters() -> None:
    customer = DocumentParty(name="Ελληνικά Кириллица Łódź Đà Nẵng", address=("x" * 300,))
    page = pages_of(documents.document(customer=customer))[0]
    assert "Ελληνικά Кириллица Łódź Đà Nẵng" in page
    assert page.replace(" ", "").count("x" * 300) == 1  # broken over lines, not cut


def test_rendering_again_gives_the_same_bytes() -> None:
    steps = documents.GRADUATED.steps * 300  # too many to print, so there is an attachment too
    document = documents.document(lines=(replace(documents.GRADUATED, steps=steps),))
    first = render.render_pdf(document)
    assert list(PdfReader(io.BytesIO(first)).attachments) == ["steps.csv"]
    assert render.render_pdf(document) == first


def test_another_figure_gives_another_document() -> None:
    document = documents.document()
    assert render.render_pdf(document) != render.render_pdf(replace(document, total=Decimal("50.87")))


def test_letters_that_no_font_has_are_reported_once_with_what_to_install() -> None:
    with capture_logs() as logs:
        render.render_pdf(documents.document(customer=DocumentParty(name="\U000103a0\U000103a0 Persepolis")))
    assert logs == [
        {
            "event": "no installed font has these characters",
            "log_level": "warning",
            "document": "INV-000042",
            "characters": "\U000103a0",
            "remedy": glyphs.APT_FONTS,
        }
    ]
