"""Stripe's webhooks: no key, a signature."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from invoicing.payments import webhooks


class StripeWebhookView(APIView):
    """Takes what Stripe tells; answers 200 for whatever was kept, so that it is not sent again."""

    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[Any] = (AllowAny,)
    schema = None

    def post(self, request: Request) -> Response:
        header = request.headers.get("Stripe-Signature", "")
        event = webhooks.receive(header=header, body=request._request.body, at=timezone.now())  # noqa: SLF001  as sent
        return Response({"received": event.event_id, "outcome": event.outcome})
