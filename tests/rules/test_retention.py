"""How long invoices are kept: by hand, from the words of the law."""

from datetime import UTC, date, datetime

import pytest

from compliance.erasure.rules import retention
from compliance.erasure.rules.retention import Rule

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ELSEWHERE = Rule(id=1, country="", years=10, effective_at=datetime(2025, 1, 1, tzinfo=UTC), basis="usual")
GERMANY = Rule(id=2, country="DE", years=8, effective_at=datetime(2025, 1, 1, tzinfo=UTC), basis="AO")
LATER = Rule(id=3, country="DE", years=6, effective_at=datetime(2027, 1, 1, tzinfo=UTC), basis="next")


@pytest.mark.parametrize(
    ("issued_on", "country", "at", "until", "basis"),
    [
        (date(2026, 11, 1), "DE", NOW, date(2034, 12, 31), "AO"),
        (date(2026, 1, 1), "DE", NOW, date(2034, 12, 31), "AO"),
        (date(2025, 12, 31), "DE", NOW, date(2033, 12, 31), "AO"),
        (date(2026, 11, 1), "US", NOW, date(2036, 12, 31), "usual"),
        (date(2026, 11, 1), "DE", datetime(2027, 1, 1, tzinfo=UTC), date(2032, 12, 31), "next"),
        (date(2026, 11, 1), "DE", datetime(2026, 12, 31, 23, 59, tzinfo=UTC), date(2034, 12, 31), "AO"),
    ],
)
def test_whole_years_after_the_year_of_issue(
    issued_on: date, country: str, at: datetime, until: date, basis: str
) -> None:
    kept = retention.kept_until(issued_on=issued_on, country=country, rules=[ELSEWHERE, GERMANY, LATER], at=at)
    assert kept is not None
    assert (kept.until, kept.rule.basis) == (until, basis)


def test_without_a_rule_nobody_says_how_long() -> None:
    before = datetime(2024, 12, 31, tzinfo=UTC)
    assert retention.kept_until(issued_on=date(2024, 1, 1), country="DE", rules=[GERMANY], at=before) is None
    assert retention.kept_until(issued_on=date(2026, 1, 1), country="US", rules=[GERMANY], at=NOW) is None
