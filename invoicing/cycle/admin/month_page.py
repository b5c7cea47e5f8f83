"""The close of a month as a page: how far it is, who is parked, what is held, broken, ready, approved and final."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from invoicing.cycle import close_runs, month, offences, park, queue, stopped
from invoicing.cycle.admin import wording
from invoicing.cycle.admin.queue_forms import month_bounds
from invoicing.cycle.models import CloseRun, Invoice
from invoicing.cycle.month import Stage

Status = Invoice.Status
ORDER = (Status.HELD, Status.DRAFT, Status.APPROVED, Status.FINAL)
WORDS = {Status.HELD: "Held", Status.DRAFT: "Ready to approve", Status.APPROVED: "Approved", Status.FINAL: "Final"}
PARKED_SHOWN = 50
RELOAD_SECONDS = "5"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRow:
    """One line of the table, with the way to its invoices."""

    status: str
    words: str
    count: int
    share: float
    amounts: list[str]
    url: str


def show(request: HttpRequest, *, context: dict[str, Any]) -> HttpResponse:
    """The month that the address names, or the latest that ended; loads itself again while a close runs."""
    months = queue.months()
    named = [one for one in months if f"{one:%Y-%m}" == request.GET.get("month")]
    chosen = next(iter(named or months), None)
    run = CloseRun.objects.select_related("asked_by").first()
    state = None if run is None else close_runs.states_of([run])[run.pk]
    shown = {
        "title": "Month-end" if chosen is None else f"Month-end: periods that ended in {chosen:%B %Y}",
        "crumbs": [("Billing cycles", reverse("admin:cycle_billingcycle_changelist"))],
        "months": [(f"{one:%Y-%m}", f"{one:%B %Y}") for one in months[:12]],
        "month": "" if chosen is None else f"{chosen:%Y-%m}",
        "run": run,
        "state": state,
        "parked": park.open_parkings()[:PARKED_SHOWN],
        "stopped": stopped.open_stops()[:PARKED_SHOWN],
        "offences": offences.open_offences().annotate(agreed=offences.is_agreed())[:PARKED_SHOWN],
        **({} if chosen is None else _figures(f"{chosen:%Y-%m}")),
    }
    response = TemplateResponse(request, "cycle/month.html", {**context, **shown})
    if state in (close_runs.RunState.QUEUED, close_runs.RunState.RUNNING):
        response.headers["Refresh"] = RELOAD_SECONDS
    return response


def _figures(text: str) -> dict[str, Any]:
    start, end = month_bounds(text)
    span = {"start": start or datetime.min.replace(tzinfo=UTC), "end": end or datetime.max.replace(tzinfo=UTC)}
    found = month.stages(**span)
    live = [found[status] for status in ORDER if status in found]
    total = sum(stage.count for stage in live)
    currencies = list(month.totals_of(live))
    half = month.half_approved(**span)
    return {
        "stages": [_stage_row(found.get(status, Stage(status)), text, total, currencies) for status in ORDER],
        "currencies": currencies,
        "total": total,
        "totals": [wording.amount_text(sum_, currency=code) for code, sum_ in month.totals_of(live).items()],
        "half_approved": half,
        "discarded": found[Status.DISCARDED].count if Status.DISCARDED in found else 0,
        "holds": [
            (words, count, _queue_url(period=text, status="held", cause=code))
            for code, words, count in month.holds_by_reason(**span)
        ],
        "breaks": month.open_breaks(**span),
        "queue_url": _queue_url(period=text, status="waiting"),
    }


def _stage_row(stage: Stage, text: str, total: int, currencies: list[str]) -> StageRow:
    amounts = [
        wording.amount_text(stage.totals[code], currency=code) if code in stage.totals else "—" for code in currencies
    ]
    return StageRow(
        status=stage.status,
        words=WORDS[Status(stage.status)],
        count=stage.count,
        share=100 * stage.count / total if total else 0,
        amounts=amounts,
        url=_queue_url(period=text, status=stage.status),
    )


def _queue_url(**filters: str) -> str:
    return reverse("admin:cycle_invoice_queue") + "?" + urlencode(filters)
