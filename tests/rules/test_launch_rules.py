"""The rules of the launch checklist, read strictly."""

from datetime import UTC, datetime
from typing import Any

import pytest

from compliance.launch.rules import checklist
from compliance.launch.rules.boxes import OF_A_PROGRAM, TITLES, Box
from compliance.launch.rules.checklist import USUAL, ChecklistError, Rule
from compliance.launch.rules.proof import ROWS_MAX, Proof, counted

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def test_what_is_left_out_has_its_usual_rule() -> None:
    read = checklist.read_checklist({"invariants_clean": {"max_age_hours": 12, "owner": "ops"}})
    assert read.rules[Box.INVARIANTS_CLEAN] == Rule(max_age_hours=12, owner="ops")
    assert read.rules[Box.BACKUP_RESTORED] == Rule(max_age_hours=744, owner="ops")
    assert checklist.read_checklist({}) == USUAL


def test_what_is_written_is_read_again() -> None:
    assert checklist.read_checklist(checklist.write_checklist(USUAL)) == USUAL
    assert set(checklist.write_checklist(USUAL)) == {str(box) for box in Box}


def test_a_proof_ages_by_the_rule_of_its_box() -> None:
    assert USUAL.ages_at(Box.INVARIANTS_CLEAN, proved_at=NOON) == datetime(2026, 11, 4, 12, tzinfo=UTC)
    assert USUAL.ages_at(Box.BACKUP_RESTORED, proved_at=NOON) == datetime(2026, 12, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ([], "/terms"),
        ({"sunshine": {}}, "/terms/sunshine"),
        ({"books_tie": 5}, "/terms/books_tie"),
        ({"books_tie": {"max_age_hours": 5}}, "/terms/books_tie"),
        ({"books_tie": {"max_age_hours": 0, "owner": "ops"}}, "/terms/books_tie/max_age_hours"),
        ({"books_tie": {"max_age_hours": 8785, "owner": "ops"}}, "/terms/books_tie/max_age_hours"),
        ({"books_tie": {"max_age_hours": True, "owner": "ops"}}, "/terms/books_tie/max_age_hours"),
        ({"books_tie": {"max_age_hours": 5, "owner": "auditor"}}, "/terms/books_tie/owner"),
    ],
)
def test_rules_that_cannot_be_used_are_named_by_pointer(terms: Any, pointer: str) -> None:
    with pytest.raises(ChecklistError) as refused:
        checklist.read_checklist(terms)
    assert refused.value.pointer == pointer


def test_every_box_has_a_title_and_a_rule() -> None:
    assert set(TITLES) == set(Box) == set(USUAL.rules)
    assert set(Box) > OF_A_PROGRAM


def test_a_long_table_says_how_much_it_leaves_out() -> None:
    written = Proof(head=("n",), rows=[(str(number),) for number in range(ROWS_MAX + 3)]).as_json()
    assert (len(written["table"]["rows"]), written["table"]["left_out"]) == (200, 3)


def test_one_is_said_as_one() -> None:
    assert [counted(number, "line") for number in (0, 1, 2, 1234)] == ["0 lines", "1 line", "2 lines", "1,234 lines"]
    assert counted(2, "child", "children") == "2 children"
