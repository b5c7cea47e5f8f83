"""API keys: made once, kept as a hash, revoked for ever."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.db import DEFAULT_DB_ALIAS, transaction
from psycopg import sql

from accounts import roles
from accounts.models import ApiKey
from core import audit
from core.errors import DomainError, InvalidInputError, NotAllowedError
from core.statements import fetch_first

PREFIX = "bo"
SESSION_PREFIX = "bos_"
SESSION_SALT = "accounts.keys.session"
SESSION = timedelta(minutes=15)
USED_RESOLUTION = timedelta(minutes=1)  # last_used_at is not written more often than this


# What no call asks for is read when somebody does: to make an instant of each text takes longer than to find the key.
_KEY_COLUMNS = [field.attname for field in ApiKey._meta.concrete_fields if field.name != "created_at"]
_USER_COLUMNS = [
    field.attname for field in User._meta.concrete_fields if field.name not in ("password", "last_login", "date_joined")
]
_LIVE = (
    sql.SQL(
        """
        SELECT {key}, {person}, ARRAY(
            SELECT held.name::text FROM auth_user_groups AS member JOIN auth_group AS held ON held.id = member.group_id
            WHERE member.user_id = person.id)
        FROM accounts_apikey AS key JOIN auth_user AS person ON person.id = key.user_id
        WHERE key.public_id = %s AND key.revoked_at IS NULL
        """
    )
    .format(
        key=sql.SQL(", ").join(sql.Identifier("key", name) for name in _KEY_COLUMNS),
        person=sql.SQL(", ").join(sql.Identifier("person", name) for name in _USER_COLUMNS),
    )
    .as_string()
)


class AlreadyRevokedError(DomainError):
    """A revoked key stays revoked."""

    code = "key_already_revoked"


def new_key(*, name: str, user: Any, scopes: list[str], at: datetime, actor: Any = None) -> tuple[ApiKey, str]:
    """Make a key; the returned text `bo_<public id>_<secret>` is shown once and cannot be read again."""
    if not (user.is_active and user.is_staff):
        raise InvalidInputError("A key acts as an active member of staff.", pointer="/user")
    if actor is not None and actor != user and not actor.is_superuser:
        raise NotAllowedError("A key acts as its maker; only an administrator makes keys for others.")
    public_id, secret = secrets.token_hex(8), secrets.token_hex(32)
    with transaction.atomic():
        key = ApiKey.objects.create(
            public_id=public_id, secret_hash=hash_secret(secret), name=name, user=user, scopes=scopes, created_at=at
        )
        facts = {"name": name, "acts_as": user.username, "scopes": scopes}
        audit.append_entry(action="api_key.made", subject=f"api_key:{public_id}", actor=actor, facts=facts, at=at)
    return key, f"{PREFIX}_{public_id}_{secret}"


def revoke_key(*, key_id: int, reason: str, actor: Any, at: datetime) -> None:
    """Make the key useless from this instant on."""
    with transaction.atomic():
        key = ApiKey.objects.select_for_update().get(pk=key_id)
        if key.revoked_at is not None:
            raise AlreadyRevokedError("This key was revoked before; nothing changes.")
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
        subject = f"api_key:{key.public_id}"
        audit.append_entry(action="api_key.revoked", subject=subject, actor=actor, facts={"reason": reason}, at=at)


def find_key(text: str) -> ApiKey | None:
    """The live key for this text, compared in constant time; None for any other text."""
    prefix, _, rest = text.partition("_")
    public_id, _, secret = rest.partition("_")
    key = _find_live(public_id)
    expected = key.secret_hash if key else hash_secret("")
    matches = hmac.compare_digest(expected, hash_secret(secret))
    return key if key and matches and prefix == PREFIX and key.user.is_active else None


def _find_live(public_id: str) -> ApiKey | None:
    """The key, unless it was revoked, with its person and that person's groups in one statement: calls begin so."""
    found = fetch_first(_LIVE, [public_id])
    if not found:
        return None
    *columns, groups = found[0]
    key = ApiKey.from_db(DEFAULT_DB_ALIAS, _KEY_COLUMNS, columns[: len(_KEY_COLUMNS)])
    key.user = User.from_db(DEFAULT_DB_ALIAS, _USER_COLUMNS, columns[len(_KEY_COLUMNS) :])
    roles.remember_groups(key.user, groups)
    return key


def note_use(key: ApiKey, *, at: datetime) -> None:
    """Remember roughly when the key was last used."""
    if key.last_used_at is None or at - key.last_used_at > USED_RESOLUTION:
        ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(last_used_at=at)


def hash_secret(secret: str) -> str:
    """SHA-256 is enough for a random 256-bit secret; there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def open_session(key: ApiKey, *, at: datetime) -> tuple[str, datetime]:
    """A token that sends events as this key for 15 minutes, and when it ends; nothing is stored."""
    until = at + SESSION
    content = {"key": key.public_id, "until": int(until.timestamp())}
    return SESSION_PREFIX + signing.dumps(content, salt=SESSION_SALT), until


def find_session(text: str, *, at: datetime) -> ApiKey | None:
    """The live key of a session that has not ended; None for any other text."""
    try:
        content = signing.loads(text.removeprefix(SESSION_PREFIX), salt=SESSION_SALT)
    except signing.BadSignature:
        return None
    if at.timestamp() > content["until"]:
        return None
    key = _find_live(content["key"])
    return key if key and key.user.is_active else None
