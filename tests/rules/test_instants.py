"""When an event happened: the forms of RFC 3339, cut to microseconds, never moved into the next period."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.rules.instants import instant_text, read_instant

FORMS = [
    ("2026-03-02T11:00:00Z", "2026-03-02T11:00:00Z", True),
    ("2026-03-02t11:00:00z", "2026-03-02T11:00:00Z", True),
    ("2026-03-02T11:00:00.5Z", "2026-03-02T11:00:00.5Z", True),
    ("2026-03-02T11:00:00.500Z", "2026-03-02T11:00:00.5Z", True),
    ("2026-03-02T11:00:00.000Z", "2026-03-02T11:00:00Z", True),
    ("2026-03-02T12:30:00+01:30", "2026-03-02T11:00:00Z", True),
    ("2026-03-02T00:00:00-11:00", "2026-03-02T11:00:00Z", True),
    ("2026-03-02T11:00:00-00:00", "2026-03-02T11:00:00Z", True),
    ("2026-01-01T00:00:00+14:00", "2025-12-31T10:00:00Z", True),
    ("2026-03-02T11:00:00.1234567Z", "2026-03-02T11:00:00.123456Z", False),
    ("2026-03-31T23:59:59.999999999Z", "2026-03-31T23:59:59.999999Z", False),
    ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z", False),
    ("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.999999Z", False),
    ("2017-01-01T00:59:60+01:00", "2016-12-31T23:59:59.999999Z", False),
]


@pytest.mark.parametrize(("sent", "canonical", "is_exact"), FORMS)
def test_every_form_of_an_instant_has_one_canonical_text(sent: str, canonical: str, *, is_exact: bool) -> None:
    instant = read_instant(sent)
    assert (instant.text, instant.is_exact) == (canonical, is_exact)
    assert instant.at == datetime.fromisoformat(canonical)


@pytest.mark.parametrize("moment", ["2016-12-30T23:59:60Z", "2016-12-31T22:59:60Z", "2016-12-31T23:58:60Z"])
def test_a_leap_second_ends_a_month_at_midnight_utc(moment: str) -> None:
    with pytest.raises(ValueError, match="leap second"):
        read_instant(moment)


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_canonical_text_reads_back_as_itself(at: datetime) -> None:
    text = instant_text(at)
    assert read_instant(text) == (at, text, True)
