"""Webhooks of any shape into the one envelope: each attribute is a fixed value or a JSON pointer into the body."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from metering.rules import exact_json
from metering.rules.adapters.times import assigned_time, seconds_text
from metering.rules.envelope import EVENT_BYTES_MAX
from metering.rules.reading import Delivery, Unreadable
from metering.rules.reasons import Reason

FIXED = "="
SOURCE_PREFIX = "webhook/"
KEPT = "webhook"  # beside the attributes of one that is held back
REQUIRED = ("type", "data")
ATTRIBUTES = ("type", "subject", "subjectsystem", "subjectid", "time")
PLACES_MAX = 100
PLACE_LENGTH_MAX = 300

Place = str  # `=text` or an RFC 6901 pointer


@dataclass(frozen=True, slots=True)
class WebhookMapping:
    """Where each attribute stands, and each property of `data`, or `data` as a whole."""

    attributes: Mapping[str, Place]
    data: Place | Mapping[str, Place]


def read_mapping(sent: Any) -> WebhookMapping:
    """Read `{"type": "=llm.tokens", "subject": "/account", "data": {"tokens": "/usage/total"}}`.

    ValueError with one clear sentence for anything else.
    """
    if not isinstance(sent, dict):
        raise ValueError("the mapping is not a JSON object")  # noqa: TRY004 - one error for every unusable mapping
    unknown = sorted(set(sent) - {*ATTRIBUTES, "data"})
    if unknown:
        raise ValueError(f"{unknown[0]!a} is none of {', '.join((*ATTRIBUTES, 'data'))}")
    missing = [name for name in REQUIRED if name not in sent]
    if missing:
        raise ValueError(f"{missing[0]!a} is missing")
    if "subject" not in sent and not {"subjectsystem", "subjectid"} <= set(sent):
        raise ValueError("the customer is missing: map subject, or subjectsystem and subjectid")
    attributes = {name: _read_place(sent[name], name) for name in ATTRIBUTES if name in sent}
    data = sent["data"]
    if not isinstance(data, dict):
        return WebhookMapping(attributes, _read_place(data, "data"))
    if len(data) > PLACES_MAX:
        raise ValueError(f"data has more than {PLACES_MAX} properties")
    return WebhookMapping(attributes, {name: _read_place(place, f"data.{name}") for name, place in data.items()})


def _read_place(place: Any, name: str) -> Place:
    is_place = isinstance(place, str) and len(place) <= PLACE_LENGTH_MAX
    if not is_place or (place and place[0] not in (FIXED, "/")):
        raise ValueError(f"{name} is neither a JSON pointer such as /usage/total nor a fixed value such as =llm.tokens")
    return str(place)


def event_of(body: Delivery, mapping: WebhookMapping, *, source: str, webhook_id: Any, sent_at: str) -> Delivery:
    """Make the envelope; `webhook_id` is its id, so that a webhook that is sent again is the same event.

    An event without a time of its own happened when it was sent: at `sent_at`, which a repeat gives anew.
    """
    known = {"specversion": "1.0", "source": source, "id": webhook_id}
    if isinstance(body, Unreadable):
        return Unreadable(body.raw, body.reasons, known)
    attributes = {name: _find(body, place) for name, place in mapping.attributes.items()}
    time = attributes.pop("time", None)
    happened = {"time": seconds_text(time)} if time is not None else assigned_time(sent_at)
    if isinstance(mapping.data, str):
        data = _find(body, mapping.data)
    else:
        data = {name: value for name, place in mapping.data.items() if (value := _find(body, place)) is not None}
    event = {**known, **attributes, **happened, "data": data}
    return {name: value for name, value in event.items() if value is not None}


def with_body(event: Delivery, body: Delivery, *, sent_at: str, reasons: tuple[Reason, ...]) -> Delivery:
    """Keep what was sent beside what the mapping made of it: a mapping that missed something can be put right."""
    if isinstance(event, Unreadable):
        return event
    try:
        raw = exact_json.write({**event, KEPT: {"sent_at": sent_at, "body": body}}).decode()
    except TypeError:  # a text or number that only Python can hold, which no mapping helps
        return event
    return Unreadable(raw, reasons, event) if len(raw) <= EVENT_BYTES_MAX else event


def body_of(held: Delivery) -> tuple[str, str, Any] | None:
    """Give the code of its source, when it was sent and its body; None for what was not held with its body."""
    if isinstance(held, Unreadable) or not isinstance(kept := held.get(KEPT), dict):
        return None
    source, sent_at, body = held.get("source"), kept.get("sent_at"), kept.get("body")
    if not (isinstance(source, str) and source.startswith(SOURCE_PREFIX) and isinstance(sent_at, str)):
        return None
    return (source.removeprefix(SOURCE_PREFIX), sent_at, body) if isinstance(body, dict) else None


def _find(body: Any, place: Place) -> Any:
    """The fixed value, or what the pointer points at; None for nothing."""
    if place.startswith(FIXED):
        return place[len(FIXED) :]
    value = body
    for step in place.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdecimal() and int(name[:9]) < len(value):
            value = value[int(name[:9])]
        else:
            return None
    return value
