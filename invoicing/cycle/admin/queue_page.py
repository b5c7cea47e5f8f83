"""The review queue as a page: rows with what changed, and what became of a decision over many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import Customer
from accounts.roles import Role
from core.errors import DomainError
from invoicing.cycle import bulk_reviews, queue, together
from invoicing.cycle.admin import wording
from invoicing.cycle.admin.queue_forms import DecisionForm, QueueFilter, hold_causes
from invoicing.cycle.models import HoldReason, Invoice
from invoicing.cycle.together import Outcome
from invoicing.documents.rules import figures

UNUSUAL_PERCENT = 50
FIRST_LOOK = {"status": "waiting", "order": "unusual"}
OUTCOMES = {
    "approved": ("Approved", "success"),
    "first_of_two": ("First of two approvals", "warning"),
    "held": ("Held", "success"),
    "released": ("Released", "success"),
    "refused": ("Refused", "danger"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One row as it is shown."""

    row: queue.Row
    name: str
    period: str
    total: str
    interim: str
    before: str
    change: str
    percent: str
    is_unusual: bool
    status: str
    waits_for: str


def show(request: HttpRequest, *, context: dict[str, Any]) -> HttpResponse:
    """The queue as the address filters it."""
    form = QueueFilter(request.GET or FIRST_LOOK, choices=_choices())
    wanted = form.wanted()
    sums = queue.sum_up(wanted)
    count, page = sum(one.count for one in sums), form.page_number
    rows = queue.find_rows(wanted, person_id=request.user.pk or 0, page=page, rows=queue.PAGE_ROWS)
    address = request.GET.copy()
    address.pop("page", None)
    shown = {
        "title": "Review queue",
        "crumbs": [("Invoices", reverse("admin:cycle_invoice_changelist"))],
        "filter": form,
        "rows": [_shown(row) for row in rows],
        "count": count,
        "sums": [f"{wording.amount_text(one.total, currency=one.currency)} {one.currency}" for one in sums],
        "first": (page - 1) * queue.PAGE_ROWS + 1,
        "last": (page - 1) * queue.PAGE_ROWS + len(rows),
        "page_before": page - 1,
        "page_after": page + 1 if page * queue.PAGE_ROWS < count else 0,
        "query": address.urlencode(),
        "list_hash": queue.find_list(wanted).list_hash if count > len(rows) else "",
        "may_decide": roles.has_role(request.user, [Role.FINANCE]),
        "hold_reasons": _reasons(HoldReason.Use.HOLD),
        "release_reasons": _reasons(HoldReason.Use.RELEASE),
    }
    return TemplateResponse(request, "cycle/queue.html", {**context, **shown})


def decide(request: HttpRequest, *, context: dict[str, Any]) -> HttpResponse:
    """Decide over the ticked invoices and say of each what became of it."""
    if request.method != "POST" or not roles.has_role(request.user, [Role.FINANCE]):
        raise PermissionDenied
    form = DecisionForm(request.POST)
    if "all" in request.POST:
        return _decide_all(request, form)
    try:
        ticked = form.figures()
        outcomes = _decide(form, ticked, actor=request.user) if form.is_valid() else []
    except ValidationError as error:
        messages.error(request, f"Nothing was done. {' '.join(error.messages)}")
        return redirect("admin:cycle_invoice_queue")
    except DomainError as error:
        messages.error(request, f"Nothing was done. {error.message}")
        return redirect("admin:cycle_invoice_queue")
    if not outcomes:
        messages.error(request, "Nothing was done. Choose to approve, to hold or to release.")
        return redirect("admin:cycle_invoice_queue")
    crumbs = [
        ("Invoices", reverse("admin:cycle_invoice_changelist")),
        ("Review queue", reverse("admin:cycle_invoice_queue")),
    ]
    shown = {
        "title": "What became of each",
        "crumbs": crumbs,
        "decided": _decided(outcomes),
        "counts": _counts(outcomes),
    }
    return TemplateResponse(request, "cycle/decided.html", {**context, **shown})


