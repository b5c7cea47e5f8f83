"""The arithmetic around prices, one piece at a time: roundings, units, discounts, limits, credits, shares.

Worked cases name these pieces like models; a preview computes them by the rules that rating uses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money, rounding
from invoicing.pricing.rules import modifiers
from invoicing.pricing.rules.fields import Fields, Problem
from invoicing.pricing.rules.modifiers import Modifiers
from invoicing.pricing.rules.params import ParamsError
from invoicing.rating.rules import allocation, modify, prepaid, preview
from invoicing.rating.rules.preview import Preview, Rounding
from invoicing.rating.rules.preview_inputs import PreviewError, read_objects, read_units
from invoicing.rating.rules.proration import WHOLE
from invoicing.rating.rules.steps import Computation, Step, amount_step, free_step, total

WEIGHTS_MAX = 1000
TAX_LEVELS = ("invoice", "line")
CONVERSIONS = ("credits_to_money", "minor_to_credits")


Finish = Callable[[], Preview]


@dataclass(frozen=True, slots=True)
class Asked:
    """A calculation as it was asked for; `params` reports what is wrong with it."""

    params: Fields
    currency: str
    units: Any
    events: Any
    steps: Any
    rule: Rounding | None

    def answer(self, *steps: Step, details: Mapping[str, Any] | None = None) -> Preview:
        amount = total(steps)
        return Preview(preview.round_amount(amount, self.rule), Computation(amount, steps), details=details or {})


def calculate(
    *,
    model: str,
    params: Any,
    currency: str,
    units: Any = None,
    events: Any = None,
    steps: Any = None,
    rounding_rule: Rounding | None,
) -> Preview:
    """The result of one calculation; ParamsError or PreviewError where it cannot be computed."""
    problems: list[Problem] = []
    fields = Fields(params, pointer="/params", problems=problems)
    asked = Asked(fields, currency, units, events, steps, rounding_rule)
    with rounding.exactly():
        finish = CALCULATIONS[model](asked)
        fields.refuse_unknown()
        if problems:
            raise ParamsError(problems)
        return finish()


def _money_rounding(asked: Asked) -> Finish:
    amount = asked.params.signed("amount")
    return lambda: asked.answer(amount_step("Amount", amount=amount))


def _discount_rounding(asked: Asked) -> Finish:
    amount, percent = asked.params.signed("amount"), asked.params.discount("discount_percent")
    discount = modify.adjust_amount(Modifiers(discount_percent=percent), amount, share=WHOLE)
    return lambda: asked.answer(amount_step("Amount", amount=amount), *discount)


def _tax_rounding(asked: Asked) -> Finish:
    """By invoice the tax is rounded once on the sum, as invoices here do; by line as other systems can."""
    percent = asked.params.discount("tax_percent")
    level = asked.params.choice("level", options=TAX_LEVELS)
    lines = [_number(asked.params, "lines", index) for index in range(_length(asked.params, "lines"))]
    taxes = [line * percent.scaleb(-2) for line in lines]
    if level == "line":
        taxes = [tax if asked.rule is None else asked.rule.apply(tax) for tax in taxes]
    return lambda: asked.answer(*(amount_step(f"Tax of {money.plain(percent)} %", amount=tax) for tax in taxes))


def _unit_conversion(asked: Asked) -> Finish:
    conversion = modifiers.read_conversion(asked.params)
    return lambda: _units(modify.convert_units(Modifiers(unit_conversion=conversion), read_units(asked.units)))


def _unit_rounding(asked: Asked) -> Finish:
    rule = modifiers.read_rounding(asked.params)
    return lambda: _units(modify.convert_units(Modifiers(unit_rounding=rule), read_units(asked.units)))


def _usage_discount(asked: Asked) -> Finish:
    """Units of a line after those that a discount takes off; what came before has used up its part of it."""
    asked.params.choice("base", options=("quantity",))
    free = Modifiers(usage_discount=asked.params.quantity("free_units"))
    pairs = []
    for index, entry in enumerate(read_objects(asked.steps, "steps")):
        step = Fields(entry, pointer=f"/steps/{index}", problems=asked.params.problems)
        pairs.append((step.quantity("pre_units"), step.quantity("line_units")))
        step.take("expected_billable_units")
        step.refuse_unknown()

    def finish() -> Preview:
        billable = Decimal(0)
        for before, line in pairs:
            _, left_before = modify.take_included(free, before, share=WHOLE)
            _, left = modify.take_included(free, before + line, share=WHOLE)
            billable += left - left_before
        return _units(((), billable))

    return finish


def _allocation(asked: Asked) -> Finish:
    asked.params.choice("method", options=("largest_remainder",))
    asked.params.choice("tie_break", options=("key ascending",))
    inside = asked.params.inside("weights")
    if not 1 <= len(inside.document) <= WEIGHTS_MAX:
        inside.report("", "length", f"Needs 1 to {WEIGHTS_MAX} weights.")
    weights = {name: inside.quantity(name) for name in inside.document}
    scale = money.currency_exponent(asked.currency) if asked.rule is None else asked.rule.scale

    def finish() -> Preview:
        if asked.units is None:
            raise PreviewError("Give the amount to be divided as units.", pointer="/units")
        amount = read_units(asked.units)
        parts = allocation.allocate(amount, weights=weights, scale=scale)
        steps = [amount_step(f"Part of {key}", amount=part) for key, part in parts.items()]
        return asked.answer(*steps, details={"parts": {key: format(part, "f") for key, part in parts.items()}})

    return finish


def _commitment(asked: Asked) -> Finish:
    """What is missing to a minimum, or goes beyond a maximum; also where the amounts are counted in another unit."""
    limits = modifiers.read_modifiers(asked.params, kinds=(modifiers.LIMITS,))
    if (limits.minimum_amount, limits.maximum_amount) == (None, None):
        asked.params.report("minimum_amount", "required", "Give a minimum_amount, a maximum_amount or both.")
    used = asked.params.signed("used_amount")
    rate = asked.params.factor("pricing_unit_conversion_rate", default=Decimal(1))

    def finish() -> Preview:
        steps = list(modify.limit_amount(limits, used, share=WHOLE))
        if rate != 1:
            steps.append(amount_step(f"Converted at {money.plain(rate)}", amount=total(steps) * (rate - 1)))
        return asked.answer(*steps)

    return finish


def _plan_discount(asked: Asked) -> Finish:
    percent, codes = asked.params.discount("discount_percent"), asked.params.texts("applies_to")
    lines = _lines(asked)
    base = sum((amount for code, amount in lines if not codes or code in codes), Decimal(0))
    label = f"Discount of {money.plain(percent)} % on {money.plain(base)}"
    return lambda: asked.answer(amount_step(label, amount=-(base * percent.scaleb(-2))))


def _prepaid_credits(asked: Asked) -> Finish:
    """What is due after the credits have paid their part of lines and tax; or what a top-up costs and buys."""
    rate = asked.params.factor("credit_rate", default=Decimal(1))
    is_paid = asked.params.flag("invoiceable", default=True)
    if asked.params.take("convert") is not None:
        kind = asked.params.choice("convert", options=CONVERSIONS)
        return lambda: _top_up(asked, kind, rate, is_paid=is_paid)
    balance, codes = asked.params.quantity("opening_balance"), asked.params.texts("credits_apply_to")
    percent = asked.params.discount("tax_percent", default=Decimal(0))
    lines = _lines(asked)

    def finish() -> Preview:
        net = sum((amount for _, amount in lines), Decimal(0))
        paid_net = sum((amount for code, amount in lines if not codes or code in codes), Decimal(0))
        tax, paid_tax = (_tax(base, percent, asked.currency) for base in (net, paid_net))
        due = money.round_amount(max(paid_net + paid_tax, Decimal(0)), currency=asked.currency)
        used = prepaid.use_credits(balance=balance, credit_rate=rate, due=due, currency=asked.currency)
        return asked.answer(
            amount_step("Lines", amount=net),
            amount_step(f"Tax of {money.plain(percent)} %", amount=tax),
            amount_step("Paid by credits", amount=-used.amount),
            details={"credits_used": money.plain(used.credits), "balance": money.plain(used.balance)},
        )

    return finish


def _tax(base: Decimal, percent: Decimal, currency: str) -> Decimal:
    return money.round_amount(base * percent.scaleb(-2), currency=currency)


def _top_up(asked: Asked, kind: str, rate: Decimal, *, is_paid: bool) -> Preview:
    """What is granted for nothing keeps the credits as they were asked for; what is paid follows from the money."""
    units = read_units(asked.units)
    worth = units * rate if kind == "credits_to_money" else units.scaleb(-money.currency_exponent(asked.currency))
    found = prepaid.top_up(worth=worth, credit_rate=rate, currency=asked.currency)
    label = "Top-up: refused, for it comes to nothing" if found.is_refused else "Top-up"
    bought = found.credits if is_paid or kind != "credits_to_money" else units
    return asked.answer(amount_step(label, amount=found.amount), details={"credits": money.plain(bought)})


def _lines(asked: Asked) -> list[tuple[str, Decimal]]:
    """Lines of an invoice as events: `{"line": "14.29", "metric": "calls"}`."""
    found = []
    for index, entry in enumerate(read_objects(asked.events, "events")):
        event = Fields(entry, pointer=f"/events/{index}", problems=asked.params.problems)
        code = "" if event.take("metric") is None else event.text("metric")
        found.append((code, event.signed("line")))
        event.refuse_unknown()
    return found


def _length(params: Fields, name: str) -> int:
    lines = params.take(name)
    if isinstance(lines, list) and 1 <= len(lines) <= WEIGHTS_MAX:
        return len(lines)
    params.report(name, "length", f"Needs a list of 1 to {WEIGHTS_MAX} amounts.")
    return 0


def _number(params: Fields, name: str, index: int) -> Decimal:
    """One amount of a list of amounts."""
    entry = Fields({str(index): params.take(name)[index]}, pointer=f"{params.pointer}/{name}", problems=params.problems)
    return entry.signed(str(index))


def _units(converted: tuple[tuple[Step, ...], Decimal]) -> Preview:
    """A quantity as the result; it is no money, and so not rounded like it."""
    steps, quantity = converted
    computation = Computation(quantity, (*steps, free_step("Billable units", quantity=quantity)))
    return Preview(money.plain(quantity), computation)


CALCULATIONS: Mapping[str, Callable[[Asked], Finish]] = {
    "money_rounding": _money_rounding,
    "discount_rounding": _discount_rounding,
    "tax_rounding": _tax_rounding,
    "unit_conversion": _unit_conversion,
    "unit_rounding": _unit_rounding,
    "usage_discount": _usage_discount,
    "allocation": _allocation,
    "commitment": _commitment,
    "plan_discount": _plan_discount,
    "prepaid_credits": _prepaid_credits,
}
