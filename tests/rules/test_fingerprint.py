"""The fingerprint: the same for the same event however it is written, another for any other."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metering.rules import exact_json, fingerprint

NAMES = ("api/eu", "a", "llm.tokens", "acme", "2026-03-02T11:00:00Z")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | decimals | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=6)


def mark(data: dict[str, Any], *, names: tuple[str, ...] = NAMES, extras: dict[str, Any] | None = None) -> bytes:
    return fingerprint.fingerprint_event(*names, data=exact_json.write(data), extras=extras or {})


def shuffled(value: Any) -> Any:
    """The same JSON with the names of every object in reverse."""
    if isinstance(value, dict):
        return {name: shuffled(inner) for name, inner in reversed(list(value.items()))}
    return [shuffled(inner) for inner in value] if isinstance(value, list) else value


def test_it_is_the_sha_256_of_identity_data_and_extras() -> None:
    head = b'["api/eu","a","llm.tokens","acme","2026-03-02T11:00:00Z"]'
    expected = hashlib.sha256(head + b'\n{"a":0.10,"b":1}\n{"region":"x"}').digest()
    assert mark({"b": 1, "a": Decimal("0.10")}, extras={"region": "x"}) == expected


@given(objects)
def test_the_order_of_names_never_matters(data: dict[str, Any]) -> None:
    assert mark(data) == mark(shuffled(data))


@given(objects)
def test_writing_and_reading_again_never_matters(data: dict[str, Any]) -> None:
    assert mark(data) == mark(exact_json.read(exact_json.write(data).decode()))


@given(objects, objects)
def test_other_data_is_another_event(data: dict[str, Any], other: dict[str, Any]) -> None:
    assert (mark(data) == mark(other)) == (exact_json.write(data) == exact_json.write(other))


def test_every_part_of_the_identity_counts() -> None:
    marks = {mark({}, names=(*NAMES[:place], "x", *NAMES[place + 1 :])) for place in range(5)}
    assert len({mark({}), *marks}) == 6


def test_parts_cannot_run_into_each_other() -> None:
    assert mark({}, names=("ab", "c", "t", "s", "z")) != mark({}, names=("a", "bc", "t", "s", "z"))


def test_another_trace_is_still_the_same_event() -> None:
    traced = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "a=1"}
    assert mark({}) == mark({}, extras=traced)
    assert mark({}, extras={"region": "eu"}) == mark({}, extras={"region": "eu"} | traced)
    assert mark({}) != mark({}, extras={"region": "eu"})


def test_numbers_are_written_as_jsonb_gives_them_back() -> None:
    numbers = ["1E+3", "1.50", "-0", "-0.00", "1.5E+3", "15E-4", "1.50E1", "0E+2", "-1E-3"]
    written = exact_json.write([Decimal(number) for number in numbers]).decode()
    assert written == "[1000,1.50,0,0.00,1500,0.0015,15.0,0,-0.001]"


def test_long_integers_survive() -> None:
    assert exact_json.write(exact_json.read("[123456789012345678901234567890]")) == b"[123456789012345678901234567890]"
    assert json.loads(exact_json.write({"n": exact_json.read("9223372036854775808")})) == {"n": 9223372036854775808}
