"""Documents = books = export, and what it says where they are not."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.test import Client

from invoicing.cycle import books_check
from tests.builders import billing, people
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db
NOVEMBER_DAYS = {"start": date(2026, 11, 1), "end": date(2026, 12, 1)}


@pytest.fixture
def company() -> billing.Company:
    """Two invoices of 61.88 each, 9.88 of it tax, both issued on 2 November."""
    company = billing.open_company()
    billing.issue(company, [billing.billed_customer(company, code) for code in ("acme", "globex")])
    return company


def test_three_places_have_the_same_sums(company: billing.Company) -> None:
    (found,) = books_check.compare_days(**NOVEMBER_DAYS)
    assert found.is_equal
    assert found.currency == "EUR"
    assert found.documents == found.books == found.exported == (Decimal("123.76"), Decimal("19.76"))


def test_other_days_have_nothing(company: billing.Company) -> None:
    assert books_check.compare_days(start=date(2026, 12, 1), end=date(2027, 1, 1)) == []


def test_the_command_is_silent_about_nothing(company: billing.Company, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_books", "--from", "2026-11-01", "--to", "2026-11-30")
    assert capsys.readouterr().out == (
        "EUR: documents 123.76 with tax 19.76, books 123.76 with tax 19.76, export 123.76 with tax 19.76: equal\n"
    )


def test_a_posting_that_was_changed_is_told_with_exit_1(
    company: billing.Company, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper("UPDATE ledger_posting SET credit = credit + 1 WHERE account = 'tax_payable'")
    with pytest.raises(SystemExit, match="1"):
        call_command("check_books", "--from", "2026-11-01", "--to", "2026-11-30")
    out = capsys.readouterr().out
    assert "documents 123.76 with tax 19.76, books 123.76 with tax 21.76" in out
    assert "DIFFERENT" in out


def page_of(days: dict[str, str]) -> str:
    client = Client()
    client.force_login(people.make_staff("audrey", "auditor"))
    return client.get("/admin/cycle/billingcycle/books/", days).content.decode()


def test_the_page_shows_all_three_and_says_that_they_agree(company: billing.Company) -> None:
    page = page_of({"first": "2026-11-01", "last": "2026-11-30"})
    assert "EUR: all three agree" in page
    assert (page.count("123.76"), page.count("19.76"), page.count("<strong>differs</strong>")) == (3, 3, 0)


def test_the_page_says_which_places_differ_from_what_was_issued(company: billing.Company) -> None:
    tamper("UPDATE ledger_posting SET credit = credit + 1 WHERE account = 'tax_payable'")
    page = page_of({"first": "2026-11-01", "last": "2026-11-30"})
    assert "EUR: they differ" in page
    assert (page.count("21.76"), page.count("<strong>differs</strong>")) == (2, 2)  # the books, and their export


def test_the_page_says_where_days_make_no_sense(company: billing.Company) -> None:
    assert "The last day lies before the first." in page_of({"first": "2026-12-01", "last": "2026-11-01"})
