"""How words and names stand in JSON that somebody else wrote: what to look for to find them there."""

import json
from collections.abc import Collection, Iterator

WHOLE_BELOW = 6  # characters; a shorter word is looked for as a whole text only


def forms_of(*, words: Collection[str], ids: Collection[str]) -> list[str]:
    """Every form, with and without escapes: of words anywhere inside a text, of ids as a whole text.

    And as they stand in JSON that is a text of JSON again, such as an event within an answer.
    """
    found = {form for word in words for form in _forms(word)} | {form for one in ids for form in _whole(one)}
    return sorted(found | {json.dumps(form, ensure_ascii=False)[1:-1] for form in found})


def _forms(word: str) -> Iterator[str]:
    if len(word) < WHOLE_BELOW:
        yield from _whole(word)
        return
    yield json.dumps(word, ensure_ascii=False)[1:-1]
    yield json.dumps(word)[1:-1]


def _whole(text: str) -> Iterator[str]:
    if text:
        yield json.dumps(text, ensure_ascii=False)
        yield json.dumps(text)
