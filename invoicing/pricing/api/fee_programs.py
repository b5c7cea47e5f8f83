"""`fee-programs` with their versions: read, proposed by one person and decided by another."""

from datetime import date
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import validators
from accounts.permissions import READERS, RuledView
from core.errors import NotFoundError
from core.http.fields import InstantField, JsonField
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from invoicing.pricing import fee_programs
from invoicing.pricing.api.serializers import DECIDED
from invoicing.pricing.fee_programs import Source
from invoicing.pricing.models import FeeProgram, FeeProgramVersion
from invoicing.pricing.proposals import APPROVERS, AUTHORS

SAYS = ("version", "effective_at", "terms", "source", "source_date", "source_kind", "note")


class FeeVersionSerializer(serializers.ModelSerializer[FeeProgramVersion]):
    """The figures of a program from an instant on, where they were read, and who decided."""

    created_by = serializers.CharField(source="created_by.username", allow_null=True, default=None)
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)
    terms = JsonField(help_text="Tables by currency and country, and policies; numbers as decimal strings.")

    class Meta:
        model = FeeProgramVersion
        fields: ClassVar = ["id", *SAYS, *DECIDED]


class FeeProgramSerializer(serializers.ModelSerializer[FeeProgram]):
    """A fee program with all its versions."""

    versions = FeeVersionSerializer(many=True, read_only=True)

    class Meta:
        model = FeeProgram
        fields: ClassVar = ["code", "name", "description", "takes_effect", "versions"]


class NewProgramSerializer(serializers.Serializer[FeeProgram]):
    """A program without versions."""

    code = serializers.CharField(max_length=60, validators=[validators.CODE])
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    takes_effect = serializers.ChoiceField(FeeProgram.TakesEffect.choices)


class NewFeeVersionSerializer(serializers.Serializer[FeeProgramVersion]):
    """The next figures, and where they stand."""

    terms = JsonField(help_text="Tables by currency and country, and policies; numbers as decimal strings.")
    source_date = serializers.DateField()
    source_kind = serializers.ChoiceField(FeeProgramVersion.SourceKind.choices)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)
    effective_at = InstantField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # A name that no class attribute of a serializer can have.
        return {**super().get_fields(), "source": serializers.CharField(max_length=300)}


class ProgramListView(IdempotentWrites, RuledView, GenericAPIView[FeeProgram]):
    """Fee programs, and making one; it charges nothing until a version is approved."""

    roles_by_method = {"GET": READERS, "POST": AUTHORS}
    serializer_class = FeeProgramSerializer
    queryset = FeeProgram.objects.prefetch_related("versions__created_by", "versions__decided_by")

    @extend_schema(responses={200: FeeProgramSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(FeeProgramSerializer(page, many=True).data)

    @extend_schema(request=NewProgramSerializer, responses={201: FeeProgramSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewProgramSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        program = fee_programs.create_program(**body.validated_data, actor=request.user, at=timezone.now())
        return Response(FeeProgramSerializer(program).data, status=status.HTTP_201_CREATED)


class ProgramVersionListView(IdempotentWrites, RuledView, APIView):
    """Proposes the next figures of a program."""

    roles_by_method = {"POST": AUTHORS}

    @extend_schema(request=NewFeeVersionSerializer, responses={201: FeeVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str) -> Response:
        program = FeeProgram.objects.filter(code=code).first()
        if program is None:
            raise NotFoundError(f"There is no fee program {code}.")
        body = NewFeeVersionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = body.validated_data
        read_on: date = given["source_date"]
        version = fee_programs.propose_version(
            program=program,
            terms=given["terms"],
            source=Source(text=given["source"], read_on=read_on, kind=given["source_kind"], note=given["note"]),
            effective_at=given["effective_at"],
            actor=request.user,
            at=timezone.now(),
        )
        return Response(FeeVersionSerializer(version).data, status=status.HTTP_201_CREATED)


class ApproveProgramVersionView(IdempotentWrites, RuledView, APIView):
    """Puts proposed figures in force from their instant on; another person than their author does it."""

    roles_by_method = {"POST": APPROVERS}

    @extend_schema(request=None, responses={200: FeeVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str, version: int) -> Response:
        found = fee_programs.find_version(program_code=code, version=version)
        decided = fee_programs.approve_version(pk=found.pk, actor=request.user, at=timezone.now())
        return Response(FeeVersionSerializer(decided).data)


class WithdrawProgramVersionView(IdempotentWrites, RuledView, APIView):
    """Turns proposed figures down; they are kept."""

    roles_by_method = {"POST": AUTHORS}

    @extend_schema(request=None, responses={200: FeeVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str, version: int) -> Response:
        found = fee_programs.find_version(program_code=code, version=version)
        decided = fee_programs.withdraw_version(pk=found.pk, actor=request.user, at=timezone.now())
        return Response(FeeVersionSerializer(decided).data)
