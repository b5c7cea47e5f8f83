"""Keys of persons: made with the first thing that is kept of somebody, destroyed when that somebody is erased."""

import hmac
import secrets
import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from core import aead, sealing
from core.aead import KEY_BYTES, NONCE_BYTES, SealBrokenError
from core.errors import DomainError
from core.models import PersonalKey, WordsOfMany
from core.told import Told

NEIGHBOURS = 250  # who was entered together is shown together: their keys come in one statement
KEPT_SECONDS = 60.0  # how long another process may still open what was erased
KEPT_MAX = 20_000
NOT_KEPT = "What was written is not kept, for this person was erased."
_kept: dict[int, tuple[float, bytes]] = {}


class PersonErasedError(DomainError):
    """Nothing can be kept of a person whose key was destroyed."""

    code = "person_erased"


def make_key() -> PersonalKey:
    """A new key, wrapped; it is made in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('core_personalkey', 'id'))")
        ((key_id,),) = cursor.fetchall()
    key = secrets.token_bytes(KEY_BYTES)
    master, wrapped = sealing.wrap(key, key_id=key_id)
    _keep(key_id, key)
    made = PersonalKey(pk=key_id, master=master, wrapped=wrapped)
    made.save(force_insert=True)
    return made


def make_keys(count: int) -> list[int]:
    """The numbers of so many new keys, in two statements."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('core_personalkey', 'id')) FROM generate_series(1, %s)", [count]
        )
        numbers = [int(number) for (number,) in cursor.fetchall()]
        keys = {number: secrets.token_bytes(KEY_BYTES) for number in numbers}
        wrapped = [sealing.wrap(key, key_id=number) for number, key in keys.items()]
        cursor.execute(
            "INSERT INTO core_personalkey (id, master, wrapped)"
            " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bytea[])",
            [numbers, [master for master, _ in wrapped], [packed for _, packed in wrapped]],
        )
    for number, key in keys.items():
        _keep(number, key)
    return numbers


def seal_for(row: Any, text: str) -> str:
    """The text under the key of who this row is about; plain for a row from before there were keys, as all of it is."""
    return text if row.personal_key_id is None else seal_text(text, key_id=row.personal_key_id)


def tell_about(row: Any, text: str) -> Told:
    """What somebody wrote about whom this row is about, to be kept under that one's key with the rest."""
    return tell_under(row.personal_key_id, text)


def tell_under(key_id: int | None, text: str) -> Told:
    """The text with its sealed form; once that key is destroyed nothing of it is kept, and work goes on all the same.

    Its sealed form ends with a salted hash of the text, so that a pack can prove the words to whoever has no key.
    Without a key, which a row from before there were keys has not, it is kept as it is. What was told of many stays
    under its own key (`told_of_many`), so that one of them who is erased takes it along everywhere.
    """
    if key_id is None or (is_told_of_many(text) and not is_destroyed(key_id)):
        return text if isinstance(text, Told) else Told(text, text)
    try:
        sealed = seal_text(text, key_id=key_id)
        return Told(text, f"{sealed}.{sealing.promise(text, salt=salt_of(sealed))}" if sealed else "")
    except PersonErasedError:
        return Told(NOT_KEPT, NOT_KEPT)


def is_told_of_many(text: str) -> bool:
    """Whether this text came sealed under the key of a text about many."""
    token = sealing.read_token(text.kept) if isinstance(text, Told) else None
    return token is not None and WordsOfMany.objects.filter(key=token[0]).exists()


def salt_of(sealed: str) -> str:
    """What is hashed with the words behind a sealed text; it follows from the key, and is gone with it ("")."""
    token = sealing.read_token(sealed)
    key = None if token is None else _key(token[0])
    return "" if key is None or token is None else hmac.digest(key, b"salt of " + token[1], "sha256")[:16].hex()


def destroy_keys(key_ids: Collection[int], *, at: datetime) -> int:
    """Forget these keys for good; how many there still were."""
    for key_id in key_ids:
        _kept.pop(key_id, None)
    alive = PersonalKey.objects.filter(pk__in=key_ids, destroyed_at=None)
    return alive.update(wrapped=None, destroyed_at=at)


def seal_text(text: str, *, key_id: int) -> str:
    """The text under that key; PersonErasedError where it was destroyed. An empty text stays empty."""
    return text and sealing.write_token(seal_under(key_id, text.encode()), key_id=key_id)


