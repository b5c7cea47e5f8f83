"""Payout batches: what a release would let go, what it would block and why, and what was decided."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldBooleanWidget

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_in_dialog
from accounts.roles import Role
from compliance.payouts import queries, release
from compliance.payouts.admin.base import ReadingPage, amount_of, row_id
from compliance.payouts.admin.gates import LABELS, TONES
from compliance.payouts.models import PayoutBatch
from compliance.payouts.models.payees import GATE_KINDS
from compliance.payouts.queries import BatchLine
from compliance.payouts.rules.judgement import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One payable on the page of its batch."""

    line: BatchLine
    amount: str
    status: str
    tone: str
    gates: list[dict[str, str]]
    reasons: Sequence[str]


def batch_context(batch: PayoutBatch, *, at: datetime) -> dict[str, Any]:
    """What the page and the dialog show: rows, and sums by what would happen now."""
    lines = queries.batch_lines(batch, at=at)
    return {
        "rows": [_row(line) for line in lines],
        "would_release": _sums(lines, Outcome.RELEASED),
        "would_block": _sums(lines, Outcome.BLOCKED),
        "paid": _sums([line for line in lines if line.payout], None),
        "looked_at": at,
    }


def _row(line: BatchLine) -> Row:
    status, tone = _status(line)
    gates = [
        {
            "label": dict(GATE_KINDS).get(gate["gate"], gate["gate"]),
            "state": LABELS[gate["state"]],
            "detail": gate["detail"],
            "tone": TONES[gate["state"]],
            "link": reverse("admin:payouts_gatecheck_change", args=[gate["gate_check"]]) if gate["gate_check"] else "",
        }
        for gate in line.gates()
    ]
    return Row(
        line=line,
        amount=amount_of(line.payable.amount, line.payable.currency),
        status=status,
        tone=tone,
        gates=gates,
        reasons=line.judgement.reasons if line.judgement else (),
    )


def _status(line: BatchLine) -> tuple[str, str]:
    if line.payout:
        return "Released", "success"
    if line.judgement is None:
        return "Withdrawn", "none"
    return ("Would be released", "info") if line.judgement.outcome == Outcome.RELEASED else ("Blocked", "danger")


def _sums(lines: Sequence[BatchLine], outcome: Outcome | None) -> dict[str, Any]:
    """Count and sums by currency of the lines that would have this outcome now; None takes them all."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    found = [line for line in lines if outcome is None or (line.judgement and line.judgement.outcome == outcome)]
    for line in found:
        sums[line.payable.currency] += line.payable.amount
    return {"count": len(found), "amounts": [amount_of(amount, currency) for currency, amount in sorted(sums.items())]}


class ReleaseForm(BaseDialogForm):
    """Let the money go; what would happen stands above the button, and is looked at once more after the click."""

    form_before_template = "payouts/release_summary.html"
    is_checked = forms.BooleanField(
        label="I have looked at what is released and what is blocked", widget=UnfoldBooleanWidget()
    )

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        batch = PayoutBatch.objects.filter(pk=row_id(object_id)).first()
        return batch_context(batch, at=timezone.now()) if batch else {}


RELEASE = ActionDialog(
    title="Release this batch",
    description="Every gate is looked at once more in that moment. What is blocked can be released later.",
    form_class=ReleaseForm,
    form_submit_text="Release",
)


@admin.register(PayoutBatch)
class PayoutBatchAdmin(ReadingPage, BackOfficeAdmin):
    """Made by finance from the list of payables, released here by ops."""

    page_template = "payouts/batch.html"
    list_display = ("reference", "payable_count", "unpaid_count", "created_by", "created_at")
    search_fields = ("reference", "items__payable__reference", "items__payable__payee__code")
    actions_detail: ClassVar[list[str]] = ["release_now"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayoutBatch]:
        unpaid = Q(items__payable__payout=None, items__payable__withdrawn_at=None)
        batches: QuerySet[PayoutBatch] = super().get_queryset(request)
        return batches.select_related("created_by").annotate(
            payables=Count("items"), unpaid=Count("items", filter=unpaid)
        )

    def page_context(self, request: HttpRequest, obj: PayoutBatch) -> dict[str, Any]:
        decisions = obj.release_decisions.select_related("payable", "actor", "audit_entry").order_by("-pk")
        return {
            **batch_context(obj, at=timezone.now()),
            "decisions": decisions[:200],
            "is_own_batch": obj.created_by_id == request.user.pk,
        }

    def has_release_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        others = PayoutBatch.objects.filter(pk=row_id(object_id)).exclude(created_by=request.user.pk)
        has_open = others.filter(items__payable__payout=None, items__payable__withdrawn_at=None).exists()
        return has_open and roles.has_role(request.user, [Role.OPS])

    @action(
        description="Release",
        permissions=["release"],
        variant=ActionVariant.PRIMARY,
        icon="send_money",
        dialog=RELEASE,
    )
    def release_now(self, request: HttpRequest, form: ReleaseForm, object_id: str) -> HttpResponse:
        return answer_in_dialog(
            request,
            form,
            dialog=RELEASE,
            call=lambda: release.release_batch(batch_id=row_id(object_id), actor=request.user, at=timezone.now()),
            success="Decided. Every payable has its audit reference below.",
            back_to=lambda _: reverse("admin:payouts_payoutbatch_change", args=[object_id]),
        )

    @display(description="Payables", ordering="payables")
    def payable_count(self, batch: Any) -> int:
        return int(batch.payables)

    @display(description="Not paid", ordering="unpaid")
    def unpaid_count(self, batch: Any) -> int:
        return int(batch.unpaid)
