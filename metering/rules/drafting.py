"""Whether a version of an event contract can be used, and whether its examples prove what it says."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from metering.rules import personal
from metering.rules.contract import DataRules, check_data
from metering.rules.reasons import REASONS_MAX, Reason, pointer_to, reason
from metering.rules.schema import Schema

EXAMPLES_MAX = 100
PAST_DAYS_MAX = 36_525
FUTURE_SECONDS_MAX = 31_622_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractDraft:
    """The content of one version, as it was written by a person."""

    schema: dict[str, Any]
    billing_fields: list[str]
    context_fields: list[str] = field(default_factory=list)
    valid_examples: list[Any] = field(default_factory=list)
    invalid_examples: list[Any] = field(default_factory=list)
    accepts_past_days: int = 1826
    accepts_future_seconds: int = 300


CONTENT = tuple(part.name for part in fields(ContractDraft))


def find_unusable(draft: ContractDraft) -> list[Reason]:
    """Give every reason why this could never be put in force, whatever its examples say."""
    flaws = [
        *_find_schema_flaws(draft),
        *_find_window_flaws(draft),
        *_find_unknown_fields(draft, "billing_fields"),
        *_find_unknown_fields(draft, "context_fields"),
        *(personal.find_flaws(draft.schema, billing_fields=draft.billing_fields) if _is_object(draft.schema) else ()),
    ]
    return flaws[:REASONS_MAX]


def _is_object(schema: Any) -> bool:
    return isinstance(schema, dict)


def _find_schema_flaws(draft: ContractDraft) -> Iterator[Reason]:
    try:
        Schema(draft.schema)
    except ValueError as error:
        yield reason("schema_unusable", f"{error}.", pointer="/schema")
    for name in ("valid_examples", "invalid_examples"):
        if len(getattr(draft, name)) > EXAMPLES_MAX:
            yield reason("too_many", f"Give at most {EXAMPLES_MAX} examples.", pointer=f"/{name}")


def _find_window_flaws(draft: ContractDraft) -> Iterator[Reason]:
    for name, most in (("accepts_past_days", PAST_DAYS_MAX), ("accepts_future_seconds", FUTURE_SECONDS_MAX)):
        if not 0 <= getattr(draft, name) <= most:
            yield reason("out_of_range", f"Must lie between 0 and {most}.", pointer=f"/{name}")


def _find_unknown_fields(draft: ContractDraft, name: str) -> Iterator[Reason]:
    properties = draft.schema.get("properties") if isinstance(draft.schema, dict) else None
    declared = properties if isinstance(properties, dict) else {}
    for index, wanted in enumerate(getattr(draft, name)):
        if wanted not in declared:
            detail = f"{wanted!a} is not among the properties that the schema declares."
            yield reason("not_declared", detail, pointer=pointer_to([name, index]))


class MeterReads(NamedTuple):
    """What a meter of these events reads: values that billing must require, and properties that must be declared."""

    meter: str
    required: Sequence[str]
    declared: Sequence[str]


def find_lost_values(draft: ContractDraft, meters: Sequence[MeterReads]) -> Iterator[Reason]:
    """Say which meters would find no value, and which would filter by or group by what no event declares."""
    properties = {*draft.billing_fields, *draft.context_fields, *draft.schema.get("properties", {})}
    for meter in meters:
        for name in meter.required:
            if name not in draft.billing_fields:
                detail = f"The meter {meter.meter} reads {name!a}, so billing_fields must name it."
                yield reason("meter_without_value", detail, pointer="/billing_fields")
        for name in meter.declared:
            if name not in properties:
                detail = f"The meter {meter.meter} filters or groups by {name!a}, so the schema must declare it."
                yield reason("meter_without_property", detail, pointer="/schema/properties")
        for name in sorted({*meter.required, *meter.declared} & set(personal.marked(draft.schema))):
            detail = f"The meter {meter.meter} reads {name!a}, which nobody can read once it is sealed."
            yield reason("meter_reads_personal", detail, pointer="/schema/properties")


def find_failing_examples(draft: ContractDraft, *, numbers: Collection[str]) -> Iterator[Reason]:
    """Check every example as capture would check its `data`; there must be some that pass and some that fail."""
    rules = DataRules(
        required=tuple(draft.billing_fields),
        numbers=tuple(sorted(set(numbers) & set(draft.billing_fields))),
        schema=Schema(draft.schema),
    )
    for name in ("valid_examples", "invalid_examples"):
        if not getattr(draft, name):
            yield reason(
                "example_missing", "Give at least one; a contract without examples is not proved.", pointer=f"/{name}"
            )
    for index, example in enumerate(draft.valid_examples):
        if flaws := find_data_flaws(example, rules):
            detail = f"This example should pass: {flaws[0].detail}"
            yield reason("valid_example_fails", detail, pointer=f"/valid_examples/{index}{flaws[0].pointer}")
    for index, example in enumerate(draft.invalid_examples):
        yield from _find_unstated(example, rules, pointer=f"/invalid_examples/{index}")


def _find_unstated(example: Any, rules: DataRules, *, pointer: str) -> Iterator[Reason]:
    """Say what is wrong with an invalid example: it must fail, and for the reason that stands with it."""
    stated = read_stated(example)
    flaws = find_data_flaws(stated.data, rules)
    if not flaws:
        detail = "This example should fail, but nothing in the contract refuses it."
        yield reason("invalid_example_passes", detail, pointer=pointer)
    elif not stated.code:
        detail = f'State why it fails: {{"data": …, "code": "{flaws[0].code}", "pointer": "{flaws[0].pointer}"}}.'
        yield reason("reason_not_stated", detail, pointer=pointer)
    elif (stated.code, stated.pointer) not in {(flaw.code, flaw.pointer) for flaw in flaws}:
        found = " and ".join(f"{flaw.code} at {flaw.pointer}" for flaw in flaws)
        detail = f"This example should fail with {stated.code} at {stated.pointer}, but it does with {found}."
        yield reason("invalid_example_fails_otherwise", detail, pointer=pointer)


class Stated(NamedTuple):
    """An invalid example: the `data` of an event, and the reason for which capture refuses it."""

    data: Any
    code: str = ""
    pointer: str = ""


def read_stated(example: Any) -> Stated:
    """Read `{"data", "code", "pointer"}`; anything else is data without a stated reason."""
    if isinstance(example, dict) and example.keys() == {"data", "code", "pointer"}:
        return Stated(example["data"], str(example["code"]), str(example["pointer"]))
    return Stated(example)


def find_data_flaws(example: Any, rules: DataRules) -> list[Reason]:
    """Give what capture would say about an event with this `data`."""
    if not isinstance(example, dict):
        return [reason("data_not_object", pointer="/data")]
    flaws: list[Reason] = []
    check_data(example, rules, flaws)
    return flaws
