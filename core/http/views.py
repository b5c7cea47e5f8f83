"""What writing API views share: a repeated Idempotency-Key gets the first answer and makes no second effect."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils import timezone
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.http import idempotency

Method = Callable[..., HttpResponseBase]
ERROR_FROM = 500


class IdempotentWrites(APIView):
    """Mix in before the other bases. Answer and effect commit together; a failed call (5xx) frees its key.

    The method runs inside one transaction, so what it calls must not ask to be the outermost one. `keyed_methods` are
    those whose repeat would find another state than the first call did, so that they refuse to run without a key.
    """

    keyed_methods: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Once the caller is known and allowed, run the method under its key, if it has one."""
        super().initial(request, *args, **kwargs)
        header = request.headers.get("Idempotency-Key")
        name = str(request.method).lower()
        if header is None and request.method in self.keyed_methods:
            raise idempotency.MissingKeyError(
                "Send an Idempotency-Key with this call, so that it can be repeated safely."
            )
        if header is not None and request.method not in SAFE_METHODS and hasattr(self, name):
            call = idempotency.Call(
                actor=f"user:{request.user.pk}",
                route=f"{request.method} {resolve(request.path_info).route}"[:200],
                key=idempotency.clean_key(header),
                request_hash=idempotency.hash_request(path=request.get_full_path(), body=request.body),
            )
            setattr(self, name, partial(self._run_once, call, getattr(self, name)))

    def _run_once(
        self, call: idempotency.Call, method: Method, request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        with transaction.atomic():
            stored = idempotency.claim(call, at=timezone.now())
            if stored is not None:
                return HttpResponse(
                    bytes(stored.body or b""),
                    status=stored.status,
                    content_type=stored.content_type,
                    headers={"Idempotency-Replayed": "true"},
                )
            response = self._answer(method, request, *args, **kwargs)
            if response.status_code >= ERROR_FROM:
                transaction.set_rollback(True)
            else:
                idempotency.store_answer(call, response)
        return response

    def _answer(self, method: Method, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The whole answer, refusals included; what was begun before a refusal is undone."""
        try:
            with transaction.atomic():
                response = method(request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  what nobody foresaw is raised again by the handler
            response = self.handle_exception(error)
        if not isinstance(response, Response):
            raise TypeError("a writing call answers with one whole body, not a stream")
        answer: Response = self.finalize_response(request, response, *args, **kwargs)
        answer.render()
        return answer
