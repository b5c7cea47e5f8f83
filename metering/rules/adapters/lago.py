"""Lago's events (`{"event": {...}}`, `{"events": [...]}`) into the one envelope, and our reasons in Lago's words."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeGuard

from metering.rules.adapters.times import assigned_time, seconds_text
from metering.rules.instants import instant_text
from metering.rules.reasons import Reason

SYSTEM = "lago"
EVENTS_MAX = 100
TAKEN = "value_is_missing_or_already_exists"
_FIELDS = {"id": "transaction_id", "source": "external_subscription_id", "subject": "external_subscription_id"}
_FIELDS |= {"type": "code", "time": "timestamp", "data": "properties"}
_CODES = {
    "id_missing": TAKEN,
    "id_unusable": TAKEN,
    "conflict": TAKEN,
    "subject_missing": "value_is_mandatory",
    "source_missing": "value_is_mandatory",
    "type_missing": "value_is_mandatory",
    "customer_unknown": "subscription_not_found",
    "type_unknown": "billable_metric_not_found",
    "contract_not_in_force": "billable_metric_not_found",
    "value_not_number": "value_is_not_valid_number",
    "time_invalid": "invalid_format",
}


def is_event(body: Any) -> TypeGuard[dict[str, Any]]:
    """Whether the body is one event in Lago's form, and none in ours."""
    return isinstance(body, dict) and isinstance(body.get("event"), dict) and "specversion" not in body


def event_of(sent: Any, *, at: datetime) -> Any:
    """Make the envelope. A transaction is known by its subscription and its id, as at Lago."""
    if not isinstance(sent, dict):
        return sent
    subscription, timestamp = sent.get("external_subscription_id"), sent.get("timestamp")
    properties = sent.get("properties")
    data = dict(properties) if isinstance(properties, dict) else {} if properties is None else properties
    if sent.get("precise_total_amount_cents") is not None and isinstance(data, dict):
        data["precise_total_amount_cents"] = sent["precise_total_amount_cents"]
    event = {
        "specversion": "1.0",
        "source": f"{SYSTEM}/{subscription}" if isinstance(subscription, str) and subscription else subscription,
        "id": sent.get("transaction_id"),
        "type": sent.get("code"),
        "subjectsystem": None if subscription is None else SYSTEM,
        "subjectid": subscription,
        **(assigned_time(instant_text(at)) if timestamp is None else {"time": seconds_text(timestamp)}),
        "data": data,
    }
    return {name: value for name, value in event.items() if value is not None}


def error_details(reasons: Iterable[Reason]) -> dict[str, list[str]]:
    """Say our reasons by Lago's fields and codes."""
    details: dict[str, list[str]] = {}
    for found in reasons:
        field = _FIELDS.get(found.pointer.strip("/").partition("/")[0], "event")
        codes = details.setdefault(field, [])
        code = _CODES.get(found.code, found.code)
        if code not in codes:
            codes.append(code)
    return details


def shown(sent: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """The event as Lago answers it."""
    names = ("transaction_id", "code", "properties", "external_subscription_id", "precise_total_amount_cents")
    timestamp = sent.get("timestamp")
    known = {name: sent.get(name) for name in names}
    happened = instant_text(at) if timestamp is None else seconds_text(timestamp)
    return {"lago_id": None, **known, "timestamp": happened, "created_at": instant_text(at)}
