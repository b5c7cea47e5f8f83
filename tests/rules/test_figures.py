"""Figures, dates and spans as they stand on an invoice."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from invoicing.documents.rules import figures


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "text"),
    [
        ("12.5000", "EUR", "en", "12.50"),
        ("1234567.8900", "EUR", "en", "1,234,567.89"),
        ("-0.0100", "USD", "en", "-0.01"),
        ("0.0000", "USD", "en", "0.00"),
        ("1500.0000", "JPY", "en", "1,500"),
        ("1.2345", "CLF", "en", "1.2345"),
        ("3.5000", "KWD", "en", "3.500"),
        ("1234.5000", "EUR", "de", "1.234,50"),
        ("1234567.0000", "INR", "en_IN", "12,34,567.00"),
    ],
)
def test_amounts_have_exactly_the_decimals_of_their_currency(
    amount: str, currency: str, locale: str, text: str
) -> None:
    assert figures.amount_text(Decimal(amount), currency=currency, locale=locale) == text


@pytest.mark.parametrize(("amount", "currency"), [("0.005", "EUR"), ("0.5", "JPY"), ("NaN", "EUR")])
def test_an_amount_that_would_print_as_another_figure_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match="is not an amount of"):
        figures.amount_text(Decimal(amount), currency=currency, locale="en")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1250000.000000000000000000", "1,250,000"),
        ("0.000000000000000001", "0.000000000000000001"),
        ("-2000", "-2,000"),
        ("1E+3", "1,000"),
        ("0", "0"),
        ("12345678901234567890.123456789012345678", "12,345,678,901,234,567,890.123456789012345678"),
    ],
)
def test_quantities_keep_every_decimal_and_no_empty_one(number: str, text: str) -> None:
    assert figures.number_text(Decimal(number), locale="en") == text


@pytest.mark.parametrize(
    ("price", "currency", "text"),
    [
        ("49", "EUR", "49.00"),
        ("0.5", "KWD", "0.500"),
        ("49", "JPY", "49"),
        ("1200.0000042", "EUR", "1,200.0000042"),
        ("5.00 per 1,000", "EUR", "5.00 per 1,000"),
        ("", "EUR", ""),
    ],
)
def test_a_price_has_at_least_the_decimals_of_its_currency(price: str, currency: str, text: str) -> None:
    assert figures.quoted_price_text(price, currency=currency, locale="en") == text


def test_dates_name_the_month() -> None:
    assert figures.date_text(date(2026, 10, 5), locale="en") == "5 Oct 2026"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "zone", "text"),
    [
        ("2026-10-01T00:00", "2026-11-01T00:00", "UTC", "1 – 31 Oct 2026"),
        ("2026-09-30T22:00", "2026-10-31T23:00", "Europe/Berlin", "1 – 31 Oct 2026"),  # summer time ends inside
        ("2026-10-05T00:00", "2026-10-06T00:00", "UTC", "5 Oct 2026"),
        ("2026-10-15T00:00", "2026-11-15T00:00", "UTC", "15 Oct – 14 Nov 2026"),
        ("2026-12-15T00:00", "2027-01-15T00:00", "UTC", "15 Dec 2026 – 14 Jan 2027"),
        ("2026-10-01T00:00", "2026-10-16T12:30", "UTC", "1 Oct 2026, 00:00 – 16 Oct 2026, 12:30"),
        ("2026-10-16T12:30", "2026-11-01T00:00", "UTC", "16 Oct 2026, 12:30 – 31 Oct 2026"),
        ("2026-10-16T12:30:15", "2026-11-01T00:00", "UTC", "16 Oct 2026, 12:30:15 – 31 Oct 2026"),
        ("2026-10-01T00:00", "2026-11-01T00:00", "Asia/Kolkata", "1 Oct 2026, 05:30 – 1 Nov 2026, 05:30"),
    ],
)
def test_a_span_names_its_last_day_and_times_only_where_a_day_is_cut(
    start: str, end: str, zone: str, text: str
) -> None:
    assert figures.span_text(utc(start), utc(end), zone=zone, locale="en") == text
