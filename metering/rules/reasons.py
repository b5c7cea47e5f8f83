"""Why an event is held back: stable codes that a sending program may rely on."""

from collections.abc import Iterable
from dataclasses import dataclass

CODES = {
    "malformed_json": "The line is not JSON.",
    "not_an_object": "The event is not a JSON object.",
    "duplicate_key": "A name stands twice in one object, so nobody can say which value counts.",
    "nested_too_deep": "Objects and arrays are nested deeper than 64 levels.",
    "number_not_finite": "NaN and Infinity are not JSON.",
    "number_out_of_range": "A number has more than 40 digits, or more than 40 zeros.",
    "text_unusable": "A text holds a NUL character or half of a surrogate pair.",
    "too_large": "The event is larger than 256 KiB.",
    "specversion_unsupported": "`specversion` is not `1.0`.",
    "source_missing": "`source` is missing or empty.",
    "source_unusable": "`source` is not 1 to 200 printable ASCII characters without blanks at its ends.",
    "id_missing": "`id` is missing or empty.",
    "id_unusable": "`id` is not 1 to 65,536 printable ASCII characters without blanks at its ends.",
    "type_missing": "`type` is missing or empty.",
    "type_unknown": "No event contract has this `type`.",
    "contract_not_in_force": "The event contract has no version in force.",
    "subject_missing": "`subject` is missing or empty.",
    "customer_unknown": "No customer is named so by `subject`, or by the id `subjectid` in the system `subjectsystem`.",
    "customer_not_kept": "Nothing personal can be kept of the customer: it was erased, or was never given a key.",
    "time_missing": "`time` is missing, or is no text: it is an RFC 3339 instant, not a number of seconds.",
    "time_invalid": "`time` is not an RFC 3339 instant with an offset.",
    "time_too_old": "The event happened longer ago than its contract accepts.",
    "time_in_future": "The event happens later than its contract accepts.",
    "data_missing": "`data` is missing.",
    "data_not_object": "`data` is not a JSON object.",
    "attribute_invalid": "An extension attribute is not a plain value named in lower-case letters and digits.",
    "billing_field_missing": "A property that billing requires is missing.",
    "value_not_number": "A metered value is not a number, or not a plain decimal as text.",
    "value_out_of_range": "A metered value is beyond 1,000,000,000,000,000 in size.",
    "value_too_precise": "A metered value has more than 18 decimals.",
    "schema": "`data` breaks the JSON Schema of the contract; the code is `schema_` and the keyword that failed.",
    "row_ragged": "A row of an imported file has more or fewer cells than its header.",
    "correction_invalid": "`correction` is not `amend` or `cancel`, or `corrects` is not the id of another event.",
    "corrected_unknown": "No accepted event has this `source` and the id in `corrects`.",
    "corrected_other": "The event to correct belongs to another customer, or is of another type.",
    "corrected_before": "The event to correct was corrected before, or is a cancellation.",
    "corrected_put_away": "The event to correct was accepted, but lies in no table, file or store. "
    "Its month may have been on the move: release this one once more.",
    "conflict": "Another event with the same `source` and `id` was accepted before.",
}
REASONS_MAX = 20
DETAIL_LENGTH_MAX = 300


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong; `pointer` (RFC 6901) says where in the event."""

    code: str
    detail: str
    pointer: str = ""

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "detail": self.detail, "pointer": self.pointer}


def reason(code: str, detail: str = "", *, pointer: str = "") -> Reason:
    """Make a reason of bounded length, with the code's own sentence where no better one is given."""
    text = detail or CODES[code]
    return Reason(code, text if len(text) <= DETAIL_LENGTH_MAX else f"{text[: DETAIL_LENGTH_MAX - 1]}…", pointer)


def sentence_of(code: str) -> str:
    """Give a code's own sentence; what comes after `schema_` is the keyword that failed."""
    return CODES["schema" if code.startswith("schema_") else code]


def pointer_to(path: Iterable[str | int]) -> str:
    """Write a path as an RFC 6901 pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)[:DETAIL_LENGTH_MAX]
