"""JSON bodies are read strictly: every number exact, every doubt a ValueError with one sentence."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import canonical
from core.http.parsing import read_strict_json


def test_decimals_are_exact() -> None:
    assert read_strict_json(b'{"a": 0.1, "b": 1e2, "c": 12}') == {"a": Decimal("0.1"), "b": Decimal("1E+2"), "c": 12}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting"),
        (b"\xff", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"NaN", "NaN is not JSON"),
        (b"-Infinity", "-Infinity is not JSON"),
        (b"1e400", "out of range"),
        (b"1e-400", "out of range"),
        (b"1e99999999999999999999", "out of range"),
        (b"9" * 61, "more than 60 digits"),
        (b"0." + b"9" * 60, "more than 60 digits"),
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'{"a": {"b": 1, "b": 2}}', "stands twice"),
        (b'["\\u0000"]', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'"\\ud800"', "surrogate"),
        (b"[" * 61 + b"]" * 61, "deeper than 60"),
        (b'{"a":' * 100_000, "deeper than 60"),
        (b"[" * 100_000, "deeper than 60"),
        ("٣".encode(), "Expecting value"),
        (b"1_000", "Extra data"),
        (b"01", "Extra data"),
    ],
)
def test_what_is_no_plain_bounded_json_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_strict_json(body)


def test_brackets_inside_texts_are_not_depth() -> None:
    assert read_strict_json(b'["' + b"[" * 500 + b'\\"[{"]') == ["[" * 500 + '"[{']
    assert read_strict_json(b"[" + b"[]," * 500 + b"[]]") == [[]] * 501


def test_a_text_may_hold_any_other_character() -> None:
    assert read_strict_json('"\\ud83d\\ude00 😀 \\n"'.encode()) == "😀 😀 \n"


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(plain)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert read_strict_json(canonical.canonical_bytes(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(ValueError):
        read_strict_json(body)
