"""The front door and the description of the API."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response


def show_home(request: HttpRequest) -> HttpResponse:
    """Staff go to the back office; everybody else to the portal, which asks who they are."""
    return redirect("admin:index" if request.user.is_authenticated and request.user.is_staff else "/portal/")


@cache
def api_description() -> Any:
    """The OpenAPI document: the same for everybody and for as long as the process runs."""
    return SchemaGenerator().get_schema(request=None, public=True)


class SchemaView(SpectacularAPIView):
    """`/api/v1/schema/`: open, because it holds no data."""

    permission_classes = [AllowAny]
    authentication_classes = []

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(api_description(), headers={"Content-Disposition": 'inline; filename="billing-ops.yaml"'})


class DocsView(SpectacularSwaggerSplitView):
    """`/api/v1/docs/`: the same as a page, with a key of one's own to try the calls."""

    permission_classes = [AllowAny]
    authentication_classes = []
