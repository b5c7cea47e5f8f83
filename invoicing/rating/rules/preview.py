"""What a price would charge, before anybody agrees on it: nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core import money, rounding
from invoicing.pricing.rules import fields
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules.params import Params
from invoicing.rating import rules
from invoicing.rating.rules.preview_inputs import Cumulative, PreviewError, read_steps, read_units, read_usage
from invoicing.rating.rules.steps import Computation
from invoicing.rating.rules.usage import Usage

SCALE_MAX = 12
ROUNDING_MODES = ("half_up", "half_even")


@dataclass(frozen=True, slots=True)
class Rounding:
    """How to round the amount: to so many decimals, half up or half even."""

    scale: int
    mode: str

    def apply(self, amount: Decimal) -> Decimal:
        return rounding.round_to_scale(amount, scale=self.scale, mode=self.mode)


@dataclass(frozen=True, slots=True)
class Increment:
    """What usage up to a point comes to, and what that adds to the point before; both rounded."""

    cumulative_units: Decimal
    amount: str
    increment: str


@dataclass(frozen=True, slots=True)
class Preview:
    """An amount, rounded as asked, with the exact one and its steps; `details` are further results by name."""

    amount: str
    computation: Computation
    increments: tuple[Increment, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


def preview_price(
    *,
    model: str,
    params: Any,
    currency: str,
    units: Any = None,
    events: Any = None,
    steps: Any = None,
    rounding_rule: Rounding | None,
) -> Preview:
    """The amount of `units`, of `events` that each bring their own, or of growing usage in `steps`."""
    parsed = price_params.parse_params(model=model, params=params)
    if steps is not None:
        return _preview_steps(model, parsed, read_steps(steps), currency=currency, rule=rounding_rule)
    breakdown = rules.breakdown_of(model=model, params=parsed)
    if model in price_params.FEE_MODELS:
        usage = Usage(Decimal(1) if units is None else read_units(units))
    elif (units is None) == (events is None) and not (breakdown and breakdown.amount_property):
        raise PreviewError("Give either units or events.", pointer="/units")
    else:
        usage = read_usage(units=units, events=events, breakdown=breakdown)
    computation = rules.compute(model=model, params=parsed, usage=usage, currency=currency)
    return Preview(round_amount(computation.amount_exact, rounding_rule), computation)


def currency_rounding(currency: str) -> Rounding:
    """The rounding of an invoice line in this currency."""
    return Rounding(money.currency_exponent(currency), "half_up")


def read_rounding(document: Any) -> Rounding:
    """`{"scale", "mode"}`; `at` is taken and says nothing, for one amount is one line."""
    problems: list[fields.Problem] = []
    reader = fields.Fields(document, pointer="/rounding", problems=problems)
    scale, mode = reader.take("scale"), reader.choice("mode", options=ROUNDING_MODES)
    reader.take("at")
    reader.refuse_unknown()
    if isinstance(scale, bool) or not isinstance(scale, int) or not 0 <= scale <= SCALE_MAX:
        reader.report("scale", "out_of_range", f"Needs a whole number from 0 to {SCALE_MAX}.")
    if problems:
        raise PreviewError(problems[0].detail, pointer=problems[0].pointer)
    return Rounding(scale, mode)


def round_amount(amount: Decimal, rule: Rounding | None) -> str:
    """As the rule says; exact without one."""
    return money.plain(amount) if rule is None else format(rule.apply(amount), "f")


def _preview_steps(
    model: str, params: Params, steps: Sequence[Cumulative], *, currency: str, rule: Rounding | None
) -> Preview:
    """Usage that grows or shrinks is rated anew as a whole; what is booked is the difference of rounded amounts.

    So the increments add up to the last amount. Those that were billed before do not count to the amount.
    """
    if model in price_params.FEE_MODELS or rules.breakdown_of(model=model, params=params) is not None:
        raise PreviewError("Only a price of a growing quantity can be tried in steps.", pointer="/steps")
    before = amount = Decimal(0)
    increments = []
    computation = Computation(Decimal(0), ())
    with rounding.exactly():
        for step in steps:
            computation = rules.compute(model=model, params=params, usage=Usage(step.quantity), currency=currency)
            exact = computation.amount_exact
            reached = exact if rule is None else rule.apply(exact)
            amount += Decimal(0) if step.is_billed_before else reached - before
            increments.append(
                Increment(step.quantity, round_amount(reached, rule), round_amount(reached - before, rule))
            )
            before = reached
        return Preview(round_amount(amount, rule), computation, tuple(increments))
