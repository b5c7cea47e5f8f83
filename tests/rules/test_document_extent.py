"""What is printed, what is attached, and the attached files."""

from dataclasses import replace
from decimal import Decimal

import pytest

from invoicing.documents import annex
from invoicing.documents.document import DocumentLine, DocumentStep, steps_of, text_lines
from invoicing.documents.rules import extent
from tests.builders import documents


def many(count: int) -> tuple[DocumentLine, ...]:
    return tuple(documents.line(position=number) for number in range(1, count + 1))


def test_500_lines_are_printed_and_the_rest_attached() -> None:
    size = extent.measure(documents.document(lines=many(502)))
    assert [line.position for line in size.printed][::499] == [1, 500]
    assert [line.position for line in size.attached] == [501, 502]


def test_an_ordinary_invoice_is_printed_whole_and_has_no_files() -> None:
    document = documents.document()
    size = extent.measure(document)
    assert size.printed == document.lines
    assert [line.position for line in size.explained] == [2]  # the graduated one; one price explains itself
    assert not size.explained_elsewhere
    assert annex.attached_files(document) == {}


def test_explanations_are_cut_between_lines_and_the_rest_is_counted() -> None:
    lines = tuple(replace(documents.GRADUATED, position=number) for number in (1, 2, 3))  # three rows each
    size = extent.measure(documents.document(lines=lines), rows_max=8)
    assert [line.position for line in size.explained] == [1, 2]
    assert [line.position for line in size.explained_elsewhere] == [3]


def test_a_line_that_one_price_does_not_explain_shows_its_single_step() -> None:
    step = DocumentStep(label="Flat fee", amount=Decimal(10))
    assert extent.needs_steps(documents.line(unit_price="", steps=(step,)))
    assert not extent.needs_steps(documents.line(steps=(step,)))


def test_the_attached_lines_are_all_lines_in_plain_figures() -> None:
    files = annex.attached_files(documents.document(lines=many(501)))
    rows = files["lines.csv"].split("\r\n")
    assert list(files) == ["lines.csv"]
    assert rows[0].startswith("position,description,start,end,quantity,unit,unit_price,amount,currency")
    assert rows[501] == (
        "501,Input tokens,2026-09-30T22:00:00+00:00,2026-10-31T23:00:00+00:00,1250000,token,0.0000042,5.25,EUR,S,19,"
    )
    assert rows[502:] == [""]


def test_steps_that_do_not_fit_are_attached_with_exact_amounts() -> None:
    lines = tuple(replace(documents.GRADUATED, position=number) for number in range(1, 168))  # 501 rows
    steps = annex.attached_files(documents.document(lines=lines))["steps.csv"].split("\r\n")
    assert steps[:3] == [
        "position,step,quantity,unit_price,flat_fee,amount",
        '1,"1 to 10,000",10000,0.002,,20',
        '1,"above 10,000",5000,0.0015,10,17.5',
    ]
    assert len(steps) == 1 + 2 * 167 + 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_a_text_that_a_spreadsheet_would_run_is_inert(start: str) -> None:
    text = annex.lines_csv(documents.document(lines=(documents.line(description=f"{start}cmd|' /C calc'!A0"),)))
    cell = text.split("\r\n", 1)[1].split(",")[1]
    assert cell.lstrip('"').startswith(f"'{start}")


def test_a_negative_figure_is_not_taken_for_a_formula() -> None:
    text = annex.lines_csv(documents.document(lines=(documents.ADJUSTMENT,)))
    assert ",-2000,token,0.0000042,-0.01,EUR," in text


def test_a_computation_is_read_as_steps() -> None:
    steps = steps_of(
        [
            {"tier": 1, "from": "0", "up_to": "10", "quantity": "10", "unit_price": "0.2", "amount": "2.0"},
            {"label": "Minimum", "flat_fee": "5", "quantity": None, "unit_price": "", "amount": "5"},
        ]
    )
    assert steps == (
        DocumentStep(label="Tier 1", quantity=Decimal(10), unit_price=Decimal("0.2"), amount=Decimal("2.0")),
        DocumentStep(label="Minimum", flat_fee=Decimal(5), amount=Decimal(5)),
    )


def test_an_address_is_its_lines_that_say_something() -> None:
    assert text_lines(" 14 rue des Tanneurs \r\n\n69001 Lyon\n") == ("14 rue des Tanneurs", "69001 Lyon")
