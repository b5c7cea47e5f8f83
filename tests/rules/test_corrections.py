"""Which corrections of a delivery are taken, and what the others are told."""

from typing import Any

from metering.rules import corrections
from metering.rules.contract import BillableEvent
from metering.rules.corrections import Correcting, Target
from metering.rules.envelope import Correction, read_correction

ACME, TOKENS = 1, 7
FIRST = {("api", "a"): Target(ACME, TOKENS)}


def correcting(  # the fields of an event that the rule looks at
    place: int, event_id: str, corrects: str, action: str = "amend", *, customer: int = ACME, contract: int = TOKENS
) -> Correcting:
    mark = f"{event_id} {corrects} {action}".encode()
    event = BillableEvent("api", event_id, customer, contract, 1, "2026-03-02T11:00:00Z", mark, "{}", None)
    return Correcting(place, event, Correction(corrects, action))


def judge(*wanted: Correcting, targets: dict[tuple[str, str], Target] | None = None) -> list[tuple[int, str, str]]:
    """What is held back: index, code, detail."""
    judged = corrections.judge_corrections(wanted, targets=FIRST if targets is None else targets, marks={})
    return [(index, reasons[0].code, reasons[0].detail) for index, reasons in judged.held]


def test_one_correction_of_an_accepted_event_is_taken() -> None:
    judged = corrections.judge_corrections([correcting(0, "b", "a")], targets=FIRST, marks={})
    assert [each.event.event_id for each in judged.accepted] == ["b"]


def test_a_second_one_is_told_which_event_stands_now() -> None:
    assert judge(correcting(0, "b", "a"), correcting(1, "c", "a")) == [
        (1, "corrected_before", "The event was corrected before; correct 'b' instead, which stands for it now.")
    ]


def test_an_amendment_may_be_amended_in_the_same_delivery() -> None:
    assert judge(correcting(0, "b", "a"), correcting(1, "c", "b"), correcting(2, "d", "c", "cancel")) == []


def test_after_a_cancellation_usage_is_a_new_event() -> None:
    cancel = correcting(0, "b", "a", "cancel")
    assert judge(cancel, correcting(1, "c", "a"), correcting(2, "d", "b")) == [
        (1, "corrected_before", "The event was cancelled by 'b'; send what was used as a new event."),
        (2, "corrected_before", "The event is a cancellation and counts nothing; send what was used as a new event."),
    ]


def test_the_event_must_be_known_and_belong_to_the_same_customer_and_type() -> None:
    assert [code for _index, code, _detail in judge(correcting(0, "b", "nothing"))] == ["corrected_unknown"]
    assert judge(correcting(0, "b", "a", customer=2), correcting(1, "c", "a", contract=8)) == [
        (0, "corrected_other", "The event to correct belongs to another customer."),
        (1, "corrected_other", "The event to correct is of another type."),
    ]


def test_an_event_whose_row_is_found_nowhere_is_not_corrected() -> None:
    away = {("api", "a"): Target(None, None)}
    assert [code for _index, code, _detail in judge(correcting(0, "b", "a"), targets=away)] == ["corrected_put_away"]


def test_a_repeat_is_a_duplicate_and_another_body_a_conflict() -> None:
    once, other = correcting(0, "b", "a"), correcting(2, "b", "a", "cancel")
    judged = corrections.judge_corrections([once, once._replace(place=1), other], targets=FIRST, marks={})
    assert [index for index, _event in judged.duplicates] == [1]
    assert [(index, reasons[0].code) for index, reasons in judged.held] == [(2, "conflict")]


def test_what_an_event_corrects_is_read_from_two_attributes() -> None:
    flaws: list[corrections.Reason] = []
    assert read_correction({"id": "b", "corrects": "a", "correction": "cancel"}, flaws) == ("a", "cancel")
    assert read_correction({"id": "b", "corrects": None}, flaws) is None
    assert flaws == []


def test_half_a_correction_and_one_of_itself_are_refused() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"corrects": "a"}, "/correction"),
        ({"corrects": "a", "correction": "erase"}, "/correction"),
        ({"corrects": "a", "correction": ["amend"]}, "/correction"),
        ({"correction": "amend"}, "/corrects"),
        ({"corrects": "", "correction": "amend"}, "/corrects"),
        ({"corrects": 5, "correction": "amend"}, "/corrects"),
        ({"corrects": "x" * 65_537, "correction": "amend"}, "/corrects"),
        ({"corrects": "b", "correction": "cancel"}, "/corrects"),
    ]
    for attributes, pointer in wrong:
        flaws: list[corrections.Reason] = []
        assert read_correction({"id": "b", **attributes}, flaws) is None
        assert [(flaw.code, flaw.pointer) for flaw in flaws] == [("correction_invalid", pointer)]
