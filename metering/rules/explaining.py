"""What a held event would have to say instead: in words for every reason, and the part of the schema that speaks."""

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from metering.rules.reasons import CODES

NAMES_SHOWN = 10
ACCEPTED = {
    "malformed_json": "One whole JSON object per line.",
    "not_an_object": "A JSON object in the envelope of CloudEvents.",
    "duplicate_key": "Every name once in its object.",
    "nested_too_deep": "At most 64 levels.",
    "number_not_finite": "Plain JSON numbers.",
    "number_out_of_range": "Numbers of at most 40 digits.",
    "text_unusable": "Text without NUL, in whole characters.",
    "too_large": "At most 256 KiB per event.",
    "specversion_unsupported": "`1.0`.",
    "source_missing": "Who sends the event, such as `api/eu-1`.",
    "source_unusable": "1 to 200 printable ASCII characters without blanks at the ends.",
    "id_missing": "An id that no other event of this source has.",
    "id_unusable": "1 to 65,536 printable ASCII characters without blanks at the ends.",
    "type_missing": "The name of an event contract.",
    "subject_missing": "The code of a customer.",
    "customer_unknown": "The code of a customer, or a name that a person has assigned to one.",
    "time_missing": "When it happened, with an offset: `2026-11-20T10:00:00Z`.",
    "time_invalid": "An RFC 3339 instant with an offset: `2026-11-20T10:00:00Z`.",
    "data_missing": "An object with the properties of the contract.",
    "data_not_object": "An object with the properties of the contract.",
    "attribute_invalid": "Attributes named in lower-case letters and digits, each a text, a whole number or a boolean.",
    "value_not_number": "A JSON number, or a text that is a plain decimal such as `12.5`.",
    "value_out_of_range": "A number from −1,000,000,000,000,000 to 1,000,000,000,000,000.",
    "value_too_precise": "At most 18 decimals.",
    "row_ragged": "As many cells as the header has.",
    "conflict": "The very event that was accepted before (a repeat is no error), or another id.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractShown:
    """The version in force as far as it explains a refusal."""

    version: int
    schema: dict[str, Any]
    billing_fields: Sequence[str]
    accepts_past_days: int
    accepts_future_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A reason beside the rule it broke and what would be accepted; `fragment` is a part of the schema."""

    code: str
    detail: str
    pointer: str
    rule: str
    accepted: str
    fragment: Any = None


def explain(
    reason: dict[str, str], *, contract: ContractShown | None, event_type: str, known_types: Collection[str]
) -> Explanation:
    """Put a reason beside what would be accepted in its place."""
    code, pointer = reason["code"], reason.get("pointer", "")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[2:]]
    is_of_data = pointer == "/data" or pointer.startswith("/data/")
    fragment = find_fragment(contract.schema, steps) if contract is not None and is_of_data else None
    return Explanation(
        code=code,
        detail=reason.get("detail", ""),
        pointer=pointer,
        rule=CODES.get(code, CODES["schema"] if code.startswith("schema_") else "A rule of an earlier version."),
        accepted=_accepted(code, steps, contract, event_type, known_types),
        fragment=fragment,
    )


def _accepted(
    code: str, steps: Sequence[str], contract: ContractShown | None, event_type: str, known_types: Collection[str]
) -> str:
    if code in ("type_unknown", "contract_not_in_force"):
        return _types(code, event_type, known_types)
    if contract is not None and code in ("time_too_old", "time_in_future"):
        ahead = timedelta(seconds=contract.accepts_future_seconds)
        return f"Up to {contract.accepts_past_days} days before the delivery, and up to {ahead} after it."
    if contract is not None and code == "billing_field_missing":
        name = steps[0] if steps else "?"
        return f"Every event has {name}; billing needs {', '.join(contract.billing_fields)}."
    return ACCEPTED.get(code, "What the schema beside it says.")


def _types(code: str, event_type: str, known_types: Collection[str]) -> str:
    if code == "contract_not_in_force":
        return f"Nothing of type {event_type}, until a version of its contract is in force."
    near = difflib.get_close_matches(event_type, known_types, n=3, cutoff=0.6)
    if near:
        return f"A type that has a contract; near to this one: {', '.join(near)}."
    shown = sorted(known_types)[:NAMES_SHOWN]
    return f"A type that has a contract: {', '.join(shown) or 'there is none yet'}."


def find_fragment(schema: Any, steps: Sequence[str]) -> Any:
    """Give the part of a schema that speaks of this place in `data`; the nearest part around it where none does."""
    found = schema
    for step in steps:
        inner = _inside(found, step)
        if inner is None:
            break
        found = inner
    return found


def _inside(schema: Any, step: str) -> Any:
    if not isinstance(schema, dict):
        return None
    properties = schema.get("properties")
    if isinstance(properties, dict) and step in properties:
        return properties[step]
    return schema.get("items") if step.isdecimal() else None