def open_text(text: str) -> str:
    """A sealed text as it was, "erased on …" once its key is gone, and any other text as it stands."""
    token = sealing.read_token(text)
    if token is None:
        return text
    opened = open_under(*token)
    return erased_words(token[0]) if opened is None else opened.decode()


def seal_bytes(content: bytes, *, key_id: int) -> bytes:
    """Bytes that name their key, as a sealed text does; PersonErasedError where it was destroyed."""
    return sealing.bytes_token(seal_under(key_id, content), key_id=key_id)


def open_bytes(content: bytes) -> bytes:
    """Sealed bytes as they were, none once their key is gone, and any others as they stand."""
    token = sealing.read_bytes_token(content)
    return content if token is None else open_under(*token) or b""


def open_within(value: Any) -> Any:
    """The same for every text inside a JSON value; one that only looks sealed stands there as it came."""
    if isinstance(value, str):
        try:
            return open_text(value)
        except SealBrokenError:
            return value
    if isinstance(value, dict):
        return {name: open_within(inner) for name, inner in value.items()}
    return [open_within(inner) for inner in value] if isinstance(value, list) else value


def text_sealer(key_id: int) -> Callable[[str, str], str] | None:
    """What seals texts under names so that the same text under the same name gives the same seal; None once destroyed.

    For what is recognised by a hash of it, such as an event that is sent again. The nonce is a keyed hash of name and
    text, so that two texts never share one.
    """
    key = _key(key_id)
    if key is None:
        return None
    for_nonces = hmac.digest(key, b"nonces of equal texts", "sha256")

    def seal(name: str, text: str) -> str:
        nonce = hmac.digest(for_nonces, orjson.dumps([name, text]), "sha256")[:NONCE_BYTES]
        return sealing.write_token(nonce + aead.encrypt(text.encode(), key=key, nonce=nonce), key_id=key_id)

    return seal


def sealer_of_nothing(key_id: int) -> Callable[[str, str], str]:
    """What stands where something of whoever was erased before stood: it reads "erased on …", and opens with no key."""

    def seal(_name: str, _text: str) -> str:
        return sealing.write_token(secrets.token_bytes(NONCE_BYTES + KEY_BYTES), key_id=key_id)

    return seal


def is_destroyed(key_id: int) -> bool:
    """Whether there was such a key and is none any more."""
    return _key(key_id) is None


def refuse_erased(key_id: int | None) -> None:
    """PersonErasedError where this key was destroyed: nothing is kept, and nothing changed, of who is forgotten."""
    if key_id is not None and _key(key_id) is None:
        raise PersonErasedError(f"This person was {erased_words(key_id)}; nothing more can be kept of them.")


def seal_under(key_id: int, content: bytes) -> bytes:
    """The bytes under that key; PersonErasedError where it was destroyed."""
    refuse_erased(key_id)
    return sealing.seal_bytes(content, key=_key(key_id) or b"")


def open_under(key_id: int, sealed: bytes) -> bytes | None:
    """What was sealed; None once the key is gone."""
    key = _key(key_id)
    return None if key is None else sealing.open_bytes(sealed, key=key)


def erased_words(key_id: int) -> str:
    """What stands where something stood, such as "erased on 26 Nov 2026"."""
    at = PersonalKey.objects.filter(pk=key_id).values_list("destroyed_at", flat=True).first()
    return f"erased on {at.day} {at:%b %Y}" if at else "erased"


def _key(key_id: int) -> bytes | None:
    found = _kept.get(key_id)
    if found is not None and found[0] > time.monotonic():
        return found[1]
    rows = PersonalKey.objects.filter(pk__range=(key_id - NEIGHBOURS, key_id + NEIGHBOURS), destroyed_at=None)
    for pk, master, wrapped in rows.values_list("pk", "master", "wrapped"):
        _keep(pk, sealing.unwrap(bytes(wrapped or b""), master=master, key_id=pk))
    found = _kept.get(key_id)
    return found[1] if found is not None and found[0] > time.monotonic() else None


def _keep(key_id: int, key: bytes) -> None:
    if len(_kept) >= KEPT_MAX:
        _kept.clear()
    _kept[key_id] = (time.monotonic() + KEPT_SECONDS, key)
