"""Agreement with the conventions of double entry on what is booked where."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from invoicing.cycle.rules.earning import earned_by
from invoicing.ledger.rules import booking, breakage, payments, recognition
from invoicing.ledger.rules.booking import Earned, Line
from invoicing.ledger.rules.chart import Account
from invoicing.payments.rules import stripe_states
from tests.vectors import cases
from tests.vectors.cases import Case

EARNED = {
    "usage": Earned.USAGE,
    "annual_in_advance": Earned.FEE_IN_ADVANCE,
    "minimum_commitment_true_up": Earned.COMMITMENT,
}


def group_of(case: Case) -> str:
    """The kind, with the event of a journal entry; payouts of a gateway apart from payments."""
    if case["kind"] == "payment_state":
        of = case["params"]["object"]
        return "payment_state, payout" if of == "payout" else "payment_state"
    return f"journal, {case['params']['event']['type']}" if case["kind"] == "journal" else str(case["kind"])


def check_invoice(case: Case) -> None:
    event = case["params"]["event"]
    kind = EARNED[event.get("kind", event["type"])]
    amount = Decimal(event.get("net") or event["amount"])
    lines = booking.book_invoice(earned=[(kind, amount)], tax=Decimal(event.get("tax", "0")))
    assert_booked(lines, case=case)


def assert_booked(lines: tuple[Line, ...], *, case: Case) -> None:
    booked = {(str(line.account), line.debit, line.credit) for line in lines}
    assert booked == {
        (line["account"], Decimal(line["debit"]), Decimal(line["credit"])) for line in case["expected_lines"]
    }


def check_recognised(case: Case) -> None:
    assert_booked(recognition.book_earned(Decimal(case["params"]["event"]["amount"])), case=case)


def check_credit_note(case: Case) -> None:
    event = case["params"]["event"]
    earned = [(Earned.USAGE, -Decimal(event["net"]))]
    assert_booked(booking.book_invoice(earned=earned, tax=-Decimal(event["tax"])), case=case)


def check_promotional_credits(case: Case) -> None:
    """Free credits are a line of the plan that lowers the price of usage."""
    event = case["params"]["event"]
    free = earned_by(model="prepaid_credits", is_metered=False, is_in_advance=False, amount=-Decimal(event["amount"]))
    earned = [(Earned.USAGE, Decimal(event["gross_usage"])), (free, -Decimal(event["amount"]))]
    assert_booked(booking.book_invoice(earned=earned, tax=Decimal(0)), case=case)


def check_disputed(case: Case) -> None:
    event = case["params"]["event"]
    lines = payments.book_disputed(
        amount=Decimal(event["amount"]), fee=Decimal(event["fee"]), place=Account.PROCESSOR_CLEARING
    )
    assert_booked(lines, case=case)


def check_won(case: Case) -> None:
    amount = Decimal(case["params"]["event"]["amount"])
    assert_booked(payments.book_won(amount=amount, fee=Decimal(0), place=Account.PROCESSOR_CLEARING), case=case)


def check_lost(case: Case) -> None:
    amount = Decimal(case["params"]["event"]["amount"])
    assert_booked(payments.book_lost(amount=amount, fee=Decimal(0), place=Account.PROCESSOR_CLEARING), case=case)


def check_payment_state(case: Case) -> None:
    params = case["params"]
    state = stripe_states.state_of(
        kind=params["object"], status=params["status"], has_error=params.get("last_payment_error", False)
    )
    assert state == case["expected_state"]


def check_breakage_proportional(case: Case) -> None:
    params = case["params"]
    revenue = breakage.proportional(
        allocated=Decimal(params["allocated"]),
        redeemed=[Decimal(each) for each in params["redeemed"]],
        expected=[Decimal(each) for each in params["expected_total"]],
    )
    unit = Decimal(1).scaleb(-case["rounding"]["scale"])
    rounded = [each.quantize(unit, rounding=ROUND_HALF_UP) for each in revenue]
    assert rounded == [Decimal(each) for each in case["expected_revenue"]]


def check_breakage_remote(case: Case) -> None:
    params = case["params"]
    assert not params["entitled_to_breakage"]
    found = breakage.remote(sold=Decimal(params["sold"]), used=Decimal(params["used"]), is_expired=params["expired"])
    assert found == (Decimal(case["expected_revenue"]), Decimal(case["expected_liability"]))


def check_zero_entry(case: Case) -> None:
    """An invoice in which every account comes to 0 has no entry, and PostgreSQL takes no posting of 0."""
    amounts = [Decimal(debit) - Decimal(credit) for _, debit, credit in case["params"]["journal"]]
    assert booking.book_invoice(earned=[(Earned.USAGE, sum(amounts, Decimal(0)))], tax=Decimal(0)) == ()


CHECKS: dict[str, Callable[[Case], None]] = {
    "journal, invoice_finalized": check_invoice,
    "journal, minimum_commitment_true_up": check_invoice,
    "journal, period_recognised": check_recognised,
    "journal, credit_note": check_credit_note,
    "journal, promotional_credits_consumed": check_promotional_credits,
    "journal, dispute_opened": check_disputed,
    "journal, dispute_won": check_won,
    "journal, dispute_lost": check_lost,
    "payment_state": check_payment_state,
    "breakage_proportional": check_breakage_proportional,
    "breakage_remote": check_breakage_remote,
    "invariant": check_zero_entry,
}


@cases.parametrize("ledger")
def test_the_entry_is_the_one_that_bookkeepers_make(case: Case) -> None:
    group = group_of(case)
    cases.skip_if_excused("ledger", case=case, group=group)
    assert group in CHECKS, f"nothing books {group}, and deviations.toml does not say why"
    CHECKS[group](case)


def test_nothing_that_is_tested_is_listed_as_missing() -> None:
    assert not CHECKS.keys() & cases.deviations()["not_yet"]["ledger"].keys()
