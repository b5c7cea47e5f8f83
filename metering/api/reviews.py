"""`metering/review-items`: what the watch over capture has opened, to assign and to resolve."""

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core.errors import InvalidInputError, NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from metering import reviews
from metering.models import ReviewItem, ReviewStep

REVIEWERS = frozenset(reviews.REVIEWERS)


class ReviewStepSerializer(serializers.ModelSerializer[ReviewStep]):
    """One move of an item."""

    owner = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    actor = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = ReviewStep
        fields: ClassVar = ["status_before", "status_after", "owner", "actor", "reason", "at"]


class ReviewItemSerializer(serializers.ModelSerializer[ReviewItem]):
    """A shift of one source and type, the figures before and now, and what became of it."""

    type = serializers.CharField(source="stream.event_type")
    policy_version = serializers.IntegerField(source="policy.version")
    owner = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    steps = ReviewStepSerializer(many=True)

    class Meta:
        model = ReviewItem
        fields: ClassVar = [
            "id",
            "kind",
            "type",
            "status",
            "owner",
            "before",
            "now",
            "chance",
            "policy_version",
            "minute",
            "last_seen_at",
            "opened_at",
            "steps",
        ]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Every serializer has a `source` of its own, so this field cannot be a class attribute.
        return {**super().get_fields(), "source": serializers.CharField(source="stream.source")}


class ReviewFilterSerializer(serializers.Serializer[Any]):
    """What items can be narrowed by."""

    status = serializers.ChoiceField(choices=ReviewItem.Status.choices, required=False)
    kind = serializers.ChoiceField(choices=ReviewItem.Kind.choices, required=False)


class AssignSerializer(serializers.Serializer[Any]):
    """Whose the item is from now on."""

    owner = serializers.CharField(max_length=150, help_text="The user name of a person of ops or engineering.")
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=1000)


class ResolveSerializer(serializers.Serializer[Any]):
    """What it was, and what was done."""

    reason = serializers.CharField(max_length=1000)


ITEMS = ReviewItem.objects.select_related("stream", "policy", "owner").prefetch_related("steps__owner", "steps__actor")


class ReviewListView(RuledView, GenericAPIView[ReviewItem]):
    """Items for review, newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class = ReviewItemSerializer
    queryset = ITEMS

    @extend_schema(
        parameters=[ReviewFilterSerializer], responses={200: ReviewItemSerializer(many=True), **READ_REFUSALS}
    )
    def get(self, request: Request) -> Response:
        wanted = ReviewFilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        page = self.paginate_queryset(self.get_queryset().filter(**wanted.validated_data))
        return self.get_paginated_response(ReviewItemSerializer(page, many=True).data)


class ReviewItemView(RuledView, APIView):
    """One item with all its steps."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: ReviewItemSerializer, **READ_REFUSALS})
    def get(self, request: Request, item_id: int) -> Response:
        return Response(_shown(item_id))


class AssignView(IdempotentWrites, RuledView, APIView):
    """Gives an item to a person who answers for it."""

    roles_by_method = {"POST": REVIEWERS}

    @extend_schema(request=AssignSerializer, responses={200: ReviewItemSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, item_id: int) -> Response:
        body = AssignSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        owner = User.objects.filter(username=body.validated_data["owner"]).first()
        if owner is None:
            raise InvalidInputError("There is no person of that name.", pointer="/owner")
        reviews.assign_item(
            item_id=item_id,
            owner=owner,
            reason=body.validated_data["reason"],
            actor=request.user,
            at=timezone.now(),
        )
        return Response(_shown(item_id))


class ResolveView(IdempotentWrites, RuledView, APIView):
    """Closes an item with its reason."""

    roles_by_method = {"POST": REVIEWERS}

    @extend_schema(request=ResolveSerializer, responses={200: ReviewItemSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, item_id: int) -> Response:
        body = ResolveSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        reviews.resolve_item(
            item_id=item_id, reason=body.validated_data["reason"], actor=request.user, at=timezone.now()
        )
        return Response(_shown(item_id))


def _shown(item_id: int) -> Any:
    item = ITEMS.all().filter(pk=item_id).first()
    if item is None:
        raise NotFoundError("There is no such review item.")
    return ReviewItemSerializer(item).data
