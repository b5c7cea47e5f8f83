"""Customers, contracts, meters and events for the tests of metering, made through the stages themselves."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User

from accounts import keys
from accounts.models import Customer
from metering import contracts, ingest, meters
from metering.ingest import CaptureResult
from metering.models import EventContract, EventContractVersion, Meter
from metering.rules.drafting import ContractDraft
from metering.rules.reading import Delivery

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EVENT_TYPE = "llm.tokens"
SCHEMA = {
    "type": "object",
    "properties": {
        "input_tokens": {"type": "number", "minimum": 0},
        "output_tokens": {"type": ["number", "string"]},
        "model": {"type": "string", "maxLength": 20},
        "region": {"type": "string"},
    },
    "required": ["input_tokens"],
}


NOT_DATA = {"data": [], "code": "data_not_object", "pointer": "/data"}


def person(name: str, *roles: str) -> User:
    """Staff with these roles."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    user.groups.set([Group.objects.get_or_create(name=role)[0] for role in roles])
    return user


def api_key(name: str = "enza", *roles: str, scopes: Sequence[str] = ("events:write", "read", "write")) -> str:
    """The text of a key that acts as this person; without roles named, an engineer."""
    user = person(name, *(roles or ("engineering",)))
    return keys.new_key(name="test", user=user, scopes=list(scopes), at=NOON)[1]


def customer(code: str = "acme") -> Customer:
    found, _ = Customer.objects.get_or_create(code=code, defaults={"legal_name": code.title(), "currency": "EUR"})
    return found


def contract(
    event_type: str = EVENT_TYPE,
    *,
    schema: dict[str, Any] | None = None,
    billing_fields: Sequence[str] = ("input_tokens", "output_tokens"),
    past_days: int = 3650,
) -> EventContractVersion:
    """A contract with one version in force."""
    owner = person("enza", "engineering")
    opened, _ = EventContract.objects.get_or_create(
        event_type=event_type, defaults={"description": "Tokens used.", "owner": owner}
    )
    draft = ContractDraft(
        schema=schema or SCHEMA,
        billing_fields=list(billing_fields),
        valid_examples=[dict.fromkeys(billing_fields, 1)],
        invalid_examples=[NOT_DATA],
        accepts_past_days=past_days,
    )
    version = contracts.draft_version(contract=opened, draft=draft, actor=owner, at=NOON)
    return contracts.activate_version(version_id=version.pk, actor=owner, at=NOON)


def meter(
    code: str = "input-tokens",
    *,
    value_property: str = "input_tokens",
    aggregation: str = "sum",
    event_type: str = EVENT_TYPE,
    **measure: Any,
) -> Meter:
    return meters.create_meter(
        code=code,
        name=code,
        definition="Tokens read by a model.",
        exclusions="",
        unit="token",
        contract=EventContract.objects.get(event_type=event_type),
        aggregation=aggregation,
        value_property=value_property,
        **measure,
        owner=person("enza", "engineering"),
    )


def house() -> None:
    """One customer, one contract in force, one meter."""
    customer()
    contract()
    meter()


def event(event_id: str = "1", **changes: Any) -> dict[str, Any]:
    """An event that is accepted as it stands; a change to None leaves the attribute out."""
    whole = {
        "specversion": "1.0",
        "id": event_id,
        "source": "api/eu",
        "type": EVENT_TYPE,
        "subject": "acme",
        "time": "2026-03-02T11:00:00Z",
        "data": {"input_tokens": 3, "output_tokens": 5},
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def capture(*deliveries: Delivery, at: datetime = NOON, channel: str = "http") -> CaptureResult:
    return ingest.capture_events(deliveries, channel=channel, origin="test", at=at)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
