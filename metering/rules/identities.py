"""How an id of any length becomes the key that is counted once: an index takes no more than some 2,700 bytes."""

import hashlib

STORED_LENGTH_MAX = 200  # of `source` and of the stored form of `id`
ID_LENGTH_MAX = 64 * 1024  # CloudEvents sets no limit to an id; 64 KiB is the event that it asks everyone to take
_SHOWN_LENGTH = 120


def stored_id(text: str) -> str:
    """Give an id as it is stored: itself, or from 201 characters on its beginning and the SHA-256 of the whole.

    The whole stays with the event (`extras`) and goes into its fingerprint, so an event that has the stored form for
    its own id is another event with the same identity: a conflict, and not lost.
    """
    if len(text) <= STORED_LENGTH_MAX or not text.isascii():  # any other text names no event that was ever accepted
        return text
    return f"{text[:_SHOWN_LENGTH]}~sha256:{hashlib.sha256(text.encode()).hexdigest()}"
