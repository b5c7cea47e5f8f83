"""Lists of charge controls, setting a credit limit and resolving a review."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core.errors import InvalidInputError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from invoicing.charge_controls import limits, reviews
from invoicing.charge_controls.api.shapes import (
    AccessChangeShape,
    ControlFiringShape,
    CreditLimitShape,
    CreditReviewShape,
    NewLimitShape,
    ResolutionShape,
)
from invoicing.charge_controls.models import AccessChange, ControlFiring, CreditLimit, CreditReview

CUSTOMER = OpenApiParameter("customer", description="Code of the customer; everybody if left out.")
SETTERS, REVIEWERS = frozenset(limits.SETTERS), frozenset(reviews.REVIEWERS)


def _of_customer(rows: QuerySet[Any], request: Request) -> QuerySet[Any]:
    code = request.query_params.get("customer")
    return rows if code is None else rows.filter(customer__code=code)


class AccessChangeList(RuledView, GenericAPIView[AccessChange]):
    """Every hold and every lifting, the newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class = AccessChangeShape
    queryset = AccessChange.objects.select_related("customer", "policy", "actor", "audit_entry")

    @extend_schema(parameters=[CUSTOMER], responses={200: AccessChangeShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(_of_customer(self.get_queryset(), request))
        return self.get_paginated_response(AccessChangeShape(page, many=True).data)


class FiringList(RuledView, GenericAPIView[ControlFiring]):
    """The newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class = ControlFiringShape
    queryset = ControlFiring.objects.select_related("customer", "policy")

    @extend_schema(parameters=[CUSTOMER], responses={200: ControlFiringShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(_of_customer(self.get_queryset(), request))
        return self.get_paginated_response(ControlFiringShape(page, many=True).data)


class LimitList(IdempotentWrites, RuledView, GenericAPIView[CreditLimit]):
    """Credit limits, the newest first; of a customer and currency the newest counts."""

    roles_by_method = {"GET": READERS, "POST": SETTERS}
    serializer_class = CreditLimitShape
    queryset = CreditLimit.objects.select_related("customer", "set_by", "audit_entry")

    @extend_schema(parameters=[CUSTOMER], responses={200: CreditLimitShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(_of_customer(self.get_queryset(), request))
        return self.get_paginated_response(CreditLimitShape(page, many=True).data)

    @extend_schema(request=NewLimitShape, responses={201: CreditLimitShape, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewLimitShape(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        made = limits.set_limit(customer_code=given.pop("customer"), **given, actor=request.user, at=timezone.now())
        return Response(CreditLimitShape(made).data, status=201)


class ReviewList(RuledView, GenericAPIView[CreditReview]):
    """Credit reviews, the newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class = CreditReviewShape
    queryset = CreditReview.objects.select_related("customer", "firing__customer", "firing__policy", "resolved_by")

    @extend_schema(
        parameters=[CUSTOMER, OpenApiParameter("status", enum=CreditReview.Status.values)],
        responses={200: CreditReviewShape(many=True), **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        rows, status = _of_customer(self.get_queryset(), request), request.query_params.get("status")
        if status is not None:
            if status not in CreditReview.Status.values:
                raise InvalidInputError(
                    f"`status` is one of {', '.join(CreditReview.Status.values)}.", pointer="/status"
                )
            rows = rows.filter(status=status)
        return self.get_paginated_response(CreditReviewShape(self.paginate_queryset(rows), many=True).data)


class ResolveView(IdempotentWrites, RuledView, APIView):
    """Close a review with what came of it."""

    roles_by_method = {"POST": REVIEWERS}

    @extend_schema(request=ResolutionShape, responses={200: CreditReviewShape, **WRITE_REFUSALS})
    def post(self, request: Request, review_id: int) -> Response:
        body = ResolutionShape(data=request.data)
        body.is_valid(raise_exception=True)
        review = reviews.resolve_review(
            review_id=review_id, **body.validated_data, actor=request.user, at=timezone.now()
        )
        return Response(CreditReviewShape(review).data)
