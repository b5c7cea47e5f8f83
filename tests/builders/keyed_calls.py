"""Two writing calls that need an Idempotency-Key and answer as the test wants: what the cases on keys are sent to."""

from typing import ClassVar

from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.http.views import IdempotentWrites


class Keyed(IdempotentWrites, APIView):
    """Answers with `outcome`, and counts how often it ran."""

    permission_classes = (AllowAny,)
    keyed_methods: ClassVar[frozenset[str]] = frozenset({"POST"})
    outcome: ClassVar[int] = 201
    runs: ClassVar[int] = 0

    def post(self, _request: Request) -> Response:
        Keyed.runs += 1
        return Response({"run": Keyed.runs}, status=Keyed.outcome)


urlpatterns = [path("v1/a", Keyed.as_view()), path("v1/b", Keyed.as_view())]
