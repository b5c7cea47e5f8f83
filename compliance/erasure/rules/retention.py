"""How long books are kept: whole calendar years after the one in which a document was issued."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

ANYWHERE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version: so many calendar years after the year of the document; `country` empty stands for all others."""

    id: int
    country: str
    years: int
    effective_at: datetime
    basis: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Until when a document is kept, that day included, and by which version."""

    until: date
    rule: Rule


def kept_until(*, issued_on: date, country: str, rules: Iterable[Rule], at: datetime) -> Kept | None:
    """The last day of the retention under the versions in force; the seller's country before all others.

    A period counts in calendar years from the end of the year of issue (as § 147 (4) AO has it). None without a rule.
    """
    in_force = [rule for rule in rules if rule.effective_at <= at and rule.country in (country, ANYWHERE)]
    if not in_force:
        return None
    latest = max(in_force, key=lambda rule: (rule.country != ANYWHERE, rule.effective_at, rule.id))
    return Kept(date(issued_on.year + latest.years, 12, 31), latest)
