"""Who calls: a Bearer key that acts as its person, a signed-in member of staff, or somebody who tries passwords."""

import base64
import binascii
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import keys, sign_in
from accounts.models import ApiKey

KEY_LENGTH_MAX = 200
TOKEN_LENGTH_MAX = 400


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer bo_…`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        text = self.read_key(scheme.lower(), rest.strip())
        if text is None:
            return None
        key = live_key(text)
        if key is None:
            raise AuthenticationFailed("The API key is unknown, revoked, or its person is no longer active.")
        return key.user, key

    def read_key(self, scheme: str, text: str) -> str | None:
        """Give the key that the header brings; None where it brings something else."""
        return text if scheme == "bearer" else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="billing-ops"'


class BasicKeyAuthentication(ApiKeyAuthentication):
    """The same, and the key as the user of `Authorization: Basic`, as `curl -u KEY:` sends it to Stripe."""

    def read_key(self, scheme: str, text: str) -> str | None:
        if scheme != "basic":
            return super().read_key(scheme, text)
        try:
            user, _, _password = base64.b64decode(text, validate=True).decode("latin-1").partition(":")
        except (binascii.Error, ValueError):  # ValueError: what is not ASCII
            return ""
        return user


def live_key(text: str) -> ApiKey | None:
    """The live key of this text, whose use is noted; None for any other text."""
    is_plain = text.isascii() and text.isprintable() and len(text) <= KEY_LENGTH_MAX
    key = keys.find_key(text) if is_plain else None
    if key is not None:
        keys.note_use(key, at=timezone.now())
    return key


class EventSessionAuthentication(BaseAuthentication):
    """`Authorization: Bearer bos_…`: a token that a key was given for a quarter of an hour, to send events with."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text.startswith(keys.SESSION_PREFIX):
            return None
        is_plain = text.isascii() and text.isprintable() and len(text) <= TOKEN_LENGTH_MAX
        key = keys.find_session(text, at=timezone.now()) if is_plain else None
        if key is None:
            raise AuthenticationFailed("The session has ended, or its key was revoked; open another.")
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="billing-ops"'


class StaffSessionAuthentication(SessionAuthentication):
    """The back office's own session, with CSRF, for the API page and for calls from the admin."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        answer = super().authenticate(request)
        return answer if answer and answer[0].is_staff else None


class GuardedBackend(ModelBackend):
    """Passwords, with a lock after ten wrong ones in a row under one name; for the back office and the portal."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        if username is None or password is None:
            return None
        if not sign_in.count_attempt(name=username, at=timezone.now()):
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None:
            sign_in.forget_failures(name=username)
        return user
