"""Who calls the API: a Bearer key that acts as its person, or a signed-in member of staff."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiKey

PREFIX = "bo"
USED_RESOLUTION = timedelta(minutes=1)  # last_used_at is not written more often than this


def new_key(*, name: str, user: Any, scopes: list[str], at: datetime) -> tuple[ApiKey, str]:
    """Make a key; the returned text `bo_<public id>_<secret>` is shown once and cannot be read again."""
    public_id, secret = secrets.token_hex(8), secrets.token_hex(32)
    key = ApiKey.objects.create(
        public_id=public_id, secret_hash=hash_secret(secret), name=name, user=user, scopes=scopes, created_at=at
    )
    return key, f"{PREFIX}_{public_id}_{secret}"


def hash_secret(secret: str) -> str:
    """SHA-256 is enough for a random 256-bit secret; there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_key(text: str) -> ApiKey | None:
    """The live key for this text, compared in constant time; None for any other text."""
    prefix, _, rest = text.partition("_")
    public_id, _, secret = rest.partition("_")
    key = ApiKey.objects.select_related("user").filter(public_id=public_id, revoked_at=None).first()
    expected = key.secret_hash if key else hash_secret("")
    matches = hmac.compare_digest(expected, hash_secret(secret))
    return key if key and matches and prefix == PREFIX and key.user.is_active else None


def note_use(key: ApiKey, *, at: datetime) -> None:
    if key.last_used_at is None or at - key.last_used_at > USED_RESOLUTION:
        ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(last_used_at=at)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer bo_…`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        key = find_key(text.strip()) if text.isascii() and "\x00" not in text else None
        if key is None:
            raise AuthenticationFailed("The API key is unknown, revoked, or its person is no longer active.")
        note_use(key, at=timezone.now())
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="billing-ops"'


class StaffSessionAuthentication(SessionAuthentication):
    """The back office's own session, with CSRF, for the API page and for calls from the admin."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        answer = super().authenticate(request)
        return answer if answer and answer[0].is_staff else None
