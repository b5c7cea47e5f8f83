"""`customers`: list, read, make and change."""

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import customers
from accounts.api.serializers import CustomerChangeSerializer, CustomerSerializer
from accounts.models import Customer
from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites

KEEPERS = frozenset({Role.FINANCE, Role.OPS})


class CustomerList(IdempotentWrites, RuledView, GenericAPIView[Customer]):
    roles_by_method: ClassVar[dict[str, frozenset[Role]]] = {"GET": READERS, "POST": KEEPERS}
    serializer_class = CustomerSerializer

    def get_queryset(self) -> QuerySet[Customer]:
        return Customer.objects.all()

    @extend_schema(
        operation_id="customers_list",
        summary="List customers, newest first",
        responses={200: CustomerSerializer(many=True), **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(summary="Make a customer", responses={201: CustomerSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        fields = self.get_serializer(data=request.data)
        fields.is_valid(raise_exception=True)
        made = customers.create_customer(values=fields.validated_data, actor=request.user)
        return Response(CustomerSerializer(made).data, status=201)


class CustomerDetail(IdempotentWrites, RuledView, GenericAPIView[Customer]):
    roles_by_method: ClassVar[dict[str, frozenset[Role]]] = {"GET": READERS, "PATCH": KEEPERS}
    serializer_class = CustomerChangeSerializer

    @extend_schema(summary="Read one customer", responses={200: CustomerSerializer, **READ_REFUSALS})
    def get(self, request: Request, code: str) -> Response:
        return Response(CustomerSerializer(customers.get_customer(code=code)).data)

    @extend_schema(summary="Change a customer", responses={200: CustomerSerializer, **WRITE_REFUSALS})
    def patch(self, request: Request, code: str) -> Response:
        fields = self.get_serializer(customers.get_customer(code=code), data=request.data, partial=True)
        fields.is_valid(raise_exception=True)
        changed = customers.change_customer(code=code, changes=fields.validated_data, actor=request.user)
        return Response(CustomerSerializer(changed).data)