def _decide_all(request: HttpRequest, form: DecisionForm) -> HttpResponse:
    """Have a worker decide over everything that the filter listed, and show how far it is."""
    back = redirect("admin:cycle_invoice_queue")
    if not form.is_valid():
        messages.error(request, "Nothing was done. Choose to approve, to hold or to release.")
        return back
    wanted = QueueFilter(QueryDict(request.POST.get("filter", "")) or FIRST_LOOK, choices=_choices()).wanted()
    given = form.cleaned_data
    try:
        review = bulk_reviews.start_review(
            wanted=wanted,
            list_hash=request.POST["all"],
            action=given["action"],
            reason=given["reason"],
            reason_code=given["reason_code"],
            actor=request.user,
            at=timezone.now(),
        )
    except DomainError as error:
        messages.error(request, f"Nothing was done. {error.message}")
        return back
    return redirect("admin:cycle_bulkreview_change", review.pk)


def _decide(form: DecisionForm, ticked: Sequence[tuple[int, str]], *, actor: Any) -> list[Outcome]:
    given, at = form.cleaned_data, timezone.now()
    if given["action"] == "approve":
        return together.approve_invoices(figures=ticked, actor=actor, at=at)
    decide_all = together.hold_invoices if given["action"] == "hold" else together.release_invoices
    return decide_all(
        invoice_ids=[invoice_id for invoice_id, _ in ticked],
        reason=given["reason"],
        reason_code=given["reason_code"],
        actor=actor,
        at=at,
    )


def _shown(row: queue.Row) -> QueueRow:
    percent = row.percent
    return QueueRow(
        row=row,
        name=row.number or f"Draft {row.id}",
        period=figures.span_text(row.period_start, row.period_end, zone=row.zone, locale=wording.LOCALE),
        total=wording.amount_text(row.total, currency=row.currency),
        interim=wording.amount_text(row.interim_total, currency=row.currency) if row.interim_total else "",
        before="" if row.before_total is None else wording.amount_text(row.before_total, currency=row.currency),
        change="" if row.change is None else wording.signed_text(row.change, currency=row.currency),
        percent="" if percent is None else wording.signed_percent(percent),
        is_unusual=percent is not None and abs(percent) >= UNUSUAL_PERCENT,
        status=Invoice.Status(row.status).label,
        waits_for=_waits_for(row),
    )


def _waits_for(row: queue.Row) -> str:
    """What has to happen next, in a few words."""
    if row.status == Invoice.Status.HELD:
        return row.hold_reason
    if row.status == Invoice.Status.APPROVED:
        return "Finalizing"
    if row.status != Invoice.Status.DRAFT:
        return ""
    if row.approvals_needed == 1:
        return "Approval"
    mine = ", yours among them" if row.is_approved_by_me else ""
    return f"Approval: {row.approvals} of {row.approvals_needed}{mine}"


def _choices() -> dict[str, list[tuple[str, str]]]:
    programs = Customer.objects.values_list("program", flat=True).distinct().order_by("program")
    currencies = Invoice.objects.values_list("currency", flat=True).distinct().order_by("currency")
    return {
        "cause": hold_causes(),
        "program": [(code, code) for code in programs],
        "currency": [(code, code) for code in currencies],
        "period": [(f"{month:%Y-%m}", f"{month:%B %Y}") for month in queue.months()],
    }


def _reasons(use: HoldReason.Use) -> list[HoldReason]:
    return list(HoldReason.objects.filter(use=use, is_in_use=True))


def _decided(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    found = Invoice.objects.select_related("customer").in_bulk([one.invoice_id for one in outcomes])
    rows = []
    for one in outcomes:
        words, tone = OUTCOMES[one.outcome]
        rows.append({"invoice": found.get(one.invoice_id), "words": words, "tone": tone, "detail": one.detail})
    return rows


def _counts(outcomes: Sequence[Outcome]) -> list[tuple[str, int]]:
    names = [one.outcome for one in outcomes]
    return [(words, names.count(name)) for name, (words, _) in OUTCOMES.items() if name in names]
