"""Keys over keys: a person's key lies in the database wrapped by a master key that does not.

A sealed text names its key, so it can be opened wherever it was copied to, and nowhere once that key is destroyed.
"""

import base64
import hashlib
import hmac
import re
import secrets
from functools import lru_cache

from django.conf import settings

from core import aead
from core.aead import NONCE_BYTES, SealBrokenError

DERIVED = b"billing-ops: keys of persons"
SEARCH = b"billing-ops: marks of words"
TOKEN = re.compile(r"sealed:1:([0-9]{1,19}):([A-Za-z0-9_-]{38,})(?:\.[A-Za-z0-9_-]{43})?")  # with what it promises
BYTES_TOKEN = re.compile(rb"sealed:1:([0-9]{1,19}):")
PREFIX_LENGTH_MIN = 3
MARK_LENGTH = 16
_WORD = re.compile(r"[^\W_]+")


def master_keys() -> dict[str, bytes]:
    """By their names, the one that wraps first: those of PERSONAL_DATA_KEYS, and one that follows from SECRET_KEY."""
    derived = hmac.new(settings.SECRET_KEY.encode(), DERIVED, hashlib.sha256).digest()
    keys = [*(bytes.fromhex(key) for key in settings.PERSONAL_DATA_KEYS), derived]
    return {hashlib.sha256(key).hexdigest()[:MARK_LENGTH]: key for key in keys}


def present_master() -> str:
    """The name of the master key that wraps now."""
    return next(iter(master_keys()))


def wrap(key: bytes, *, key_id: int) -> tuple[str, bytes]:
    """The name of the master key, and the key as it may lie in the database."""
    name, master = next(iter(master_keys().items()))
    return name, seal_bytes(key, key=master, bound_to=b"key %d" % key_id)


def unwrap(wrapped: bytes, *, master: str, key_id: int) -> bytes:
    """The person's key; SealBrokenError where its master key is not among ours."""
    if master not in (known := master_keys()):
        raise SealBrokenError(
            f"Key {key_id} is wrapped by the master key {master}; add that one to PERSONAL_DATA_KEYS again."
        )
    return open_bytes(wrapped, key=known[master], bound_to=b"key %d" % key_id)


def seal_bytes(text: bytes, *, key: bytes, bound_to: bytes = b"") -> bytes:
    """A nonce of its own and what it seals."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + aead.encrypt(text, key=key, nonce=nonce, bound_to=bound_to)


def open_bytes(sealed: bytes, *, key: bytes, bound_to: bytes = b"") -> bytes:
    """What was sealed; SealBrokenError for another key, another place or a changed byte."""
    return aead.decrypt(sealed[NONCE_BYTES:], key=key, nonce=sealed[:NONCE_BYTES], bound_to=bound_to)


def write_token(sealed: bytes, *, key_id: int) -> str:
    """Sealed bytes as a text that names its key."""
    return f"sealed:1:{key_id}:{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"


def read_token(text: str) -> tuple[int, bytes] | None:
    """Key and sealed bytes; None for a text that is not sealed."""
    found = TOKEN.fullmatch(text)
    if found is None:
        return None
    packed = found[2]
    return int(found[1]), base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))


def promise(text: str, *, salt: str) -> str:
    """What a sealed text may carry: whoever is shown text and salt can tell that it is what was sealed."""
    digest = hashlib.sha256(f"{salt}{text}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def bytes_token(sealed: bytes, *, key_id: int) -> bytes:
    """Sealed bytes with their key before them, for what is too big to be written as a text."""
    return b"sealed:1:%d:" % key_id + sealed


def read_bytes_token(content: bytes) -> tuple[int, bytes] | None:
    """Key and sealed bytes; None for bytes that are not sealed."""
    found = BYTES_TOKEN.match(content)
    return None if found is None else (int(found[1]), content[found.end() :])


def words_of(text: str) -> list[str]:
    """The words of a name, an address or a number, as they are looked for."""
    return _WORD.findall(text.casefold())


def marks_of(*texts: str) -> list[str]:
    """What the database keeps to find these texts by: keyed hashes of their words, and of their beginnings."""
    found = {
        word[:length]
        for text in texts
        for word in words_of(text)
        for length in range(min(PREFIX_LENGTH_MIN, len(word)), len(word) + 1)
    }
    return sorted(map(mark_of, found))


def mark_of(word: str) -> str:
    """The keyed hash of one word."""
    return hmac.new(_search_key(present_master()), word.encode(), hashlib.sha256).hexdigest()[:MARK_LENGTH]


@lru_cache(maxsize=8)
def _search_key(master: str) -> bytes:
    return hmac.new(master_keys()[master], SEARCH, hashlib.sha256).digest()
