"""The table of an invoice's life."""

import pytest

from invoicing.cycle.rules import lifecycle

STATUSES = ["draft", "held", "approved", "final", "discarded"]
ALLOWED = {
    ("draft", "held"),
    ("draft", "approved"),
    ("draft", "discarded"),
    ("held", "draft"),
    ("held", "discarded"),
    ("approved", "held"),
    ("approved", "final"),
}


@pytest.mark.parametrize("from_status", STATUSES)
@pytest.mark.parametrize("to_status", STATUSES)
def test_exactly_the_moves_of_the_contract_are_open(from_status: str, to_status: str) -> None:
    assert lifecycle.is_allowed(from_status, to_status) == ((from_status, to_status) in ALLOWED)


def test_every_invoice_is_born_a_draft() -> None:
    assert [to for to in STATUSES if lifecycle.is_allowed("", to)] == ["draft"]


@pytest.mark.parametrize(
    ("from_status", "to_status", "sentence"),
    [
        (
            "final",
            "held",
            "The invoice is final: a final invoice never changes; a correction is a line on the next one.",
        ),
        (
            "final",
            "final",
            "The invoice is final already: a final invoice never changes; a correction is a line on the next one.",
        ),
        ("draft", "final", "The invoice is draft: have its figures approved first."),
        ("held", "approved", "The invoice is held: release its hold first."),
        ("held", "held", "The invoice is held already; it cannot become held."),
    ],
)
def test_a_refusal_says_what_would_help(from_status: str, to_status: str, sentence: str) -> None:
    assert lifecycle.refusal(from_status, to_status) == sentence


def test_a_release_and_a_hold_are_told_apart_by_name() -> None:
    assert lifecycle.action_of("held", "draft") == "invoice.released"
    assert lifecycle.action_of("approved", "held") == "invoice.held"
    with pytest.raises(KeyError):
        lifecycle.action_of("final", "draft")


@pytest.mark.parametrize(
    ("log", "status", "is_legal"),
    [
        ([("", "draft")], "draft", True),
        (
            [("", "draft"), ("draft", "held"), ("held", "draft"), ("draft", "approved"), ("approved", "final")],
            "final",
            True,
        ),
        ([], "draft", False),
        ([("draft", "approved")], "approved", False),
        ([("", "draft"), ("approved", "final")], "final", False),
        ([("", "draft"), ("draft", "final")], "final", False),
        ([("", "draft"), ("draft", "approved")], "final", False),
    ],
)
def test_a_log_is_legal_if_it_walks_the_table_to_the_present_status(
    log: list[tuple[str, str]], status: str, is_legal: bool
) -> None:
    assert lifecycle.is_legal_log(log, status=status) is is_legal
