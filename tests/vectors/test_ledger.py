"""Agreement with the conventions of double entry on what is booked where."""

from collections.abc import Callable
from decimal import Decimal

from invoicing.ledger.rules import booking
from invoicing.ledger.rules.booking import Earned
from tests.vectors import cases
from tests.vectors.cases import Case

EARNED = {
    "usage": Earned.USAGE,
    "annual_in_advance": Earned.FEE_IN_ADVANCE,
    "minimum_commitment_true_up": Earned.COMMITMENT,
}


def group_of(case: Case) -> str:
    """The kind, with the event of a journal entry."""
    return f"journal, {case['params']['event']['type']}" if case["kind"] == "journal" else str(case["kind"])


def check_invoice(case: Case) -> None:
    event = case["params"]["event"]
    kind = EARNED[event.get("kind", event["type"])]
    amount = Decimal(event.get("net") or event["amount"])
    lines = booking.book_invoice(earned=[(kind, amount)], tax=Decimal(event.get("tax", "0")))
    booked = {(str(line.account), line.debit, line.credit) for line in lines}
    assert booked == {
        (line["account"], Decimal(line["debit"]), Decimal(line["credit"])) for line in case["expected_lines"]
    }


CHECKS: dict[str, Callable[[Case], None]] = {
    "journal, invoice_finalized": check_invoice,
    "journal, minimum_commitment_true_up": check_invoice,
}


@cases.parametrize("ledger")
def test_the_entry_is_the_one_that_bookkeepers_make(case: Case) -> None:
    group = group_of(case)
    cases.skip_if_excused("ledger", case=case, group=group)
    assert group in CHECKS, f"nothing books {group}, and deviations.toml does not say why"
    CHECKS[group](case)


def test_nothing_that_is_tested_is_listed_as_missing() -> None:
    assert not CHECKS.keys() & cases.deviations()["not_yet"]["ledger"].keys()
