"""How a charge reads a fee program from events: which program, and which property says what."""

from dataclasses import dataclass
from typing import Any

from accounts.rules import fields as account_fields
from invoicing.pricing.rules.fields import Fields

MODEL = "fee_program"
NAME_LENGTH_MAX = 40
PROPERTY_LENGTH_MAX = 100
PROGRAM_LENGTH_MAX = 60
FLAGS_MAX = 50
ROLES = ("amount", "account", "country", "status")


@dataclass(frozen=True, slots=True)
class Flag:
    """A surcharge applies where a property has this text."""

    surcharge: str
    property: str
    equals: str = "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeProgramParams:
    """A charge by a fee program; figures stand in the program's own versions, never here.

    A role without a property: no amount, no account, the home country, never failed.
    """

    program: str
    amount: str = ""
    account: str = ""
    country: str = ""
    status: str = ""
    home_country: str = ""
    flags: tuple[Flag, ...] = ()

    @property
    def properties(self) -> tuple[str, ...]:
        """Every property that is read, each once."""
        named = [getattr(self, role) for role in ROLES]
        return tuple(dict.fromkeys([name for name in named if name] + [flag.property for flag in self.flags]))

    def as_json(self) -> dict[str, Any]:
        roles = {role: getattr(self, role) for role in (*ROLES, "home_country") if getattr(self, role)}
        flags = [{"surcharge": one.surcharge, "property": one.property, "equals": one.equals} for one in self.flags]
        return {"program": self.program, **roles, **({"flags": flags} if flags else {})}


def read_fee_program(fields: Fields) -> FeeProgramParams:
    """Read the parameters of a charge by a fee program."""
    return FeeProgramParams(
        program=_text(fields, "program", length_max=PROGRAM_LENGTH_MAX),
        **{role: _text(fields, role, length_max=PROPERTY_LENGTH_MAX, default="") for role in ROLES},
        home_country=read_country(fields, "home_country"),
        flags=fields.items("flags", count_max=FLAGS_MAX, read=_read_flag) if fields.take("flags") else (),
    )


def read_country(fields: Fields, name: str) -> str:
    """A country, or empty where the field is absent."""
    value = fields.take(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not account_fields.is_country(value):
        fields.report(name, "country", "Needs a country of ISO 3166-1, such as CA, or nothing.")
        return ""
    return value


def _text(fields: Fields, name: str, *, length_max: int, default: str | None = None) -> str:
    value = fields.take(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or not 1 <= len(value) <= length_max or "\x00" in value:
        fields.report(name, "required" if value is None else "type", f"Needs a text of 1 to {length_max} characters.")
        return ""
    return value


def _read_flag(fields: Fields) -> Flag:
    return Flag(
        surcharge=_text(fields, "surcharge", length_max=NAME_LENGTH_MAX),
        property=_text(fields, "property", length_max=PROPERTY_LENGTH_MAX),
        equals=_text(fields, "equals", length_max=PROPERTY_LENGTH_MAX, default="true"),
    )
