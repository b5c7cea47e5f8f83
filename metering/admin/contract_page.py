"""The page of an event contract for engineers: what to send, examples, a command to paste, and a box to try one."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import Customer
from core.errors import DomainError
from metering import contracts, trying
from metering.models import EventContract, EventContractVersion
from metering.rules import drafting, exact_json, reading
from metering.rules.instants import instant_text
from metering.rules.reading import NotABatchError
from metering.trying import Trial

EVENT_LENGTH_MAX = 256 * 1024
LIFE = {"active": 0, "draft": 1, "retired": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A property of `data`: its type, what it means, and who needs it."""

    name: str
    type: str
    meaning: str
    need: str
    meters: str


def show_page(request: HttpRequest, object_id: int) -> HttpResponse:
    """Every member of staff may read it, and try an event by POST."""
    if not roles.has_role(request.user, roles.STAFF):
        return HttpResponse("Your role does not allow this.", status=403, content_type="text/plain")
    contract = EventContract.objects.select_related("owner").filter(pk=object_id).first()
    if contract is None:
        raise Http404
    version = _shown_version(contract)
    now = timezone.now()
    event = _example_event(contract, version, at=now)
    sent = request.POST.get("event", "") if request.method == "POST" else ""
    context = {
        **admin.site.each_context(request),
        "title": f"Sending {contract.event_type}",
        "contract": contract,
        "version": version,
        "fields": _fields(contract, version),
        "valid": [exact_json.write_indented(one) for one in (version.valid_examples if version else ())],
        "invalid": [_invalid(one) for one in (version.invalid_examples if version else ())],
        "command": _command(request.build_absolute_uri("/api/v1/events"), event),
        "event": sent or event,
        "edit_url": reverse("admin:metering_eventcontract_change", args=[contract.pk]),
        **(_try(contract, sent, at=now) if sent else {}),
    }
    return TemplateResponse(request, "metering/contract_page.html", context)


def _shown_version(contract: EventContract) -> EventContractVersion | None:
    """Give the version in force, or else the newest."""
    versions = sorted(contract.versions.all(), key=lambda one: (LIFE[one.status], -one.version))
    return versions[0] if versions else None


def _fields(contract: EventContract, version: EventContractVersion | None) -> list[Field]:
    if version is None:
        return []
    readers = contracts.readers_of(contract, at=timezone.now())
    required = version.schema.get("required", [])
    properties = version.schema.get("properties", {})
    order = [*version.billing_fields, *version.context_fields, *properties]
    return [
        _field(name, properties.get(name), version=version, required=required, readers=readers)
        for name in dict.fromkeys(order)
    ]


def _field(
    name: str, schema: Any, *, version: EventContractVersion, required: list[str], readers: dict[str, list[str]]
) -> Field:
    said = schema if isinstance(schema, dict) else {}
    need = "optional"
    if name in version.billing_fields:
        need = "billing needs it"
    elif name in required:
        need = "the schema needs it"
    elif name in version.context_fields:
        need = "optional, for attribution"
    return Field(
        name=name,
        type=_type(said),
        meaning=said.get("description") or said.get("title") or "",
        need=need,
        meters=", ".join(readers.get(name, ())),
    )


def _type(schema: dict[str, Any]) -> str:
    """Say the type with its limits, as an engineer reads it."""
    if "enum" in schema:
        return "one of " + ", ".join(json.dumps(one, default=str) for one in schema["enum"])
    types = schema.get("type", "any")
    text = " or ".join(types) if isinstance(types, list) else str(types)
    limits = ("minimum", "maximum", "minLength", "maxLength", "pattern", "format")
    said = [f"{name} {schema[name]}" for name in limits if name in schema]
    return ", ".join([text, *said])


def _invalid(example: Any) -> dict[str, str]:
    stated = drafting.read_stated(example)
    return {"data": exact_json.write_indented(stated.data), "code": stated.code, "pointer": stated.pointer}


def _example_event(contract: EventContract, version: EventContractVersion | None, *, at: datetime) -> str:
    customer = Customer.objects.order_by("code").values_list("code", flat=True).first()
    event = {
        "specversion": "1.0",
        "id": f"try-{at:%Y%m%d%H%M%S}",
        "source": "your-service",
        "type": contract.event_type,
        "subject": customer or "customer-code",
        "time": instant_text(at.replace(microsecond=0)),
        "data": version.valid_examples[0] if version and version.valid_examples else {},
    }
    return exact_json.write_indented(event)


def _command(url: str, event: str) -> str:
    """A heredoc, in which the shell changes nothing; the key comes from the environment."""
    return (
        f"curl -sS -X POST {url} \\\n"
        '  -H "Authorization: Bearer $BILLING_OPS_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  --data-binary @- <<'EVENT'\n{event}\nEVENT"
    )


def _try(contract: EventContract, sent: str, *, at: datetime) -> dict[str, Any]:
    try:
        return {"trial": _trial(contract, sent, at=at)}
    except (DomainError, NotABatchError) as error:
        return {"trouble": str(error)}


def _trial(contract: EventContract, sent: str, *, at: datetime) -> Trial:
    deliveries = reading.read_document(sent[:EVENT_LENGTH_MAX].encode(errors="replace"))
    if len(deliveries) != 1:
        raise NotABatchError("Try one event at a time.")
    return trying.try_event(contract=contract, delivery=deliveries[0], at=at)
