"""By what the amount of a line was earned, as the books tell it apart."""

from decimal import Decimal

from invoicing.ledger.rules.booking import Earned

COMMITMENT, CREDITS, DISCOUNT = "commitment", "prepaid_credits", "plan_discount"


def earned_by(*, model: str, is_metered: bool, is_in_advance: bool, amount: Decimal) -> Earned:
    """Credits of a plan lower the price of usage, so they are no allowance; what goes beyond a maximum is one."""
    if is_metered or model == CREDITS:
        return Earned.USAGE
    if model == COMMITMENT:
        return Earned.COMMITMENT if amount >= 0 else Earned.ALLOWANCE
    if model == DISCOUNT:
        return Earned.ALLOWANCE
    return Earned.FEE_IN_ADVANCE if is_in_advance else Earned.FEE
