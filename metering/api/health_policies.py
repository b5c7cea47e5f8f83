"""`metering/health-policies`: when a change in what comes in is called a shift; new versions, and those before."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import READERS, RuledView
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from metering import health_policies, reviews
from metering.models import HealthPolicy

FIGURES = health_policies.FIGURES


class HealthPolicySerializer(serializers.ModelSerializer[HealthPolicy]):
    """A version; the newest counts."""

    created_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = HealthPolicy
        fields: ClassVar = ["version", *FIGURES, "reason", "created_by", "created_at"]


class NewHealthPolicySerializer(serializers.ModelSerializer[HealthPolicy]):
    """The next version; what is left out stays as it is."""

    reason = serializers.CharField(max_length=1000)

    class Meta:
        model = HealthPolicy
        fields: ClassVar = [*FIGURES, "reason"]
        extra_kwargs: ClassVar = {name: {"required": False} for name in FIGURES}
        validators: ClassVar[list[Any]] = []


class HealthPolicyListView(IdempotentWrites, RuledView, GenericAPIView[HealthPolicy]):
    """Versions of the policy, newest first, and setting the next one."""

    roles_by_method = {"GET": READERS, "POST": frozenset(reviews.REVIEWERS)}
    serializer_class = HealthPolicySerializer
    queryset = HealthPolicy.objects.select_related("created_by")

    @extend_schema(responses={200: HealthPolicySerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(HealthPolicySerializer(page, many=True).data)

    @extend_schema(request=NewHealthPolicySerializer, responses={201: HealthPolicySerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewHealthPolicySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        figures = {name: value for name, value in body.validated_data.items() if name != "reason"}
        made = health_policies.set_policy(
            figures=figures, reason=body.validated_data["reason"], actor=request.user, at=timezone.now()
        )
        return Response(HealthPolicySerializer(made).data, status=status.HTTP_201_CREATED)
