"""The CloudEvents 1.0 envelope of one event: who sent it, which event it is, what it is about."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from metering.rules import exact_json, exact_reader
from metering.rules.identities import ID_LENGTH_MAX, STORED_LENGTH_MAX, stored_id
from metering.rules.instants import Instant, read_instant
from metering.rules.reasons import REASONS_MAX, Reason, pointer_to, reason

EVENT_BYTES_MAX = 256 * 1024
KNOWN = frozenset({"specversion", "id", "source", "type", "subject", "time", "data"})
_EXTENSION_NAME = re.compile(r"[a-z0-9]{1,60}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
OTHER_DATA = "data_base64"
AMEND = "amend"
CANCEL = "cancel"


class Correction(NamedTuple):
    """What a correcting event says: which event of its source, and whether its data stand instead or nothing does."""

    corrects: str
    action: str


def read_identity(event: dict[str, Any], name: str, flaws: list[Reason]) -> str:
    """Read `source` or `id`, the latter as it is stored.

    Printable ASCII only: look-alike letters, zero-width characters and other spellings of one text would be other
    identities to a computer and the same to a person.
    """
    text, length_max = event.get(name), ID_LENGTH_MAX if name == "id" else STORED_LENGTH_MAX
    if (
        type(text) is str
        and 0 < len(text) <= length_max
        and text.isascii()
        and text.isprintable()
        and text[0] != " "
        and text[-1] != " "
    ):
        return stored_id(text)
    flaws.append(reason(f"{name}_missing" if text in (None, "") else f"{name}_unusable", pointer=f"/{name}"))
    return ""


def read_name(event: dict[str, Any], name: str, flaws: list[Reason]) -> str:
    """Read `type` or `subject`; what they name is looked up, so any text will do here."""
    text = event.get(name)
    if type(text) is str and text:
        return text
    flaws.append(reason(f"{name}_missing", pointer=f"/{name}"))
    return ""


def read_time(event: dict[str, Any], flaws: list[Reason]) -> Instant | None:
    text = event.get("time")
    if type(text) is not str or not text:
        flaws.append(reason("time_missing", pointer="/time"))
        return None
    try:
        return read_instant(text)
    except ValueError as error:
        flaws.append(reason("time_invalid", f"{error}.", pointer="/time"))
        return None


def read_correction(event: dict[str, Any], flaws: list[Reason]) -> Correction | None:
    """Read the attributes `corrects` and `correction`; None for an event that corrects nothing."""
    corrects, action = event.get("corrects"), event.get("correction")
    if corrects is None and action is None:
        return None
    if action not in (AMEND, CANCEL):
        flaws.append(reason("correction_invalid", pointer="/correction"))
        return None
    if type(corrects) is not str or not 0 < len(corrects) <= ID_LENGTH_MAX or corrects == event.get("id"):
        flaws.append(reason("correction_invalid", pointer="/corrects"))
        return None
    return Correction(stored_id(corrects), action)


SUBJECT = "subject"  # the "system" whose ids are subjects that are no code of a customer


def read_subject(event: dict[str, Any], aliases: Mapping[tuple[str, str], str], flaws: list[Reason]) -> str:
    """Give the customer's code: `subject`, who was given it as a name, or who has the id that another system says.

    An id that nobody was given names nobody, also where some customer's code happens to read the same.
    """
    system, external = event.get("subjectsystem"), event.get("subjectid")
    if event.get("subject") is not None or type(system) is not str or type(external) is not str or not external:
        named = read_name(event, "subject", flaws)
        return aliases.get((SUBJECT, named), named)
    return aliases.get((system, external), "")


def name_of_customer(event: dict[str, Any]) -> tuple[str, str]:
    """Give the name that an event uses for its customer, as (system, id); an empty id for none that can be read."""
    system, external = event.get("subjectsystem"), event.get("subjectid")
    if event.get("subject") is None and type(system) is str and type(external) is str:
        return system, external
    subject = event.get("subject")
    return SUBJECT, subject if type(subject) is str else ""


def read_data(event: dict[str, Any], flaws: list[Reason]) -> Any:
    """Give `data` as it stands; an event without data, or with binary data, has no properties."""
    data, other = event.get("data"), event.get(OTHER_DATA)
    if other is not None and (data is not None or not _is_base64(other)):
        detail = f"`{OTHER_DATA}` is base64, and stands instead of `data`."
        flaws.append(reason("attribute_invalid", detail, pointer=f"/{OTHER_DATA}"))
    return {} if data is None else data


def find_data_flaw(event: dict[str, Any]) -> Reason | None:
    """Why an event has no properties although billing needs some; None where it has."""
    if type(event.get("data")) is dict:
        return None
    if event.get("data") is None and event.get(OTHER_DATA) is not None:
        detail = f"`{OTHER_DATA}` has no properties: send `data` as JSON, in binary mode as application/json."
        return reason("data_not_object", detail, pointer=f"/{OTHER_DATA}")
    return reason("data_missing" if event.get("data") is None else "data_not_object", pointer="/data")


def _is_base64(text: Any) -> bool:
    return type(text) is str and len(text) % 4 == 0 and _BASE64.fullmatch(text) is not None


def read_extras(event: dict[str, Any], instant: Instant | None, flaws: list[Reason]) -> dict[str, Any]:
    """Keep what no column holds: other attributes, `time` and `id` as sent where they say more than their columns."""
    extras: dict[str, Any] = {} if instant is None or instant.is_exact else {"time": event["time"]}
    if type(sent := event.get("id")) is str and STORED_LENGTH_MAX < len(sent) <= ID_LENGTH_MAX:
        extras["id"] = sent
    if len(event) == len(KNOWN) and not flaws:  # every known attribute was found, so there is no other
        return extras
    for name, value in event.items():
        if name in KNOWN or value is None or (name == "datacontenttype" and value == "application/json"):
            continue
        extras[name] = stored_id(value) if name == "corrects" and type(value) is str else value
        if isinstance(value, (dict, list)) or not (_EXTENSION_NAME.fullmatch(name) or name == OTHER_DATA):
            _note_attribute(name, flaws)
    return extras


def _note_attribute(name: str, flaws: list[Reason]) -> None:
    if len(flaws) < REASONS_MAX:
        detail = f"The attribute {name[:60]!a} is not a plain value named in lower-case letters and digits."
        flaws.append(reason("attribute_invalid", detail, pointer=pointer_to([name])))


def write_part(value: Any, flaws: list[Reason], *, pointer: str) -> bytes:
    """Write `data` or the extras as they will be stored; note what PostgreSQL could not store."""
    try:
        written = exact_json.write(value)
    except TypeError:
        flaws.append(_why_unwritable(value, pointer))
        return b""
    if len(written) > EVENT_BYTES_MAX:
        flaws.append(reason("too_large", pointer=pointer))
    elif b"\\u0000" in written and not exact_reader.is_usable_text(value):
        flaws.append(reason("text_unusable", pointer=pointer))
    return written


def _why_unwritable(value: Any, pointer: str) -> Reason:
    if exact_reader.depth_of(value) > exact_reader.DEPTH_MAX:
        return reason("nested_too_deep", pointer=pointer)
    is_text = not exact_reader.is_usable_text(value)
    return reason("text_unusable" if is_text else "number_out_of_range", pointer=pointer)
