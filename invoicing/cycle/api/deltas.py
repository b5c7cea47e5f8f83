"""`delta-reports`: what changes of what was billed, line by line, and the decision on it."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core import money
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS, PageShape
from core.http.views import IdempotentWrites
from invoicing.cycle import delta_decide
from invoicing.cycle.api.schema import PeriodShape, ReasonBody
from invoicing.cycle.api.shapes import instant
from invoicing.cycle.models import DeltaReport, DeltaRow
from invoicing.cycle.rules import reasons

FINANCE = frozenset({Role.FINANCE})


class SideShape(serializers.Serializer[object]):
    """The whole line on one side of the change."""

    quantity = serializers.CharField()
    amount = serializers.CharField()
    events = serializers.IntegerField(allow_null=True, help_text="Counted; null where no events stand behind it.")


class DeltaRowShape(serializers.Serializer[object]):
    """One line before and after."""

    position = serializers.IntegerField()
    customer = serializers.CharField()
    cause = serializers.ChoiceField(DeltaRow.Cause.choices)
    description = serializers.CharField()
    unit = serializers.CharField()
    segment = PeriodShape()
    currency = serializers.CharField()
    line = serializers.IntegerField(allow_null=True, help_text="Id of the line of the draft.")
    corrects = serializers.IntegerField(allow_null=True, help_text="Id of the line as it was.")
    before = SideShape()
    after = SideShape()
    difference = serializers.CharField(help_text="Amount after, less amount before.")


class DeltaReportShape(serializers.Serializer[object]):
    """A proposed change of what was billed or drafted, and what was decided."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(DeltaReport.Kind.choices)
    status = serializers.ChoiceField(DeltaReport.Status.choices)
    invoice = serializers.IntegerField(allow_null=True, help_text="The draft that carries it.")
    replaces = serializers.IntegerField(allow_null=True, help_text="The discarded draft before it.")
    reason = serializers.CharField()
    content_hash = serializers.CharField()
    author = serializers.CharField(allow_null=True, help_text="Null where usage alone caused it.")
    proposed_at = serializers.DateTimeField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField()
    rows = DeltaRowShape(many=True)


class DeltaPageShape(PageShape):
    """A page of delta reports."""

    results = DeltaReportShape(many=True)


class DeltaFilter(serializers.Serializer[object]):
    """Which reports to list."""

    status = serializers.ChoiceField(DeltaReport.Status.choices, required=False)
    kind = serializers.ChoiceField(DeltaReport.Kind.choices, required=False)
    invoice = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


class DeltaApprovalBody(serializers.Serializer[object]):
    """The hash of the rows that were looked at, and why they are right."""

    content_hash = serializers.CharField(max_length=64)
    reason = serializers.CharField(min_length=reasons.LENGTH_MIN, max_length=reasons.LENGTH_MAX)


def report_json(report: DeltaReport) -> dict[str, Any]:
    return {
        "id": report.pk,
        "kind": report.kind,
        "status": report.status,
        "invoice": report.invoice_id,
        "replaces": report.replaces_id,
        "reason": report.reason,
        "content_hash": report.content_hash,
        "author": report.author and report.author.get_username(),
        "proposed_at": instant(report.proposed_at),
        "decided_by": report.decided_by and report.decided_by.get_username(),
        "decided_at": instant(report.decided_at),
        "decision_reason": report.decision_reason,
        "rows": [_row(row) for row in report.rows.all()],
    }


def _row(row: DeltaRow) -> dict[str, Any]:
    def side(when: str) -> dict[str, Any]:
        return {
            "quantity": money.plain(getattr(row, f"{when}_quantity")),
            "amount": money.amount_text(getattr(row, f"{when}_amount"), currency=row.currency),
            "events": getattr(row, f"{when}_events"),
        }

    return {
        "position": row.position,
        "customer": row.customer.code,
        "cause": row.cause,
        "description": row.description,
        "unit": row.unit,
        "segment": {"start": instant(row.segment_start), "end": instant(row.segment_end)},
        "currency": row.currency,
        "line": row.line_id,
        "corrects": row.corrects_id,
        "before": side("before"),
        "after": side("after"),
        "difference": money.amount_text(row.after_amount - row.before_amount, currency=row.currency),
    }


def _whole() -> Any:
    return DeltaReport.objects.select_related("author", "decided_by").prefetch_related("rows__customer")


def _answer(report_id: int) -> Response:
    report = _whole().filter(pk=report_id).first()
    if report is None:
        raise NotFoundError(f"There is no delta report {report_id}.")
    return Response(report_json(report))


def _usable(body: Any) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


class DeltaListView(RuledView, GenericAPIView[DeltaReport]):
    """Delta reports, newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class: Any = DeltaReportShape
    queryset = DeltaReport.objects.none()

    @extend_schema(
        operation_id="delta_reports_list", parameters=[DeltaFilter], responses={200: DeltaPageShape, **READ_REFUSALS}
    )
    def get(self, request: Request) -> Response:
        wanted = _usable(DeltaFilter(data=request.query_params))
        page = self.paginate_queryset(_whole().filter(**wanted)) or []
        return self.get_paginated_response([report_json(report) for report in page])


class DeltaView(RuledView, APIView):
    """One delta report with its rows."""

    roles_by_method = {"GET": READERS}

    @extend_schema(operation_id="delta_reports_read", responses={200: DeltaReportShape, **READ_REFUSALS})
    def get(self, request: Request, report_id: int) -> Response:
        return _answer(report_id)


class DeltaApproveView(IdempotentWrites, RuledView, APIView):
    """Allow the changes with this hash, and no others; never one's own."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=DeltaApprovalBody, responses={200: DeltaReportShape, **WRITE_REFUSALS})
    def post(self, request: Request, report_id: int) -> Response:
        given = _usable(DeltaApprovalBody(data=request.data))
        delta_decide.approve_report(report_id=report_id, **given, actor=request.user, at=timezone.now())
        return _answer(report_id)


class DeltaRejectView(IdempotentWrites, RuledView, APIView):
    """Refuse the changes; the draft that carries them is discarded."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=ReasonBody, responses={200: DeltaReportShape, **WRITE_REFUSALS})
    def post(self, request: Request, report_id: int) -> Response:
        reason = _usable(ReasonBody(data=request.data))["reason"]
        delta_decide.reject_report(report_id=report_id, reason=reason, actor=request.user, at=timezone.now())
        return _answer(report_id)
