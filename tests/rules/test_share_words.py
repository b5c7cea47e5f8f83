"""Shares of periods as a customer's accountant reads them."""

import pytest

from compliance.evidence import shares
from invoicing.rating.rules.proration import Share


@pytest.mark.parametrize(
    ("share", "words", "fraction"),
    [
        (Share(14, 31, "day"), "14 of 31 days", "14/31"),
        (Share(31, 31, "day"), "31 of 31 days", "31/31"),
        (Share(0, 30, "day30"), "0 of 30 days (months of 30 days)", "0/30"),
        (
            Share(1_000_800_000_000, 2_678_400_000_000, "second"),
            "1,000,800 of 2,678,400 seconds",
            "1,000,800/2,678,400",
        ),
        (Share(250_000, 86_400_000_000, "second"), "0.250000 of 86,400 seconds", "0.250000/86,400"),
    ],
)
def test_a_share_is_counted_in_its_own_units(share: Share, words: str, fraction: str) -> None:
    assert (shares.in_words(share), shares.fraction(share)) == (words, fraction)
