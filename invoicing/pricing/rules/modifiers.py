"""What a price does to units before its model and to the amount after it: read strictly, written back canonically."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money
from invoicing.pricing.rules.fields import Fields

# The kinds; a model says which of them it takes.
UNITS, QUANTITY, DISCOUNT, LIMITS = "units", "quantity", "discount", "limits"
NAMES = {
    UNITS: ("unit_conversion", "unit_rounding"),
    QUANTITY: (
        "included_quantity",
        "usage_discount",
        "committed_quantity",
        "committed_amount",
        "overage_factor",
        "true_up",
    ),
    DISCOUNT: ("discount_percent",),
    LIMITS: ("minimum_amount", "maximum_amount", "partial_period"),
}
OPERATIONS = ("divide", "multiply")
UNROUNDED = "none"
ROUNDINGS = ("half_up", "ceiling", "floor")
FUNCTIONS = ("round", "ceil", "floor")
PARTIAL_PERIODS = ("prorate", "whole")  # the first is the rule where nothing is said
PRECISION_LEAST, PRECISION_MOST = -12, 12


@dataclass(frozen=True, slots=True)
class UnitConversion:
    """Measured units become billed ones; without a rounding to 18 decimals, with one to whole units."""

    operation: str
    factor: Decimal
    rounding: str | None


@dataclass(frozen=True, slots=True)
class UnitRounding:
    """Units are rounded to so many decimals; below 0 to tens, hundreds and so on."""

    function: str
    precision: int


@dataclass(frozen=True, slots=True)
class Modifiers:
    """The steps around a model, in their order; the defaults change nothing."""

    unit_conversion: UnitConversion | None = None
    unit_rounding: UnitRounding | None = None
    included_quantity: Decimal = Decimal(0)
    usage_discount: Decimal = Decimal(0)
    committed_quantity: Decimal = Decimal(0)
    committed_amount: Decimal = Decimal(0)
    overage_factor: Decimal = Decimal(1)
    true_up: bool = True
    discount_percent: Decimal = Decimal(0)
    minimum_amount: Decimal | None = None
    maximum_amount: Decimal | None = None
    partial_period: str = PARTIAL_PERIODS[0]

    @property
    def is_committed(self) -> bool:
        return bool(self.committed_quantity or self.committed_amount)

    @property
    def follows_share(self) -> bool:
        """Whether a part of a billing period gets a part of what is included, committed, least or most."""
        has_any = self.included_quantity or self.usage_discount or self.is_committed
        limits = (self.minimum_amount, self.maximum_amount)
        return self.partial_period == "prorate" and (bool(has_any) or limits != (None, None))


NONE = Modifiers()


@dataclass(frozen=True, slots=True, kw_only=True)
class Modified:
    """Parameters of a price that may carry modifiers."""

    modifiers: Modifiers = NONE


def read_modifiers(fields: Fields, *, kinds: tuple[str, ...]) -> Modifiers:
    """The modifiers of these kinds."""
    if not any(name in fields.document for kind in kinds for name in NAMES[kind]):
        return NONE
    found: dict[str, Any] = {}
    if UNITS in kinds:
        found |= _read_units(fields)
    if QUANTITY in kinds:
        found |= _read_quantities(fields)
    if DISCOUNT in kinds:
        found["discount_percent"] = fields.discount("discount_percent", default=Decimal(0))
    if LIMITS in kinds:
        found |= _read_limits(fields)
    return Modifiers(**found)


def refuse_others(fields: Fields, *, kinds: tuple[str, ...]) -> None:
    """A modifier of another kind is a problem: the model has nothing that it could change."""
    for name in [name for kind in NAMES if kind not in kinds for name in NAMES[kind]]:
        if name in fields.document and name not in fields.known:
            fields.take(name)
            fields.report(name, "not_here", "This model does not take it; see docs/charge-models.md.")


def write_modifiers(modifiers: Modifiers) -> dict[str, Any]:
    """Only what changes something; the policy for parts of periods wherever it decides anything."""
    return dict(_written(modifiers)) if modifiers != NONE else {}


def read_conversion(fields: Fields) -> UnitConversion:
    """`{"operation", "factor", "rounding"}`."""
    operation, factor = fields.choice("operation", options=OPERATIONS), fields.size("factor")
    if fields.take("rounding") in (None, UNROUNDED):
        return UnitConversion(operation, factor, None)
    return UnitConversion(operation, factor, fields.choice("rounding", options=ROUNDINGS))


def read_rounding(fields: Fields) -> UnitRounding | None:
    """`{"function", "precision"}`; no function, no rounding."""
    if fields.take("function") is None:
        fields.take("precision")
        return None
    function = fields.choice("function", options=FUNCTIONS)
    return UnitRounding(function, fields.whole("precision", least=PRECISION_LEAST, most=PRECISION_MOST, default=0))


def _read_units(fields: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, read in (("unit_conversion", read_conversion), ("unit_rounding", read_rounding)):
        if fields.take(name) is not None:
            inside = fields.inside(name)
            found[name] = read(inside)
            inside.refuse_unknown()
    return found


def _read_quantities(fields: Fields) -> dict[str, Any]:
    names = ("included_quantity", "usage_discount", "committed_quantity")
    found: dict[str, Any] = {name: fields.quantity(name, default=Decimal(0)) for name in names}
    found["committed_amount"] = fields.price("committed_amount", default=Decimal(0))
    found["overage_factor"] = fields.factor("overage_factor", default=Decimal(1))
    found["true_up"] = fields.flag("true_up", default=True)
    if found["committed_quantity"] and found["committed_amount"]:
        fields.report("committed_amount", "order", "Commit to units or to money, not to both.")
    if not found["committed_quantity"] and not found["committed_amount"]:
        for name in ("overage_factor", "true_up"):
            if name in fields.document:
                fields.report(name, "needs_other", "Means something only beside a commitment.")
    return found


def _read_limits(fields: Fields) -> dict[str, Any]:
    least, most = fields.price_or_none("minimum_amount"), fields.price_or_none("maximum_amount")
    if least is not None and most is not None and least > most:
        fields.report("maximum_amount", "order", f"Must be at least the minimum ({money.plain(least)}).")
    policy = fields.choice("partial_period", options=PARTIAL_PERIODS)
    return {"minimum_amount": least, "maximum_amount": most, "partial_period": policy}


def _written(modifiers: Modifiers) -> Iterator[tuple[str, Any]]:
    conversion, rounding = modifiers.unit_conversion, modifiers.unit_rounding
    if conversion:
        factor = money.plain(conversion.factor)
        yield (
            "unit_conversion",
            {"operation": conversion.operation, "factor": factor, "rounding": conversion.rounding},
        )
    if rounding:
        yield "unit_rounding", {"function": rounding.function, "precision": rounding.precision}
    for name in ("included_quantity", "usage_discount", "committed_quantity", "committed_amount", "discount_percent"):
        if getattr(modifiers, name):
            yield name, money.plain(getattr(modifiers, name))
    if modifiers.is_committed:
        yield "overage_factor", money.plain(modifiers.overage_factor)
        yield "true_up", modifiers.true_up
    for name in ("minimum_amount", "maximum_amount"):
        if getattr(modifiers, name) is not None:
            yield name, money.plain(getattr(modifiers, name))
    if modifiers.follows_share or modifiers.partial_period != PARTIAL_PERIODS[0]:
        yield "partial_period", modifiers.partial_period
