"""The words and the unit price on an invoice line."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.errors import InvalidInputError
from core.periods import Period
from invoicing.cycle.rules import reasons, wording


def step(quantity: str, unit_price: str, amount: str) -> dict[str, Any]:
    return {"label": "x", "quantity": quantity, "unit_price": unit_price, "flat_fee": "0", "amount": amount}


@pytest.mark.parametrize(
    ("steps", "quantity", "printed"),
    [
        ([step("60", "0.002", "0.12")], "60", "0.002"),
        ([step("1", "49", "49")], "1", "49"),
        ([step("1", "49", "24.5")], "1", ""),  # half of the fee
        ([step("7", "5", "35")], "61", ""),  # 7 packages hold 61 units
        ([step("101", "1", "111")], "101", ""),  # a fee came with the tier
        ([step("10", "1", "10"), step("5", "0.5", "2.5")], "15", ""),
        ([], "0", ""),
    ],
)
def test_a_unit_price_is_printed_only_where_it_explains_the_amount(
    steps: list[dict[str, Any]], quantity: str, printed: str
) -> None:
    assert wording.unit_price(steps, quantity=Decimal(quantity)) == printed


def test_an_adjustment_names_the_local_days_it_corrects() -> None:
    october = Period(datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC))
    assert (
        wording.adjustment(charge_name="Input tokens", period=october, zone="Europe/Berlin")
        == "Adjustment of 2026-10-01 to 2026-10-31: Input tokens"
    )


def test_a_long_charge_name_is_cut_to_what_a_line_holds() -> None:
    period = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    assert len(wording.adjustment(charge_name="x" * 300, period=period, zone="UTC")) == 200


@pytest.mark.parametrize("text", ["", "    ", "ok", "\t no \n", "x" * 1001, "with \x00 inside"])
def test_what_is_no_reason_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        reasons.clean_reason(text)
    assert (refusal.value.code, refusal.value.pointer) == ("reason_missing", "/reason")


def test_a_reason_is_kept_without_outer_white_space() -> None:
    assert reasons.clean_reason("  price list was wrong\n") == "price list was wrong"


def test_unused_time_is_named_by_the_days_that_the_fee_was_for() -> None:
    november = Period(datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC))
    assert (
        wording.unused_time(charge_name="Base", period=november, zone="Europe/Berlin")
        == "Unused time of 2026-11-01 to 2026-11-30: Base"
    )
