"""`invoice-terms`: what is taken off or added on whole invoices; proposed by one person and decided by another."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import validators
from accounts.permissions import READERS, RuledView
from core import money
from core.errors import InvalidInputError
from core.http.fields import InstantField
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from invoicing.pricing import invoice_terms
from invoicing.pricing.api.serializers import DECIDED, PercentField
from invoicing.pricing.models import InvoiceTerm, Plan, Subscription
from invoicing.pricing.proposals import APPROVERS, AUTHORS

TERM_FILTERS = {"plan": "plan__code", "subscription": "subscription", "code": "code", "status": "status"}
FOUND = InvoiceTerm.objects.select_related("plan", "created_by", "decided_by").order_by("-pk")


class InvoiceTermSerializer(serializers.ModelSerializer[InvoiceTerm]):
    """One version of a term, who proposed it and who decided."""

    plan = serializers.CharField(source="plan.code", allow_null=True, default=None)
    created_by = serializers.CharField(source="created_by.username", allow_null=True, default=None)
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)
    percent = PercentField(allow_null=True)
    amount = serializers.SerializerMethodField()

    class Meta:
        model = InvoiceTerm
        fields: ClassVar = [
            "id",
            "plan",
            "subscription",
            "code",
            "version",
            "kind",
            "reason",
            "percent",
            "amount",
            "effective_at",
            *DECIDED,
        ]

    def get_amount(self, term: InvoiceTerm) -> str | None:
        return None if term.amount is None else money.plain(term.amount)


class NewTermSerializer(serializers.Serializer[InvoiceTerm]):
    """A discount, charge or rounding for a plan or one subscription, or what one paid in advance; 0 ends it."""

    plan = serializers.SlugRelatedField(slug_field="code", queryset=Plan.objects.all(), required=False)
    subscription = serializers.PrimaryKeyRelatedField(queryset=Subscription.objects.all(), required=False)
    code = serializers.CharField(max_length=60, validators=[validators.CODE])
    kind = serializers.ChoiceField(InvoiceTerm.Kind.choices)
    reason = serializers.CharField(max_length=120)
    percent = PercentField(required=False, help_text="Of the sum of the lines.")
    amount = serializers.DecimalField(
        max_digits=16,
        decimal_places=4,
        min_value=0,
        required=False,
        help_text="On each invoice, or to round to, or paid so far.",
    )
    effective_at = InstantField()


class TermListView(IdempotentWrites, RuledView, GenericAPIView[InvoiceTerm]):
    """Terms by plan, subscription, code and status, and proposing the next version of one."""

    roles_by_method = {"GET": READERS, "POST": AUTHORS}
    serializer_class = InvoiceTermSerializer
    queryset = FOUND

    def get_queryset(self) -> QuerySet[InvoiceTerm]:
        asked = {field: self.request.query_params.get(name) for name, field in TERM_FILTERS.items()}
        if asked["subscription"] is not None and not asked["subscription"].isdecimal():
            raise InvalidInputError("A subscription is named by its number.", pointer="/subscription")
        return super().get_queryset().filter(**{field: value for field, value in asked.items() if value is not None})

    @extend_schema(
        parameters=[OpenApiParameter(name) for name in TERM_FILTERS],
        responses={200: InvoiceTermSerializer(many=True), **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(InvoiceTermSerializer(page, many=True).data)

    @extend_schema(request=NewTermSerializer, responses={201: InvoiceTermSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewTermSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = dict(body.validated_data)
        subjects = [given.pop(name) for name in ("plan", "subscription") if name in given]
        if len(subjects) != 1:
            raise InvalidInputError("Name either a plan or a subscription.", pointer="/plan")
        term = invoice_terms.propose_invoice_term(subject=subjects[0], **given, actor=request.user, at=timezone.now())
        return Response(InvoiceTermSerializer(term).data, status=status.HTTP_201_CREATED)


class ApproveTermView(IdempotentWrites, RuledView, APIView):
    """Lets a proposed term count from its instant on; another person than its author does it."""

    roles_by_method = {"POST": APPROVERS}

    @extend_schema(request=None, responses={200: InvoiceTermSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, term_id: int) -> Response:
        decided = invoice_terms.approve_invoice_term(pk=term_id, actor=request.user, at=timezone.now())
        return Response(InvoiceTermSerializer(decided).data)


class WithdrawTermView(IdempotentWrites, RuledView, APIView):
    """Turns a proposed term down; it is kept."""

    roles_by_method = {"POST": AUTHORS}

    @extend_schema(request=None, responses={200: InvoiceTermSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, term_id: int) -> Response:
        decided = invoice_terms.withdraw_invoice_term(pk=term_id, actor=request.user, at=timezone.now())
        return Response(InvoiceTermSerializer(decided).data)
