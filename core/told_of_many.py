"""What somebody wrote about many persons at once: under a key of its own, which goes with the first of them.

Such a text cannot lie under the key of each, for then whoever is erased would still be spoken of under the others'.
"""

import re
from collections.abc import Collection, Iterable

from django.db import connection, transaction

from core import personal_keys, sealing
from core.models import OneOfMany, PersonalKey, WordsOfMany
from core.personal_keys import NOT_KEPT
from core.told import Told, kept

_ADD = """
INSERT INTO core_oneofmany (key_id, person_id) SELECT %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING
"""


@transaction.atomic
def tell_of_many(text: str, *, about: Iterable[int | None]) -> Told:
    """The text with its sealed form; `about` are the keys of those it is about, who may be nobody in particular.

    It is not kept where one of them was erased already.
    """
    persons = {key_id for key_id in about if key_id is not None}
    if not text:
        return Told("", "")
    if _is_one_erased(persons):
        return Told(NOT_KEPT, NOT_KEPT)
    key = personal_keys.make_key()
    _add(key.pk, persons)
    return _tell(text, key_id=key.pk)


@transaction.atomic
def tell_of_same(told: str, text: str) -> str:
    """What is written later about the same people, under the same key; as it came where that was not told of many."""
    key_id = key_of(told)
    return text if key_id is None or key_of(text) == key_id else _tell(text, key_id=key_id)


def add_people(told: str, *, about: Iterable[int | None]) -> None:
    """Say of a text that was told before whom else it is about."""
    key_id = key_of(told)
    if key_id is not None:
        _add(key_id, {person for person in about if person is not None})


def key_of(text: str) -> int | None:
    """The key of a text that was told of many; None for any other."""
    token = sealing.read_token(kept(text))
    return token[0] if token and WordsOfMany.objects.filter(key=token[0]).exists() else None


def keys_about(key_ids: Collection[int], *, said: Iterable[str] = ()) -> list[int]:
    """The keys of texts about any of these persons, or that say one of these words or ids as a whole."""
    about = OneOfMany.objects.filter(person__in=key_ids, key__destroyed_at=None)
    found = set(about.values_list("key", flat=True))
    if forms := [re.escape(word.casefold()) for word in said if word]:
        pattern = re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)")
        rest = WordsOfMany.objects.filter(key__destroyed_at=None).exclude(key__in=found).values_list("key", "kept")
        found |= {key for key, text in rest.iterator() if pattern.search(personal_keys.open_text(text).casefold())}
    return sorted(found)


def _tell(text: str, *, key_id: int) -> Told:
    told = personal_keys.tell_under(key_id, text)
    if told.kept != NOT_KEPT:
        WordsOfMany.objects.create(key_id=key_id, kept=told.kept)
    return told


def _add(key_id: int, persons: Collection[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [key_id, sorted(persons)])


def _is_one_erased(persons: Collection[int]) -> bool:
    """Whoever erases one of them meanwhile waits, and then finds the text."""
    locked = PersonalKey.objects.raw(
        "SELECT id, destroyed_at FROM core_personalkey WHERE id = ANY(%s::bigint[]) ORDER BY id FOR SHARE",
        [sorted(persons)],
    )
    return any(key.destroyed_at is not None for key in locked)
