"""Versions side by side name every field, and which of them differ."""

from invoicing.pricing.rules import differences
from invoicing.pricing.rules.differences import Difference


def tiers(*rows: tuple[str | None, str]) -> dict[str, object]:
    return {
        "tiers": [{"up_to": up_to, "unit_amount": amount} for up_to, amount in rows],
        "zero_usage_policy": "no_charge",
    }


def test_every_field_is_named_in_the_order_of_the_newer_version() -> None:
    old, new = tiers(("10", "2"), (None, "1")), tiers(("20", "2"), (None, "0.5"))
    assert differences.compare(old, new) == [
        Difference("tier 1, up to", "10", "20", "changed"),
        Difference("tier 1, unit amount", "2", "2", "same"),
        Difference("tier 2, up to", "no end", "no end", "same"),
        Difference("tier 2, unit amount", "1", "0.5", "changed"),
        Difference("zero usage policy", "no_charge", "no_charge", "same"),
    ]


def test_what_only_one_of_them_has_is_added_or_removed() -> None:
    assert differences.compare({"amount": "1", "old": "x"}, {"amount": "1", "new": None}) == [
        Difference("amount", "1", "1", "same"),
        Difference("new", "—", "—", "added"),
        Difference("old", "x", "—", "removed"),
    ]


def test_beside_nothing_everything_is_added() -> None:
    assert differences.compare({}, {"amount": "1"}) == [Difference("amount", "—", "1", "added")]
