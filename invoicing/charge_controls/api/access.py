"""`customers/{code}/access`: may this customer use more; and lifting a hold."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import customers
from accounts.permissions import READERS, RuledView
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from invoicing.charge_controls import access, queries
from invoicing.charge_controls.api.shapes import AccessShape, LiftShape, access_document


def _answer(code: str) -> Response:
    found = queries.access_of(customers.get_customer(code=code), at=timezone.now())
    return Response(AccessShape(access_document(found)).data)


class AccessView(RuledView, APIView):
    """Asked by the customer's application before it lets them use more; capture itself refuses nothing."""

    roles_by_method = {"GET": READERS}

    @extend_schema(summary="May this customer use more?", responses={200: AccessShape, **READ_REFUSALS})
    def get(self, request: Request, code: str) -> Response:
        return _answer(code)


class LiftView(IdempotentWrites, RuledView, APIView):
    """Let the customer go on; the same crossing does not hold again."""

    roles_by_method = {"POST": frozenset(access.LIFTERS)}

    @extend_schema(request=LiftShape, responses={200: AccessShape, **WRITE_REFUSALS})
    def post(self, request: Request, code: str) -> Response:
        body = LiftShape(data=request.data)
        body.is_valid(raise_exception=True)
        access.lift_hold(customer_code=code, **body.validated_data, actor=request.user, at=timezone.now())
        return _answer(code)
