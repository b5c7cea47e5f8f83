"""The walk of one line as a page of the back office, to be read by the customer's accountant."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from compliance.evidence import events, exports, parts, reached, recount, shares, story, trace
from compliance.evidence.events import EventPage
from compliance.evidence.followed import Followed
from compliance.evidence.parts import PartPage
from compliance.evidence.reached import EventReach
from compliance.evidence.rules import spans
from compliance.evidence.story import amount, grouped
from compliance.evidence.trace import Counted, Trace
from core import personal_keys
from core.errors import NotFoundError
from core.http.downloads import text_response
from invoicing.cycle.models import InvoiceLine
from invoicing.rating.models import RatedLine
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


def trace_page(request: HttpRequest, line_id: int) -> HttpResponseBase:
    """Asks for `?event=` (an event id), `?after=` or `?parts_after=` (the next page); all staff may read it.

    POST has all events counted again by a job, where there are too many to do it for a page.
    """
    if not roles.has_role(request.user, roles.STAFF):
        return not_for_you()
    try:
        walked = trace.trace_line(line_id=line_id, is_thorough=False)
    except NotFoundError as error:
        raise Http404 from error
    if request.method == "POST":
        recount.ask_recount(line=walked.line, actor=request.user, at=timezone.now())
        messages.success(request, "The events are being counted again; this page will say what was found.")
        return redirect(reverse("admin:evidence_trace", args=[line_id]))
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
        "recount": recount.latest(walked.line),
        "is_recounting": recount.is_running(walked.line),
    }
    return TemplateResponse(request, "evidence/trace.html", context)


def events_file(request: HttpRequest, line_id: int, form: str) -> HttpResponseBase:
    """All events behind a line, as NDJSON or CSV; for all staff."""
    if not roles.has_role(request.user, roles.STAFF):
        return not_for_you()
    if form not in exports.CONTENT_TYPES:
        raise Http404
    try:
        line = trace.find_line(line_id=line_id)
    except NotFoundError as error:
        raise Http404 from error
    name = f"events-{line.invoice.number or f'draft-{line.invoice_id}'}-line-{line.position}.{form}"
    blocks = exports.events_as(form, line.rated_line.snapshot)
    return text_response(blocks, name=name, content_type=exports.CONTENT_TYPES[form])


def snapshot_page(request: HttpRequest, snapshot_id: int) -> HttpResponseBase:
    """A snapshot, and the line that bills it; for all staff."""
    if not roles.has_role(request.user, roles.STAFF):
        return not_for_you()
    snapshot = reached.find_snapshot(snapshot_id)
    if snapshot is None:
        raise Http404
    context = {
        **admin.site.each_context(request),
        "title": f"What {snapshot.meter.name} measured, and where it is billed",
        "snapshot": snapshot,
        "quantity": grouped(snapshot.quantity),
        "lines": [_billed(line) for line in reached.lines_of_snapshot(snapshot)],
    }
    return TemplateResponse(request, "evidence/snapshot.html", context)


def event_page(request: HttpRequest) -> HttpResponseBase:
    """Asks for `?source=` and `?id=`: where that event was counted, and which lines bill it; for all staff."""
    if not roles.has_role(request.user, roles.STAFF):
        return not_for_you()
    source, event_id = (request.GET.get(name, "").replace("\x00", "")[:200].strip() for name in ("source", "id"))
    found: EventReach | None = None
    if source or event_id:
        try:
            found = reached.reach_of_event(source=source, event_id=event_id)
        except NotFoundError:
            messages.warning(request, "No event with this source and id was accepted.")
    context = {
        **admin.site.each_context(request),
        "title": "From an event to the lines that bill it",
        "source": source,
        "event_id": event_id,
        "found": found,
        "data": exact_json.write(personal_keys.open_within(found.event.data)).decode() if found else "",
        "rows": [
            {"each": each, "quantity": grouped(each.snapshot.quantity), "lines": [_billed(line) for line in each.lines]}
            for each in (found.reached if found else ())
        ],
    }
    return TemplateResponse(request, "evidence/event.html", context)


def not_for_you() -> HttpResponse:
    """Somebody who is signed in, and no staff."""
    return HttpResponse("Your role does not allow this.", status=403, content_type="text/plain")


def _billed(line: InvoiceLine) -> dict[str, Any]:
    return {
        "line": line,
        "amount": amount(line.amount, line.invoice.currency),
        "url": reverse("admin:evidence_trace", args=[line.pk]),
    }


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
        "data": exact_json.write(personal_keys.open_within(row.data)).decode(),
        "by_data": exact_json.write(personal_keys.open_within(row.by_data)).decode() if row.action == AMEND else "",
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
        "story": story.tell(walked),
        "is_not_counted": walked.counted == Counted.NOT,
        "is_counted_together": walked.counted == Counted.TOGETHER,
        "packs_url": reverse("admin:evidence_packs", args=[line.invoice_id]),
        "event_url": reverse("admin:evidence_event"),
        "files": [
            {"form": form.upper(), "url": reverse("admin:evidence_events", args=[line.pk, form])}
            for form in exports.CONTENT_TYPES
        ],
        "line": line,
        "rated": rated,
        "snapshot": walked.snapshot,
        "difference": walked.first_difference,
        "line_amount": amount(line.amount, currency),
        "line_quantity": grouped(line.quantity),
        "when": story.when(line),
        "steps": [_step(step) for step in rated.computation],
        "exact": story.shortened(rated.amount_exact),
        "rounding": amount(rated.rounding, currency) if rated.rounding else "",
        "rated_amount": amount(rated.amount, currency),
        "rated_quantity": grouped(rated.quantity),
        **_shares(walked),
        "snapshot_quantity": grouped(walked.snapshot.quantity) if walked.snapshot else "",
        "billed_lines": _billed_lines(walked, currency=currency),
        "grounds": [_other_line(row.ground, currency=currency) for row in walked.grounds],
        "followed": [_followed(one) for one in walked.followed],
        "document_url": reverse("admin:evidence_document", args=[line.invoice_id]),
        "carries": [_other_line(row.line, currency=currency) for row in walked.carries],
        "invoice_url": reverse("admin:cycle_invoice_change", args=[line.invoice_id]),
    }


def _shares(walked: Trace) -> dict[str, Any]:
    """15 of 31 days, and each stretch of them; nothing where no period divides the amount."""
    agreed, zone = walked.agreed, story.zone_of(walked.line.invoice)
    return {
        "share": shares.in_words(agreed.share) if agreed.is_divided else "",
        "paid": spans.tell(agreed.used_of.start, agreed.used_of.end, zone=zone) if agreed.used_of else "",
        "pieces": [
            {
                "when": spans.tell(piece.start, piece.end, zone=zone),
                "share": shares.in_words(piece.share),
                "plan": piece.terms.plan.name,
                "terms": piece.terms,
                "price": piece.price,
            }
            for piece in (agreed.pieces if agreed.is_divided else ())
        ],
    }


def _step(step: dict[str, Any]) -> Step:
    return Step(
        label=step["label"],
        quantity=grouped(Decimal(step["quantity"])),
        unit_price=grouped(Decimal(step["unit_price"])),
        flat_fee=grouped(Decimal(step["flat_fee"])),
        amount=story.shortened(Decimal(step["amount"])),
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


def _followed(later: Followed) -> dict[str, Any]:
    page = "admin:evidence_credit" if later.is_credit else "admin:evidence_trace"
    return {
        "name": str(later.how).capitalize(),
        "where": f"{later.invoice}, {'credit' if later.is_credit else 'line'} {later.position}",
        "url": reverse(page, args=[later.line_id]),
        "amount": amount(later.amount, later.invoice.currency),
    }


def _other_line(rated: RatedLine, *, currency: str) -> dict[str, Any]:
    """A line that this one stands on, or that stands on it, and where it is billed."""
    billed = getattr(rated, "invoice_line", None)
    return {
        "name": rated.charge.name,
        "where": f"{billed.invoice}, line {billed.position}" if billed else "",
        "url": reverse("admin:evidence_trace", args=[billed.pk]) if billed else "",
        "amount": amount(rated.amount, currency),
    }
