"""Arrays as PostgreSQL reads them, with what repeats written once."""

import pytest

from metering.store.literals import joined, nullable_array, plain_array, text_array


@pytest.mark.parametrize(
    ("texts", "literal"),
    [
        ([], "{}"),
        (["a"], '{"a"}'),
        (["a", "a", "a"], '{"a","a","a"}'),
        (['q"', 'q"'], '{"q\\"","q\\""}'),
        (["a\\", "b", "a\\"], '{"a\\\\","b","a\\\\"}'),
        (["", ""], '{"",""}'),
    ],
)
def test_texts_are_quoted(texts: list[str], literal: str) -> None:
    assert text_array(texts) == literal


@pytest.mark.parametrize("texts", [["\x1f"], ["\x1f", "\x1f"], ["a\x00", "a\x00"], ["a", "\x00"]])
def test_a_text_that_cannot_be_sent_is_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="control character"):
        text_array(texts)


@pytest.mark.parametrize(
    ("texts", "literal"),
    [
        ([], "{}"),
        ([None], "{NULL}"),
        ([None, None], "{NULL,NULL}"),
        ([None, '{"a":1}', None], '{NULL,"{\\"a\\":1}",NULL}'),
        (["a", "a"], '{"a","a"}'),
    ],
)
def test_what_is_absent_is_null(texts: list[str | None], literal: str) -> None:
    assert nullable_array(texts) == literal


def test_numbers_need_no_quotes() -> None:
    assert plain_array([]) == "{}"
    assert plain_array([7, 7, 7]) == "{7,7,7}"
    assert plain_array(number for number in (7, 8, 7)) == "{7,8,7}"


def test_texts_that_are_cut_apart_again_are_joined_as_they_are() -> None:
    assert joined([]) == ""
    assert joined(['{"a":"q\\""}']) == '{"a":"q\\""}'
    assert joined(["a", '"', "a"]) == 'a\x1f"\x1fa'


@pytest.mark.parametrize("texts", [["\x1f"], ["a", "b\x1fc"], ["a\x00", "b"]])
def test_a_text_that_would_be_cut_is_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="control character"):
        joined(texts)
