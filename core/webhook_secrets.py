"""Secrets of signed webhooks (Standard Webhooks): kept is a number from which the installation's key makes them."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator

from django.conf import settings

PREFIX = "whsec_"


def new_nonce() -> str:
    """The number that is kept of a new secret."""
    return secrets.token_hex(32)


def texts_of(nonce: str, *, purpose: bytes) -> Iterator[str]:
    """The secret as the installation's key makes it, and as a key that is being replaced did.

    `purpose` keeps the secrets of one use apart from those of every other.
    """
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        made = hmac.digest(str(key).encode(), purpose + nonce.encode(), hashlib.sha256)
        yield PREFIX + base64.b64encode(made).decode()
