"""When a price change is major, and what an exception may say."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from compliance.launch.rules import changes, exceptions

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "is_major"),
    [
        ("100.00", "110.00", False),  # exactly ten percent
        ("100.00", "110.01", True),
        ("100.00", "90.00", False),
        ("100.00", "89.99", True),
        ("0", "0.01", True),
        ("0", "0", False),
        ("-50.00", "-44.00", True),
        ("-50.00", "-46.00", False),
    ],
)
def test_more_than_so_many_percent_of_the_amount_before_is_major(old: str, new: str, is_major: bool) -> None:
    assert changes.is_major(old=Decimal(old), new=Decimal(new), above_percent=Decimal(10)) is is_major


def test_an_exception_names_boxes_that_there_are_each_once() -> None:
    assert exceptions.flaw_of_boxes(["books_tie", "backup_restored"]) is None
    assert exceptions.flaw_of_boxes([]) == "Name at least one box, each once."
    assert exceptions.flaw_of_boxes(["books_tie", "books_tie"]) == "Name at least one box, each once."
    flaw = exceptions.flaw_of_boxes(["sunshine"])
    assert flaw is not None
    assert flaw.startswith("There is no box sunshine; the boxes are policy_signed, ")


def test_an_exception_ends_later_than_now_and_within_31_days() -> None:
    assert exceptions.flaw_of_end(ends_at=NOON + timedelta(days=31), at=NOON) is None
    assert exceptions.flaw_of_end(ends_at=NOON, at=NOON) == "An exception ends later than now."
    flaw = exceptions.flaw_of_end(ends_at=NOON + timedelta(days=31, seconds=1), at=NOON)
    assert flaw == "An exception lasts 31 days at most; after that somebody has to decide again."


def test_what_is_signed_covers_every_word() -> None:
    said = {"program": "standard", "boxes": ["books_tie"], "reason": "moving", "ends_at": NOON}
    known = exceptions.hash_of(**said)  # type: ignore[arg-type]
    for changed in (
        {"program": "other"},
        {"boxes": ["gates_rechecked"]},
        {"reason": "x"},
        {"ends_at": NOON + timedelta(days=1)},
    ):
        assert exceptions.hash_of(**{**said, **changed}) != known  # type: ignore[arg-type]
