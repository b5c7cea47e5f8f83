"""The books in the back office and from the command line."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from invoicing.cycle.models import Invoice
from invoicing.ledger.models import GeneralLedgerNumber, JournalEntry
from tests.builders import billing, people

pytestmark = pytest.mark.django_db
NOVEMBER = {"first": "2026-11-01", "last": "2026-11-30"}
BALANCE, EXPORT = "/admin/ledger/journalentry/trial-balance/", "/admin/ledger/journalentry/export/"


@pytest.fixture
def final() -> Invoice:
    """61.88 EUR: 49.00 of fees, 3.00 of usage, 9.88 of tax; issued on 2 November 2026."""
    company = billing.open_company()
    return billing.issue(company, [billing.billed_customer(company)])[0]


def client_as(role: str) -> Client:
    client = Client()
    client.force_login(people.make_staff(f"the-{role}", role))
    return client


def test_the_trial_balance_shows_every_account_and_equal_sides(final: Invoice) -> None:
    page = client_as("auditor").get(BALANCE, NOVEMBER).content.decode()
    for words in ("Accounts receivable", "Revenue usage", "Revenue subscription", "Tax payable", "61.88", "9.88"):
        assert words in page
    [one] = client_as("finance").get(BALANCE, NOVEMBER).context["currencies"]
    assert (one["currency"], one["debit"], one["credit"]) == ("EUR", "61.88", "61.88")


def test_days_that_make_no_sense_are_said_and_nothing_is_exported(final: Invoice) -> None:
    client = client_as("finance")
    for address in (BALANCE, EXPORT):
        response = client.get(address, {"first": "2026-12-01", "last": "2026-11-01"})
        assert response.status_code == 200
        assert "The last day lies before the first." in response.content.decode()
    assert "Enter a valid date." in client.get(BALANCE, {"first": "soon"}).content.decode()


def test_the_export_holds_each_posting(final: Invoice) -> None:
    response = client_as("finance").get(EXPORT, NOVEMBER)
    assert response["Content-Disposition"] == 'attachment; filename="journal-2026-11-01-to-2026-11-30.csv"'
    rows = list(csv.DictReader(StringIO(response.getvalue().decode())))
    assert [(row["account"], row["debit"], row["credit"]) for row in rows] == [
        ("accounts_receivable", "61.88", "0.00"),
        ("revenue_subscription", "0.00", "49.00"),
        ("revenue_usage", "0.00", "3.00"),
        ("tax_payable", "0.00", "9.88"),
    ]


def test_an_entry_shows_its_postings_and_cannot_be_changed(final: Invoice) -> None:
    entry = JournalEntry.objects.get()
    address = f"/admin/ledger/journalentry/{entry.pk}/change/"
    page = client_as("finance").get(address).content.decode()
    assert "Invoice INV-000001" in page
    assert "61.88" in page
    assert client_as("product").post(address, {"memo": "x"}).status_code == 403
    listed = client_as("ops").get("/admin/ledger/journalentry/").content.decode()
    assert "61.88 EUR" in listed


def test_finance_says_which_number_an_account_has() -> None:
    client = client_as("finance")
    client.post("/admin/ledger/generalledgernumber/add/", {"account": "tax_payable", "number": "1776"})
    [number] = GeneralLedgerNumber.objects.all()
    assert (number.account, number.number) == ("tax_payable", "1776")
    client.post(f"/admin/ledger/generalledgernumber/{number.pk}/change/", {"number": "1777"})
    assert [one.number for one in number.history.all()] == ["1777", "1776"]


def test_the_command_writes_the_same_file(final: Invoice, tmp_path: Path) -> None:
    file = tmp_path / "journal.csv"
    said = StringIO()
    call_command("export_ledger", "--start", "2026-11-01", "--end", "2026-12-01", "-o", str(file), stdout=said)
    assert len(file.read_text().splitlines()) == 5
    assert str(file) in said.getvalue()


def test_the_command_refuses_an_end_before_the_start() -> None:
    with pytest.raises(CommandError, match="--end must lie after --start"):
        call_command("export_ledger", "--start", "2026-11-01", "--end", "2026-11-01")
