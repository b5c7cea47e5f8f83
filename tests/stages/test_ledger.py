"""Posting: a document once, balanced when it commits, and kept for ever."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from invoicing.cycle.models import Invoice
from invoicing.ledger import export, post, queries
from invoicing.ledger.models import GeneralLedgerNumber, JournalEntry, Posting
from invoicing.ledger.rules.booking import Line
from invoicing.ledger.rules.chart import Account
from tests.builders import billing, guards
from tests.builders.billing import CLOSING, NEXT_CLOSING

pytestmark = pytest.mark.django_db
D = Decimal
NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
TWO_SIDES = (
    Line(Account.ACCOUNTS_RECEIVABLE, D("5.00"), D(0)),
    Line(Account.REVENUE_USAGE, D(0), D("5.00")),
)


def post_lines(key: str = "test:1", lines: tuple[Line, ...] = TWO_SIDES, customer: str = "acme") -> JournalEntry | None:
    payer = billing.Customer.objects.filter(code=customer).first() or billing.make_customer(customer)
    return post.post_entry(
        key=key, memo="A test", customer_id=payer.pk, currency="EUR", booked_on=date(2026, 11, 2), lines=lines, at=NOW
    )


def sides(entry: JournalEntry) -> dict[str, tuple[Decimal, Decimal]]:
    return {one.account: (one.debit, one.credit) for one in entry.postings.all()}


class TestPosting:
    def test_an_entry_keeps_both_sides(self) -> None:
        entry = post_lines()
        assert entry is not None
        assert sides(entry) == {"accounts_receivable": (D(5), D(0)), "revenue_usage": (D(0), D(5))}

    def test_a_key_is_posted_once_for_ever(self) -> None:
        post_lines()
        with pytest.raises(IntegrityError), transaction.atomic():
            post_lines()
        assert JournalEntry.objects.count() == 1

    def test_nothing_to_book_posts_nothing(self) -> None:
        assert post_lines(lines=()) is None
        assert not JournalEntry.objects.exists()

    def test_lines_that_do_not_balance_are_refused_before_anything_is_written(self) -> None:
        with pytest.raises(post.UnbalancedError, match="off by 1"):
            post_lines(lines=(TWO_SIDES[0], Line(Account.REVENUE_USAGE, D(0), D("4.00"))))
        assert not JournalEntry.objects.exists()


class TestWhatPostgresqlRefuses:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger_posting SET debit = 6 WHERE debit = 5",
            "UPDATE ledger_journalentry SET memo = 'x'",
            (
                "INSERT INTO ledger_posting (entry_id, account, debit, credit) SELECT id, 'tax_payable', 0, 1"
                " FROM ledger_journalentry"
            ),
            (
                "INSERT INTO ledger_posting (entry_id, account, debit, credit) SELECT id, 'tax_payable', 0, 'NaN'"
                " FROM ledger_journalentry"
            ),
            (
                "INSERT INTO ledger_posting (entry_id, account, debit, credit) SELECT id, 'petty_cash', 1, 0"
                " FROM ledger_journalentry"
            ),
            (
                "INSERT INTO ledger_journalentry (key, memo, customer_id, currency, booked_on, posted_at)"
                " SELECT 'bare', 'no postings', customer_id, 'EUR', now(), now() FROM ledger_journalentry"
            ),
        ],
    )
    def test_whatever_would_unbalance_or_change_the_books(self, statement: str) -> None:
        post_lines()
        assert guards.refuses(statement)

    @pytest.mark.parametrize("model", [JournalEntry, Posting])
    def test_rows_that_go(self, model: type[JournalEntry] | type[Posting]) -> None:
        post_lines()
        assert guards.keeps_its_rows(model)


class TestFinalInvoices:
    """A customer with 49.00 of fees and 3.00 of usage, 19 % tax: 61.88."""

    @pytest.fixture
    def company(self) -> billing.Company:
        return billing.open_company()

    @pytest.fixture
    def final(self, company: billing.Company) -> Invoice:
        return billing.issue(company, [billing.billed_customer(company)])[0]

    def test_finalizing_posts_the_entry_in_the_same_transaction(self, final: Invoice) -> None:
        entry = JournalEntry.objects.get(key=f"invoice:{final.pk}:final")
        assert (entry.memo, entry.currency, entry.booked_on) == ("Invoice INV-000001", "EUR", date(2026, 11, 2))
        assert sides(entry) == {
            "accounts_receivable": (D("61.88"), D(0)),
            "revenue_subscription": (D(0), D("49.00")),
            "revenue_usage": (D(0), D("3.00")),
            "tax_payable": (D(0), D("9.88")),
        }

    def test_a_draft_is_not_in_the_books(self, company: billing.Company) -> None:
        billing.approve_by(company.finance, billing.billed_customer(company))
        assert not JournalEntry.objects.exists()

    def test_late_usage_is_booked_with_the_invoice_that_bills_it(
        self, company: billing.Company, final: Invoice
    ) -> None:
        billing.use("acme", ("late", billing.day(30), 250), at=NEXT_CLOSING)
        billing.close_november()
        november = Invoice.objects.get(customer=final.customer, status="draft")
        billing.issue(company, [november], at=NEXT_CLOSING)
        entry = JournalEntry.objects.get(key=f"invoice:{november.pk}:final")
        assert sides(entry) == {
            "accounts_receivable": (D("58.91"), D(0)),  # 49.00 + 0.50, and 9.41 tax on 49.50
            "revenue_subscription": (D(0), D("49.00")),
            "revenue_usage": (D(0), D("0.50")),
            "tax_payable": (D(0), D("9.41")),
        }

    def test_the_trial_balance_carries_what_was_before(self, company: billing.Company, final: Invoice) -> None:
        november = queries.trial_balance(start=date(2026, 11, 1), end=date(2026, 12, 1))
        moved = {row.account: (row.opening, row.debit, row.credit, row.closing) for row in november}
        assert moved["accounts_receivable"] == (D(0), D("61.88"), D(0), D("61.88"))
        assert moved["revenue_usage"] == (D(0), D(0), D("3.00"), D("3.00"))
        december = queries.trial_balance(start=date(2026, 12, 1), end=date(2027, 1, 1))
        assert [(row.account, row.opening, row.debit, row.credit) for row in december] == [
            ("accounts_receivable", D("61.88"), D(0), D(0)),
            ("tax_payable", D("9.88"), D(0), D(0)),
            ("revenue_usage", D("3.00"), D(0), D(0)),
            ("revenue_subscription", D("49.00"), D(0), D(0)),
        ]
        assert queries.trial_balance(start=date(2026, 10, 1), end=date(2026, 11, 2)) == []

    def test_the_export_says_what_the_invoice_says(self, final: Invoice) -> None:
        GeneralLedgerNumber.objects.create(account="tax_payable", number="1776")
        lines = queries.booked_lines(start=date(2026, 11, 2), end=date(2026, 11, 3))
        key = f"invoice:{final.pk}:final"
        entry = JournalEntry.objects.get().pk
        assert "".join(export.as_csv(lines)).split("\r\n") == [
            "entry_id,key,booked_on,memo,customer,currency,account,general_ledger_number,debit,credit",
            f"{entry},{key},2026-11-02,Invoice INV-000001,acme,EUR,accounts_receivable,,61.88,0.00",
            f"{entry},{key},2026-11-02,Invoice INV-000001,acme,EUR,revenue_subscription,,0.00,49.00",
            f"{entry},{key},2026-11-02,Invoice INV-000001,acme,EUR,revenue_usage,,0.00,3.00",
            f"{entry},{key},2026-11-02,Invoice INV-000001,acme,EUR,tax_payable,1776,0.00,9.88",
            "",
        ]
        assert CLOSING.date() == final.issue_date


def test_an_export_of_no_days_is_a_header() -> None:
    assert "".join(export.as_csv([])).startswith("entry_id,key,booked_on")
