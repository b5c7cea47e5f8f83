"""Figures against the lines that alerts draw."""

from decimal import Decimal
from typing import Any

import pytest

from invoicing.alerts.rules import wording
from invoicing.alerts.rules.observe import Cost, MeterUse, Observed, Outlook, observe
from invoicing.charge_controls.rules import lines
from invoicing.charge_controls.rules.lines import Line
from invoicing.exposure.rules import ahead, crossing
from invoicing.exposure.rules.crossing import Crossing
from invoicing.policy.rules import terms

END = "2026-12-01T00:00:00+00:00"


def alert(**says: Any) -> Any:
    return terms.parse_terms({"alerts": [says]}).alerts[0]


def used(quantity: str, *, included: str = "0") -> list[MeterUse]:
    return [
        MeterUse(meter="tokens", currency="EUR", quantity=Decimal(quantity), included=Decimal(included), period_end=END)
    ]


def test_a_stated_limit_is_reached_at_its_percentage() -> None:
    near = alert(kind="usage_near_limit", meter="tokens", limit="1000", percent="80")
    assert list(observe(near, usage=used("799.5"))) == [
        Observed(subject="tokens (EUR) until 2026-12-01", value=Decimal("799.5"), line=Decimal(800))
    ]


def test_without_a_stated_limit_it_is_what_the_price_includes() -> None:
    near = alert(kind="usage_near_limit", meter="tokens", limit="included", percent="80")
    (found,) = observe(near, usage=used("100", included="250"))
    assert found.line == 200
    assert list(observe(near, usage=used("100"))) == []


def test_other_meters_have_no_line() -> None:
    near = alert(kind="usage_near_limit", meter="calls", limit="1000", percent="80")
    assert list(observe(near, usage=used("900"))) == []


def outlook(projected: str, *, before: str | None = "100.00", elapsed: str = "0.5") -> list[Outlook]:
    return [
        Outlook(
            currency="EUR",
            projected=Decimal(projected),
            elapsed=Decimal(elapsed),
            before=None if before is None else Decimal(before),
            period_end=END,
        )
    ]


def growth(**more: Any) -> Any:
    return alert(kind="exposure_growth", currency="EUR", amount="50.00", percent="20", **more)


def test_growth_is_against_the_customers_own_period_before() -> None:
    (found,) = observe(growth(), outlooks=outlook("119.99"))
    assert (found.value, found.line) == (Decimal("119.99"), 120)


def test_small_amounts_are_not_worth_a_word() -> None:
    (found,) = observe(growth(), outlooks=outlook("40", before="10.00"))
    assert found.line == 50


def test_without_a_past_nothing_is_faster_than_before() -> None:
    assert list(observe(growth(), outlooks=outlook("900", before=None))) == []


def test_early_projections_wait_where_the_policy_says_so() -> None:
    assert list(observe(growth(elapsed_percent="10"), outlooks=outlook("900", elapsed="0.099999"))) == []
    assert list(observe(growth(elapsed_percent="10"), outlooks=outlook("900", elapsed="0.1"))) != []


def test_a_program_has_its_line_in_its_currency() -> None:
    cost = Cost(program="connect", subscription=7, currency="USD", at_end=Decimal(600), period_end=END)
    line = {"kind": "program_cost", "fee_program": "connect", "amount": "500.00"}
    (found,) = observe(alert(**line, currency="USD"), costs=[cost])
    assert (found.subject, found.line) == ("connect (USD, subscription 7) until 2026-12-01", 500)
    assert list(observe(alert(**line, currency="EUR"), costs=[cost])) == []


@pytest.mark.parametrize(
    ("value", "was_beyond", "found"),
    [
        ("99.99", False, Crossing.STAYED),
        ("100", False, Crossing.ROSE),
        ("150", True, Crossing.STAYED),
        ("99.99", True, Crossing.FELL),
    ],
)
def test_a_line_is_crossed_once(value: str, was_beyond: bool, found: Crossing) -> None:
    assert crossing.judge(value=Decimal(value), line=Decimal(100), was_beyond=was_beyond) is found


def test_an_agreed_limit_counts_where_the_policy_says_so() -> None:
    says = {"kind": "credit_exposure", "currency": "EUR", "amount": "100.00", "action": "hold_usage"}
    (own, theirs) = (
        terms.parse_terms({"charge_controls": [says | {"limit_from": source}]}).charge_controls[0]
        for source in ("policy", "customer")
    )
    assert lines.line_of(own, agreed=Decimal(250)) == Line(Decimal(100), "policy")
    assert lines.line_of(theirs, agreed=Decimal(250)) == Line(Decimal(250), "customer")
    assert lines.line_of(theirs, agreed=None) == Line(Decimal(100), "policy")


def test_a_hold_ends_below_its_percentage_of_the_line() -> None:
    assert lines.is_low_again(Decimal("99.99"), line=Decimal(100), lift_percent=Decimal(100))
    assert not lines.is_low_again(Decimal(100), line=Decimal(100), lift_percent=Decimal(100))
    assert not lines.is_low_again(Decimal(80), line=Decimal(100), lift_percent=Decimal(80))
    assert lines.is_low_again(Decimal("79.99"), line=Decimal(100), lift_percent=Decimal(80))


def test_what_is_used_grows_with_time_and_what_is_agreed_does_not() -> None:
    """10 of 30 days: a fee of 49 and 6 of usage, 55 with 20 % tax 66: 12 more, 14.40 with tax."""
    amounts = [(Decimal(49), False), (Decimal(6), True)]
    assert ahead.project(payable=Decimal(66), lines=amounts, passed=10, whole=30, currency="EUR") == Decimal("80.40")
    assert ahead.project(payable=Decimal(66), lines=amounts, passed=0, whole=30, currency="EUR") == 66
    assert ahead.project(payable=Decimal(66), lines=amounts, passed=30, whole=30, currency="EUR") == 66


def test_the_share_that_has_passed_is_cut_to_six_decimals() -> None:
    assert ahead.elapsed_share(passed=2, whole=3) == Decimal("0.666666")
    assert ahead.elapsed_share(passed=-1, whole=3) == 0
    assert ahead.elapsed_share(passed=4, whole=3) == 1


def test_a_notice_says_the_figures_and_that_nothing_else_happened() -> None:
    text = wording.text_of(
        rule={"kind": "program_cost", "currency": "JPY"},
        subject="connect",
        value=Decimal("612.0000"),
        line=Decimal(500),
        policy="standard v2",
        as_of="2026-11-16T00:00:00+00:00",
    )
    assert "Now: 612 JPY. The line: 500 JPY." in text
    assert "standard v2" in text
    assert "Nothing was invoiced and nothing was held." in text
