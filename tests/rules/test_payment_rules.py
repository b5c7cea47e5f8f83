"""Which step may follow which, and what is still due."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.payments.rules import dues, lifecycle
from invoicing.payments.rules.dues import Document
from invoicing.payments.rules.lifecycle import Status, Step

ALLOWED = {
    "": ["recorded"],
    "pending": ["settled", "failed"],
    "errored": ["settled"],
    "settled": ["refunded", "disputed"],
    "chargeback": ["refunded", "dispute_won", "dispute_lost"],
    "refunded": [],
}
CENTS = st.integers(min_value=-100_000, max_value=100_000).map(lambda cents: Decimal(cents).scaleb(-2))


@pytest.mark.parametrize("status", ALLOWED)
def test_a_step_is_open_where_the_table_says_so_and_nowhere_else(status: str) -> None:
    assert [str(step) for step in Step if lifecycle.is_allowed(status, step)] == ALLOWED[status]


def test_a_refund_in_full_ends_a_payment_and_one_in_part_does_not() -> None:
    assert lifecycle.leads_to(Status.SETTLED, Step.REFUNDED, is_all_refunded=True) == Status.REFUNDED
    assert lifecycle.leads_to(Status.SETTLED, Step.REFUNDED, is_all_refunded=False) == Status.SETTLED


def test_a_rank_falls_only_where_a_dispute_was_won() -> None:
    falls = [(begun, step) for begun, step, to in lifecycle.rows() if lifecycle.RANKS[to] < lifecycle.RANKS[begun]]
    assert falls == [("chargeback", "dispute_won")]


@pytest.mark.parametrize(
    ("log", "status", "is_legal"),
    [
        ([("", "recorded", "pending"), ("pending", "settled", "settled")], "settled", True),
        ([("", "recorded", "pending")], "settled", False),
        ([("pending", "settled", "settled")], "settled", False),
        ([("", "recorded", "pending"), ("settled", "refunded", "refunded")], "refunded", False),
        ([("", "recorded", "pending"), ("pending", "settled", "errored")], "errored", False),
        ([], "", False),
    ],
)
def test_a_log_follows_the_table_without_a_jump(
    log: list[tuple[str, str, str]], status: str, *, is_legal: bool
) -> None:
    assert lifecycle.is_legal_log(log, status=status) is is_legal


def test_a_refusal_says_what_is_open_instead() -> None:
    assert lifecycle.refusal("refunded", Step.DISPUTED) == (
        "The payment is refunded, so it cannot be disputed: nothing follows a refund in full."
    )


def due(*documents: Document) -> dict[int, str]:
    return {pk: str(one.due) for pk, one in dues.dues_of(documents).items()}


def test_what_was_not_paid_is_due() -> None:
    assert due(Document(id=1, asked=Decimal("58.31"), paid=Decimal("20.00"))) == {1: "38.31"}


def test_what_was_paid_too_much_pays_the_oldest_that_is_open() -> None:
    found = dues.dues_of(
        [
            Document(id=1, asked=Decimal(100), paid=Decimal(130)),
            Document(id=2, asked=Decimal(20)),
            Document(id=3, asked=Decimal(50)),
        ]
    )
    assert [(one.set_off, one.due, one.in_favour) for one in found.values()] == [(0, 0, 30), (20, 0, 0), (10, 40, 0)]


def test_a_credit_note_pays_its_own_invoice_first() -> None:
    found = dues.dues_of(
        [
            Document(id=1, asked=Decimal(100)),
            Document(id=2, asked=Decimal(100)),
            Document(id=3, asked=Decimal(-40), credits=2),
        ]
    )
    assert {pk: (one.credited, one.due) for pk, one in found.items()} == {1: (0, 100), 2: (40, 60), 3: (-40, 0)}


def test_a_credit_note_over_what_is_paid_pays_others() -> None:
    found = dues.dues_of(
        [
            Document(id=1, asked=Decimal(100), paid=Decimal(90)),
            Document(id=2, asked=Decimal(-40), credits=1),
            Document(id=3, asked=Decimal(50)),
        ]
    )
    assert {pk: (one.credited, one.set_off, one.due) for pk, one in found.items()} == {
        1: (10, 0, 0),
        2: (-10, 0, 0),
        3: (0, 30, 20),
    }


@given(st.lists(st.tuples(CENTS, CENTS.map(abs)), max_size=6))
def test_nothing_is_lost_whatever_was_asked_and_paid(rows: list[tuple[Decimal, Decimal]]) -> None:
    """What is due in all is what was asked less what was paid, as far as that is above 0: as the books have it."""
    documents = [Document(id=number, asked=asked, paid=paid) for number, (asked, paid) in enumerate(rows)]
    found = dues.dues_of(documents).values()
    net = sum((one.asked - one.paid for one in documents), Decimal(0))
    assert sum((one.due for one in found), Decimal(0)) == max(net, Decimal(0))
    assert all(one.due >= 0 and one.set_off >= 0 for one in found)
