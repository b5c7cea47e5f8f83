"""Which worked fees, shares and invoices the mode of rounding decides; those of prices are in test_rating."""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN

import pytest

from core import rounding
from tests.vectors import cases, test_fees, test_invoice_totals, test_proration
from tests.vectors.cases import Case

# By hand, of the copy here: what is exact lies half a minor unit above an even one.
TIES = {
    "fees": {"fees-0007"},  # 2.9 % of 5.00 + 0.30 = 0.445
    "invoice_totals": {
        "invoice_totals-0020",  # 25 % of 5,012.42 = 1,253.105
        "invoice_totals-0027",  # 25 % of -625,743.54 = -156,435.885
    },
    "proration": set[str](),
}
CHECKS: dict[str, Callable[[Case], None]] = {
    "fees": test_fees.test_the_fee_is_the_one_that_the_source_states,
    "invoice_totals": test_invoice_totals.test_every_figure_is_the_one_that_the_example_states,
    "proration": test_proration.test_the_share_is_the_one_that_the_source_states,
}


def fails(check: Callable[[Case], None], case: Case) -> bool:
    try:
        check(case)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("name", sorted(TIES))
def test_the_cases_that_the_mode_decides_and_no_others_fail_when_it_is_switched(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = cases.load(name, folder=cases.HERE / "data")
    assert not [case["id"] for case in copied if fails(CHECKS[name], case)]
    monkeypatch.setitem(rounding.MODES, "half_up", ROUND_HALF_EVEN)
    assert {case["id"] for case in copied if fails(CHECKS[name], case)} == TIES[name]
