"""Agreement with worked prices of other systems."""

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise

from core import money, rounding
from invoicing.cycle.rules import totals
from invoicing.pricing.rules import params
from invoicing.rating import rules
from invoicing.rating.rules import preview
from invoicing.rating.rules.usage import Usage
from tests.vectors import cases
from tests.vectors.cases import Case


def check_price(case: Case) -> None:
    if "steps" in case:
        check_increments(case)
        return
    rule = None if case["rounding"] is None else preview.read_rounding(case["rounding"])
    found = preview.preview_amount(
        model=case["model"],
        params=case["params"],
        units=case.get("units"),
        events=case.get("events"),
        rounding_rule=rule,
    )
    assert Decimal(found.amount) == Decimal(case["expected_amount"])
    if "expected_groups" in case:
        amounts = {step.label.split()[-1].lower(): step.amount for step in found.computation.steps}
        expected = {("other" if name == "default" else name): value for name, value in case["expected_groups"].items()}
        assert amounts == {name: Decimal(value) for name, value in expected.items()}


def check_increments(case: Case) -> None:
    """Usage that grows or shrinks is rated anew as a whole; what is booked is the difference of rounded amounts."""
    priced = params.parse_params(model=case["model"], params=case["params"])
    amounts = [Decimal(0)]
    for step in case["steps"]:
        quantity = Decimal(step["cumulative_units"])
        exact = rules.compute(model=case["model"], params=priced, usage=Usage(quantity)).amount_exact
        amounts.append(money.round_amount(exact, currency=case["currency"]))
    increments = [after - before for before, after in pairwise(amounts)]
    wanted = [step["expected_increment"] for step in case["steps"]]
    stated = [(found, Decimal(want)) for found, want in zip(increments, wanted, strict=True) if want is not None]
    assert [found for found, _ in stated] == [want for _, want in stated]
    assert sum(found for found, _ in stated) == Decimal(case["expected_amount"])


def check_rounding(case: Case) -> None:
    scale, mode = case["rounding"]["scale"], case["rounding"]["mode"]
    amount, expected = Decimal(case["params"]["amount"]), Decimal(case["expected_amount"])
    assert rounding.round_to_scale(amount, scale=scale, mode=mode) == expected
    assert money.currency_exponent(case["currency"]) == scale
    assert money.round_amount(amount, currency=case["currency"]) == expected


def check_tax(case: Case) -> None:
    terms = totals.TaxTerms(name="Tax", category="S", percent=Decimal(case["params"]["tax_percent"]))
    lines = [(terms, Decimal(line)) for line in case["params"]["lines"]]
    assert totals.total_up(lines, currency=case["currency"]).tax == Decimal(case["expected_amount"])


CHECKS: dict[str, Callable[[Case], None]] = {
    **dict.fromkeys(params.READERS, check_price),
    "money_rounding": check_rounding,
    "tax_rounding": check_tax,
}


@cases.parametrize("rating")
def test_the_amount_is_the_one_that_the_source_states(case: Case) -> None:
    cases.skip_if_excused("rating", case=case, group=case["model"])
    assert case["model"] in CHECKS, f"no rule rates {case['model']}, and deviations.toml does not say why"
    CHECKS[case["model"]](case)


def test_nothing_that_is_tested_is_listed_as_missing() -> None:
    assert not CHECKS.keys() & cases.deviations()["not_yet"]["rating"].keys()
