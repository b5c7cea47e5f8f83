"""Revenue over time: straight-line by the second, and exact in sum."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.periods import Period
from invoicing.ledger.rules import breakage, recognition
from invoicing.ledger.rules.recognition import earned_by

YEAR = Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))  # 365 days


@pytest.mark.parametrize(
    ("until", "earned"),
    [
        (datetime(2025, 12, 31, tzinfo=UTC), "0"),
        (datetime(2026, 1, 1, tzinfo=UTC), "0"),
        (datetime(2026, 2, 1, tzinfo=UTC), "31.00"),  # 31 of 365 days
        (datetime(2026, 2, 1, 12, tzinfo=UTC), "31.50"),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), "365.00"),  # 364.99998…, rounded once
        (datetime(2027, 1, 1, tzinfo=UTC), "365"),
        (datetime(2028, 1, 1, tzinfo=UTC), "365"),
    ],
)
def test_a_year_of_one_a_day_is_earned_day_by_day(until: datetime, earned: str) -> None:
    assert earned_by(Decimal(365), time=YEAR, until=until, currency="EUR") == Decimal(earned)


def test_thirds_of_ten_come_to_ten() -> None:
    time = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
    reached = [earned_by(Decimal(10), time=time, until=time.start.replace(day=d), currency="EUR") for d in (2, 3, 4)]
    assert reached == [Decimal("3.33"), Decimal("6.67"), Decimal(10)]


def test_a_currency_without_decimals_is_earned_in_whole_units() -> None:
    assert earned_by(Decimal(1000), time=YEAR, until=datetime(2026, 2, 1, tzinfo=UTC), currency="JPY") == 85


@given(
    st.decimals(min_value=-1_000_000, max_value=1_000_000, places=2),
    st.lists(st.datetimes(min_value=datetime(2025, 6, 1), max_value=datetime(2027, 6, 1)), max_size=20),  # noqa: DTZ001
)
def test_parts_add_up_to_the_amount_whenever_the_books_are_closed(amount: Decimal, closings: list[datetime]) -> None:
    instants = sorted(one.replace(tzinfo=UTC) for one in closings)
    reached = [earned_by(amount, time=YEAR, until=one, currency="EUR") for one in (*instants, YEAR.end)]
    parts = [after - before for before, after in zip([Decimal(0), *reached], reached, strict=False)]
    assert sum(parts) == amount
    assert all(abs(one) <= abs(amount) for one in reached)


def test_what_was_earned_too_early_goes_back() -> None:
    forward, back = recognition.book_earned(Decimal(5)), recognition.book_earned(Decimal(-5))
    assert [(str(line.account), line.debit, line.credit) for line in forward] == [
        ("deferred_revenue", 5, 0),
        ("revenue_subscription", 0, 5),
    ]
    assert [(str(line.account), line.debit, line.credit) for line in back] == [
        ("revenue_subscription", 5, 0),
        ("deferred_revenue", 0, 5),
    ]
    assert recognition.book_earned(Decimal(0)) == ()


@pytest.mark.parametrize(
    ("receivable", "balance", "amount"),
    [("100", "30", "30"), ("30", "100", "30"), ("0", "30", None), ("30", "0", None)],
)
def test_a_balance_pays_what_is_owed_as_far_as_both_go(receivable: str, balance: str, amount: str | None) -> None:
    lines = recognition.book_set_off(receivable=Decimal(receivable), balance=Decimal(balance))
    expected = (
        [("customer_balance_liability", Decimal(amount), 0), ("accounts_receivable", 0, Decimal(amount))]
        if amount
        else []
    )
    assert [(str(line.account), line.debit, line.credit) for line in lines] == expected


def test_credits_that_expire_are_earned_then() -> None:
    assert breakage.remote(sold=Decimal(100), used=Decimal(40), is_expired=True) == (Decimal(100), Decimal(0))
