"""Documents and the books: every row in its posting, fees in advance earned over time, balances set off."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from billing_ops.management.commands import check_invariants
from invoicing.cycle import credit_note, finalize, recognize
from invoicing.cycle.models import Invoice, LineBooking, Recognition
from invoicing.ledger import queries as ledger_queries
from invoicing.ledger.models import JournalEntry, Posting
from invoicing.pricing import subscribe
from tests.builders import billing
from tests.builders.billing import CLOSING, NEXT_CLOSING, NOVEMBER, day

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(days=3)
NEW_YEAR = datetime(2027, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def offences() -> dict[str, list[str]]:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}


def booked(key: str) -> dict[str, tuple[Decimal, Decimal]]:
    return {one.account: (one.debit, one.credit) for one in Posting.objects.filter(entry__key=key)}


def balance_of(account: str) -> Decimal:
    rows = ledger_queries.trial_balance(start=date(2020, 1, 1), end=date(2030, 1, 1))
    return sum((row.closing for row in rows if row.account == account), Decimal(0))


def test_every_row_of_a_document_names_the_posting_that_holds_it(company: billing.Company) -> None:
    october = billing.issue(company, [billing.billed_customer(company)])[0]
    rows = LineBooking.objects.filter(invoice=october).order_by("pk")
    assert [(row.account, row.amount, row.posting and row.posting.credit) for row in rows] == [
        ("revenue_subscription", 49, 49),
        ("revenue_usage", 3, 3),
        ("tax_payable", Decimal("9.88"), Decimal("9.88")),
    ]
    assert {row.entry.key for row in rows} == {f"invoice:{october.pk}:final"}


def test_a_correcting_line_is_linked_to_the_entry_of_its_own_document(company: billing.Company) -> None:
    billing.issue(company, [billing.billed_customer(company)])
    billing.use("acme", ("takes back", day(30), -500), at=NEXT_CLOSING)
    billing.close_november()
    november = billing.issue(company, [Invoice.objects.get(period_start=NOVEMBER)], at=NEXT_CLOSING)[0]
    booking = november.lines.get(adjusts__isnull=False).booking
    assert (booking.account, booking.amount, booking.entry.key) == ("revenue_usage", -1, f"invoice:{november.pk}:final")
    assert booked(booking.entry.key)["revenue_usage"] == (1, 0)
    assert offences() == {}


def test_a_link_is_never_changed(company: billing.Company) -> None:
    billing.issue(company, [billing.billed_customer(company)])
    with pytest.raises(DatabaseError, match="pgtrigger"), transaction.atomic():
        LineBooking.objects.update(amount=0)


def test_a_credit_note_is_set_off_against_what_is_owed(company: billing.Company) -> None:
    october = billing.issue(company, [billing.billed_customer(company)])[0]  # 61.88 owed
    line = october.lines.get(position=1)
    note = credit_note.ask_for_credit(
        invoice_id=october.pk, reason="one week down", amounts={line.pk: Decimal(10)}, actor=company.finance, at=LATER
    )
    billing.approve_by(company.other_finance, note, at=LATER)
    finalize.finalize_invoice(invoice_id=note.pk, actor=None, at=LATER)
    assert booked(f"invoice:{note.pk}:final")["customer_balance_liability"] == (0, Decimal("11.90"))
    assert booked(f"invoice:{note.pk}:set_off") == {
        "customer_balance_liability": (Decimal("11.90"), 0),
        "accounts_receivable": (0, Decimal("11.90")),
    }
    assert (balance_of("accounts_receivable"), balance_of("customer_balance_liability")) == (Decimal("49.98"), 0)
    assert offences() == {}


def test_a_period_in_favour_of_the_customer_pays_what_is_owed(company: billing.Company) -> None:
    usage_only = billing.make_plan("usage", finance=company.finance, fee=None, meter=company.meter, unit_amount="1")
    billing.subscribe_to(company, billing.make_customer("acme"), plan=usage_only)
    billing.use("acme", ("e1", day(3), 100))
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])  # 119.00
    billing.use("acme", ("takes back", day(4), -100), ("n1", day(9, month=11), 50), at=NEXT_CLOSING)
    billing.close_november()
    note = billing.issue(company, [Invoice.objects.get(period_start=NOVEMBER)], at=NEXT_CLOSING)[0]
    assert note.total == Decimal("-59.50")  # 50 − 100 net, and 19 %
    assert booked(f"invoice:{note.pk}:set_off")["accounts_receivable"] == (0, Decimal("59.50"))
    assert (balance_of("accounts_receivable"), balance_of("customer_balance_liability")) == (Decimal("59.50"), 0)
    assert offences() == {}


@pytest.fixture
def in_advance(company: billing.Company) -> Invoice:
    """Issued on 2 November: 31.00 for October, late, and 31.00 for November, ahead; tax of 11.78."""
    plan = billing.make_plan("ahead", finance=company.finance, fee=None, meter=None)
    params = {"amount": "31", "billed": "in_advance"}
    billing.set_price(plan, charge="base", model="flat", params=params, finance=company.finance)
    billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.close_october()
    return billing.issue(company, [Invoice.objects.get()])[0]


def test_a_fee_in_advance_is_owed_until_its_time_has_passed(in_advance: Invoice) -> None:
    assert booked(f"invoice:{in_advance.pk}:final") == {
        "accounts_receivable": (Decimal("73.78"), 0),
        "deferred_revenue": (0, 62),
        "tax_payable": (0, Decimal("11.78")),
    }
    assert recognize.recognize_months(at=day(30, month=11)) == 0  # November still runs
    assert recognize.recognize_months(at=NEXT_CLOSING) == 1
    entry = JournalEntry.objects.get(key__startswith="recognition:")
    assert (entry.booked_on, entry.memo) == (date(2026, 11, 30), "Earned until 2026-11-30")
    assert booked(entry.key)["revenue_subscription"] == (0, Decimal("61.96"))
    assert recognize.recognize_months(at=NEXT_CLOSING) == 0
    assert offences() == {}


def test_the_last_hour_of_a_month_elsewhere_is_earned_in_the_next(in_advance: Invoice) -> None:
    """The seller's November ends at 23:00 UTC, an hour before the customer's: 31.00 × 719/720 = 30.96."""
    recognize.recognize_months(at=NEXT_CLOSING)
    assert list(Recognition.objects.values_list("amount", flat=True)) == [31, Decimal("30.96")]
    recognize.recognize_months(at=NEW_YEAR)
    assert balance_of("deferred_revenue") == 0
    assert balance_of("revenue_subscription") == 62
    assert offences() == {}


def test_what_was_not_used_of_it_is_taken_back_from_what_was_earned(
    company: billing.Company, in_advance: Invoice
) -> None:
    """Ended on the 16th: 15 of 30 days used, 15.50 given back on the document of December."""
    recognize.recognize_months(at=NEXT_CLOSING)
    subscription = in_advance.lines.earliest("pk").rated_line.subscription
    subscribe.end_subscription(
        subscription=subscription, ends_at=datetime(2026, 11, 16, tzinfo=UTC), actor=company.finance, at=NEXT_CLOSING
    )
    billing.close_november()
    note = billing.issue(company, [Invoice.objects.get(period_start=NOVEMBER)], at=NEXT_CLOSING)[0]
    assert booked(f"invoice:{note.pk}:final")["deferred_revenue"] == (Decimal("15.50"), 0)
    recognize.recognize_months(at=NEW_YEAR)
    assert balance_of("deferred_revenue") == 0
    assert balance_of("revenue_subscription") == Decimal("46.50")  # 31.00 of October and 15.50 of November
    assert offences() == {}
