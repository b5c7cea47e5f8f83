"""Stripe's meter events (docs.stripe.com/api/billing/meter-event, and v2/billing/meter-event) into the one envelope."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from core.errors import DomainError
from metering.rules.adapters.times import assigned_time
from metering.rules.instants import instant_text, read_instant
from metering.rules.reasons import Reason

SYSTEM = "stripe"
CUSTOMER = "stripe_customer_id"  # Stripe's default key of the customer in the payload
FORM = "application/x-www-form-urlencoded"
IDENTIFIER_LENGTH_MAX = 100
IDEMPOTENCY_KEY_LENGTH_MAX = 255
EVENTS_MAX = 100
FIELDS_MAX = 100
NAME_LENGTH_MAX = 100
# Stripe's own bounds (docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api); what a contract accepts
# bounds it further.
PAST_MAX = timedelta(days=35)
FUTURE_MAX = timedelta(minutes=5)
_SECONDS = re.compile(r"[0-9]{1,11}")
_NESTED = re.compile(r"([a-z_]{1,40})\[([^\[\]]{1,200})\]")
_KNOWN = {"event_name", "identifier", "payload", "timestamp", "expand"}
_ATTRIBUTE = re.compile(r"`(id|type|time|subject|data)`")
# What the envelope's attributes are called in Stripe's form.
PARAMS = {"id": "identifier", "type": "event_name", "time": "timestamp", "subject": f"payload[{CUSTOMER}]"}

Params = dict[str, Any]


class StripeRequestError(DomainError):
    """A request that Stripe would refuse; `code` and `param` as Stripe names them."""

    http_status = 400

    def __init__(self, message: str, *, code: str, param: str = "", http_status: int = 400) -> None:
        super().__init__(message)
        self.code, self.param, self.http_status = code, param, http_status


def read_form(body: bytes) -> Params:
    """Read a form as Stripe's clients write it: `payload[value]=25`."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict", encoding="utf-8"
        )
    except ValueError as error:
        raise StripeRequestError(
            f"The body is not a form in UTF-8 of at most {FIELDS_MAX} fields.", code="form_invalid"
        ) from error
    params: Params = {}
    for name, value in pairs:
        nested = _NESTED.fullmatch(name)
        inner = params.setdefault(nested[1], {}) if nested else params
        key = nested[2] if nested else name
        if not isinstance(inner, dict) or (key in inner and nested is None):
            raise StripeRequestError(f"Invalid form: {name[:100]} stands twice.", code="form_invalid", param=name[:100])
        if key in inner:
            raise StripeRequestError(f"{name[:100]} stands twice.", code="form_invalid", param=name[:100])
        inner[key] = value
    return params


def check_params(params: Mapping[str, Any], *, at: datetime) -> None:
    """Refuse what Stripe refuses at once; whether name, customer and value can be billed is capture's to say."""
    unknown = next((name for name in params if name not in _KNOWN), None)
    if unknown is not None:
        raise StripeRequestError(
            f"Received unknown parameter: {unknown[:100]}", code="parameter_unknown", param=unknown[:100]
        )
    name, payload, identifier = params.get("event_name"), params.get("payload"), params.get("identifier")
    if not name or not isinstance(name, str) or len(name) > NAME_LENGTH_MAX:
        raise _missing("event_name", given=name)
    if not payload or not isinstance(payload, dict):
        raise _missing("payload", given=payload)
    wrong = next((key for key, value in payload.items() if not isinstance(value, str)), None)
    if wrong is not None:
        raise StripeRequestError(
            "Every value of payload is a string.", code="parameter_invalid_string", param=f"payload[{wrong[:100]}]"
        )
    if identifier is not None and (not isinstance(identifier, str) or not 0 < len(identifier) <= IDENTIFIER_LENGTH_MAX):
        raise StripeRequestError(
            f"identifier has 1 to {IDENTIFIER_LENGTH_MAX} characters.",
            code="parameter_invalid_string",
            param="identifier",
        )
    _check_time(params.get("timestamp"), at=at)


def _missing(name: str, *, given: Any) -> StripeRequestError:
    if given is None or given == "":
        return StripeRequestError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return StripeRequestError(f"Invalid {name}.", code="parameter_invalid", param=name)


