"""The walk of one line as a page of the back office, to be read by the customer's accountant."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts import roles
from compliance.evidence import events, parts, trace
from compliance.evidence.events import EventPage
from compliance.evidence.parts import PartPage
from compliance.evidence.trace import Trace
from core import money
from core.errors import NotFoundError
from invoicing.rating.models import RatedLine
from invoicing.rating.rules.proration import Share
from invoicing.rating.rules.usage import Part
from metering.models import AggregationSnapshot
from metering.queries import CorrectedRow
from metering.rules import exact_json
from metering.rules.envelope import AMEND

PAGE_SIZE = 25
ID_DIGITS_MAX = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of the computation, as printed."""

    label: str
    quantity: str
    unit_price: str
    flat_fee: str
    amount: str


def trace_page(request: HttpRequest, line_id: int) -> HttpResponse:
    """Asks for `?event=` (an event id), `?after=` or `?parts_after=` (the next page); all staff may read it."""
    if not roles.has_role(request.user, roles.STAFF):
        return HttpResponse("Your role does not allow this.", status=403, content_type="text/plain")
    try:
        walked = trace.trace_line(line_id=line_id)
    except NotFoundError as error:
        raise Http404 from error
    wanted = request.GET.get("event", "").replace("\x00", "")[:200].strip()
    page = _events(walked.snapshot, wanted=wanted, after=_number(request.GET.get("after", "")))
    corrected = events.corrected_events(walked.snapshot) if walked.snapshot else []
    split = parts.page_of_parts(walked.rated, after=_number(request.GET.get("parts_after", "")), limit=PAGE_SIZE)
    context = {
        **admin.site.each_context(request),
        **_story(walked),
        **_paging(page),
        "corrected": [_corrected(row) for row in corrected],
        **_parts(split),
        "page": page,
        "wanted": wanted,
    }
    return TemplateResponse(request, "evidence/trace.html", context)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < ID_DIGITS_MAX else 0


def _events(snapshot: AggregationSnapshot | None, *, wanted: str, after: int) -> EventPage | None:
    if snapshot is None:
        return None
    if wanted:
        return events.find_events(snapshot, event_id=wanted)
    return events.page_of_events(snapshot, after_seq=after, limit=PAGE_SIZE)


def _paging(page: EventPage | None) -> dict[str, Any]:
    return {
        "next_after": page.next_after if page else None,
        "rows": [
            {"event": event, "value": "—" if event.row.value is None else _value(event.row.value)}
            for event in (page.events if page else ())
        ],
    }


def _corrected(row: CorrectedRow) -> dict[str, Any]:
    return {
        "row": row,
        "data": exact_json.write(row.data).decode(),
        "by_data": exact_json.write(row.by_data).decode() if row.action == AMEND else "",
    }


def _parts(split: PartPage | None) -> dict[str, Any]:
    if split is None:
        return {"parts": [], "next_parts_after": None}
    return {
        "parts": [
            {
                "number": split.first + place,
                "what": _part_name(part),
                "events": part.events,
                "quantity": grouped(part.quantity),
                "amount": "" if part.amount is None else grouped(part.amount),
            }
            for place, part in enumerate(split.parts)
        ],
        "next_parts_after": split.next_after,
    }


def _part_name(part: Part) -> str:
    """large, eu; the first moment of a bucket; nothing for a single event, which stands in the list of events."""
    if isinstance(part.bucket, datetime):
        return f"{part.bucket.astimezone(UTC):%d %b %Y %H:%M} UTC"
    return ", ".join(f"{name} {value}" for name, value in part.properties) or "—"


def _value(value: Decimal | str) -> str:
    return grouped(value) if isinstance(value, Decimal) else value


def _story(walked: Trace) -> dict[str, Any]:
    line, rated = walked.line, walked.rated
    currency = line.invoice.currency
    return {
        "title": f"Why {line.invoice}, line {line.position} says {amount(line.amount, currency)}",
        "walked": walked,
        "line": line,
        "rated": rated,
        "snapshot": walked.snapshot,
        "difference": walked.first_difference,
        "line_amount": amount(line.amount, currency),
        "line_quantity": grouped(line.quantity),
        "steps": [_step(step) for step in rated.computation],
        "exact": grouped(rated.amount_exact),
        "rounding": amount(rated.rounding, currency) if rated.rounding else "",
        "rated_amount": amount(rated.amount, currency),
        "rated_quantity": grouped(rated.quantity),
        "share": _share(rated),
        "snapshot_quantity": grouped(walked.snapshot.quantity) if walked.snapshot else "",
        "billed_lines": _billed_lines(walked, currency=currency),
        "grounds": [_other_line(row.ground, currency=currency) for row in walked.grounds],
        "carries": [_other_line(row.line, currency=currency) for row in walked.carries],
        "invoice_url": reverse("admin:cycle_invoice_change", args=[line.invoice_id]),
    }


def _share(rated: RatedLine) -> str:
    """15 of 31 days; nothing where the whole period is charged."""
    if rated.share_part == rated.share_whole:
        return ""
    return str(Share(rated.share_part, rated.share_whole, rated.share_unit))


def _step(step: dict[str, Any]) -> Step:
    return Step(
        label=step["label"],
        quantity=grouped(Decimal(step["quantity"])),
        unit_price=grouped(Decimal(step["unit_price"])),
        flat_fee=grouped(Decimal(step["flat_fee"])),
        amount=grouped(Decimal(step["amount"])),
    )


def _billed_lines(walked: Trace, *, currency: str) -> list[dict[str, Any]]:
    return [
        {
            "line": earlier,
            "quantity": grouped(earlier.quantity),
            "amount": amount(earlier.amount, currency),
            "url": reverse("admin:evidence_trace", args=[earlier.pk]),
        }
        for earlier in (walked.billed_before.lines if walked.billed_before else ())
    ]


def _other_line(rated: RatedLine, *, currency: str) -> dict[str, Any]:
    """A line that this one stands on, or that stands on it, and where it is billed."""
    billed = getattr(rated, "invoice_line", None)
    return {
        "name": rated.charge.name,
        "where": f"{billed.invoice}, line {billed.position}" if billed else "",
        "url": reverse("admin:evidence_trace", args=[billed.pk]) if billed else "",
        "amount": amount(rated.amount, currency),
    }


def amount(value: Decimal, currency: str) -> str:
    """1,250.00 EUR."""
    return f"{money.round_amount(value, currency=currency):,f} {currency}"


def grouped(number: Decimal) -> str:
    """1234567.50 → 1,234,567.5, exactly."""
    whole, _, fraction = money.plain(number).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}" + (f".{fraction}" if fraction else "")
