"""Parameters of fees and of prices per unit, by property or not, and per package."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money
from invoicing.pricing.rules.fields import Fields
from invoicing.pricing.rules.modifiers import Modified

FILTERS_MAX = 1000
BILLED = ("in_arrears", "in_advance")  # the first is the rule where nothing is said
PACKAGE_ROUNDINGS = ("up", "down")

Match = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FlatParams(Modified):
    """A fee for a whole billing period, billed when that is over or when it begins."""

    amount: Decimal
    billed: str = BILLED[0]

    def as_json(self) -> dict[str, Any]:
        return {"amount": money.plain(self.amount), "billed": self.billed}


@dataclass(frozen=True, slots=True)
class FilterPrice:
    """The unit price of events that carry all of these properties."""

    match: Match
    unit_amount: Decimal

    def as_json(self) -> dict[str, str]:
        return {**dict(self.match), "unit_amount": money.plain(self.unit_amount)}


@dataclass(frozen=True, slots=True)
class StandardParams(Modified):
    """One price for each unit; events may have a price of their own by property."""

    unit_amount: Decimal
    filters: tuple[FilterPrice, ...] = ()

    def as_json(self) -> dict[str, Any]:
        written: dict[str, Any] = {"unit_amount": money.plain(self.unit_amount)}
        return written | ({"filters": [entry.as_json() for entry in self.filters]} if self.filters else {})


@dataclass(frozen=True, slots=True)
class PackageParams(Modified):
    """A price for each begun block of units after the free ones."""

    package_amount: Decimal
    package_size: Decimal
    free_units: Decimal
    rounding_of_packages: str

    def as_json(self) -> dict[str, Any]:
        return {
            "package_amount": money.plain(self.package_amount),
            "package_size": money.plain(self.package_size),
            "free_units": money.plain(self.free_units),
            "rounding_of_packages": self.rounding_of_packages,
        }


def read_flat(fields: Fields) -> FlatParams:
    return FlatParams(amount=fields.price("amount"), billed=fields.choice("billed", options=BILLED))


def read_standard(fields: Fields) -> StandardParams:
    unit_amount = fields.price("unit_amount")
    if fields.take("filters") is None:
        return StandardParams(unit_amount)
    filters: tuple[FilterPrice, ...] = fields.items("filters", count_max=FILTERS_MAX, read=_read_filter)
    refuse_doubles(fields, "filters", [entry.match for entry in filters])
    return StandardParams(unit_amount, filters)


def read_package(fields: Fields) -> PackageParams:
    return PackageParams(
        package_amount=fields.price("package_amount"),
        package_size=fields.size("package_size"),
        free_units=fields.quantity("free_units", default=Decimal(0)),
        rounding_of_packages=fields.choice("rounding_of_packages", options=PACKAGE_ROUNDINGS),
    )


def read_match(fields: Fields, *, leave: tuple[str, ...] = ()) -> Match:
    """The properties that an entry compares: every field but those left; at least one."""
    match = []
    for name, value in fields.document.items():
        if name not in leave:
            fields.known.add(name)
            match.append((name, str(value)))
            if not isinstance(value, str):
                fields.report(name, "type", "A filter compares texts.")
    if not match:
        fields.report("", "required", "A filter needs a property to compare.")
    return tuple(sorted(match))


def refuse_doubles(fields: Fields, name: str, matches: list[Match]) -> None:
    """Two prices for the same properties: nobody could say which one counts."""
    for index, match in enumerate(matches):
        if match and match in matches[:index]:
            fields.report_at(f"{name}/{index}", "double", "An earlier entry compares the same properties.")


def _read_filter(fields: Fields) -> FilterPrice:
    unit_amount = fields.price("unit_amount")
    return FilterPrice(read_match(fields, leave=("unit_amount",)), unit_amount)