def _check_time(timestamp: Any, *, at: datetime) -> None:
    if timestamp is None:
        return
    instant = read_timestamp(timestamp)
    if instant is None:
        raise StripeRequestError(
            "timestamp is neither whole seconds since 1970 nor an RFC 3339 instant.",
            code="parameter_invalid_integer",
            param="timestamp",
        )
    if instant < at - PAST_MAX:
        raise StripeRequestError(
            "The timestamp is more than 35 days in the past.", code="timestamp_too_far_in_past", param="timestamp"
        )
    if instant > at + FUTURE_MAX:
        raise StripeRequestError(
            "The timestamp is more than 5 minutes in the future.", code="timestamp_in_future", param="timestamp"
        )


def read_timestamp(value: Any) -> datetime | None:
    """Whole seconds (v1) or RFC 3339 (v2); None for anything else."""
    if isinstance(value, int | str) and not isinstance(value, bool) and _SECONDS.fullmatch(str(value)):
        return datetime.fromtimestamp(int(value), UTC)
    try:
        return read_instant(value).at if isinstance(value, str) else None
    except ValueError:
        return None


def identifier_of_call(key: str) -> str:
    """Name an event that brings no identifier by the Idempotency-Key of its call, so that a retry is the same event.

    A key may be longer than an identifier, and of other letters: then its SHA-256 stands for it.
    """
    if len(key) > IDEMPOTENCY_KEY_LENGTH_MAX:
        raise StripeRequestError(
            f"An Idempotency-Key has at most {IDEMPOTENCY_KEY_LENGTH_MAX} characters.", code="idempotency_key_too_long"
        )
    is_plain = key.isascii() and key.isprintable() and len(key) <= IDENTIFIER_LENGTH_MAX
    return key if is_plain else hashlib.sha256(key.encode()).hexdigest()


def in_its_words(found: Reason) -> str:
    """Say a reason with the names that Stripe's form has for things."""
    if found.code == "subject_missing":
        return f"Missing required param: payload[{CUSTOMER}], whatever else customer_mapping names at Stripe."
    return _ATTRIBUTE.sub(lambda name: PARAMS.get(name[1], "payload"), found.detail)


def event_of(params: Mapping[str, Any], *, spare_id: str, at: datetime) -> dict[str, Any]:
    """Make the envelope; `spare_id` names an event that brings no identifier, so that a retry can be told."""
    given = params.get("payload")
    payload = dict(given) if isinstance(given, dict) else {}
    customer = payload.pop(CUSTOMER, None)
    timestamp = params.get("timestamp")
    instant = read_timestamp(timestamp)
    happened = {"time": timestamp if instant is None else instant_text(instant)}
    event = {
        "specversion": "1.0",
        "source": SYSTEM,
        "id": spare_id if params.get("identifier") is None else params["identifier"],
        "type": params.get("event_name"),
        "subjectsystem": None if customer is None else SYSTEM,
        "subjectid": customer,
        **(assigned_time(instant_text(at)) if timestamp is None else happened),
        "data": payload,
    }
    return {name: value for name, value in event.items() if value is not None}


def read_cancelled(params: Mapping[str, Any]) -> str:
    """The identifier that an adjustment takes back."""
    if params.get("type") != "cancel":
        raise StripeRequestError("type is cancel.", code="parameter_invalid", param="type")
    if not isinstance(params.get("event_name"), str) or not params["event_name"]:
        raise _missing("event_name", given=params.get("event_name"))
    cancel = params.get("cancel")
    identifier = cancel.get("identifier") if isinstance(cancel, dict) else None
    if not isinstance(identifier, str) or not 0 < len(identifier) <= IDENTIFIER_LENGTH_MAX:
        raise StripeRequestError(
            "Missing required param: cancel[identifier].", code="parameter_missing", param="cancel[identifier]"
        )
    return identifier


def cancellation_of(target: Mapping[str, str], *, at: datetime) -> dict[str, Any]:
    """An adjustment of type cancel: `target` is the accepted event, as id, type and subject."""
    return {
        "specversion": "1.0",
        "source": SYSTEM,
        "id": f"cancel:{target['id']}"[:200],
        "type": target["type"],
        "subject": target["subject"],
        "corrects": target["id"],
        "correction": "cancel",
        **assigned_time(instant_text(at)),
    }
