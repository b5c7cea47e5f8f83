"""The class of a break, from its name and the events that differ."""

import pytest

from invoicing.cycle.rules import breaks, tie_out

RAW = tie_out.RAW_AGGREGATED
CASES = [
    ("an identity that stands there twice", RAW, [("twice", "http")], (3, 2), "duplicate"),
    ("twice says more than gone", RAW, [("gone", "http"), ("twice", "http")], (2, 2), "duplicate"),
    ("a row that is gone", RAW, [("gone", "http")], (1, 2), "missing"),
    ("gone without a trace", RAW, [], (1, 2), "missing"),
    ("received after the count", RAW, [("after_the_count", "http")], (3, 2), "out_of_order"),
    ("imported after the count", RAW, [("after_the_count", "import")], (3, 2), "backfill"),
    ("released after the count", RAW, [("after_the_count", "release")], (3, 2), "out_of_order"),
    ("put there behind capture's back", RAW, [("not_acknowledged", "")], (3, 2), "backfill"),
    ("more than was counted, and nothing to see", RAW, [], (3, 2), "backfill"),
    ("the same events with another content", RAW, [("altered", "http")], (2, 2), "re_rating_drift"),
    ("the same events, counted otherwise", RAW, [], (2, 2), "re_rating_drift"),
    ("a late clock and equal numbers", RAW, [("after_the_count", "http")], (2, 2), "re_rating_drift"),
    ("another quantity was rated", tie_out.AGGREGATED_RATED, [], (2, 2), "re_rating_drift"),
    ("an amount that does not follow", tie_out.AMOUNT, [], (2, 2), "re_rating_drift"),
    ("usage that no price covers", tie_out.UNPRICED, [("without_price", "http")], (2, 0), "missing"),
]


@pytest.mark.parametrize(("case", "name", "differences", "counts", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_table(
    case: str, name: str, differences: list[tuple[str, str]], counts: tuple[int, int], expected: str
) -> None:
    raw, aggregated = counts
    found = breaks.classify(name=name, differences=differences, raw_events=raw, aggregated_events=aggregated)
    assert found == expected, case


def test_every_class_has_a_label_and_a_repair() -> None:
    assert {name for name, _ in breaks.CLASSES} == set(breaks.REPAIRS)
