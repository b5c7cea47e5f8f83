"""Reading bodies: what is exact is read fast, what is not is read exactly, and each event stands for itself."""

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.rules import reading
from metering.rules.reading import NotABatchError, Unreadable

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
fractions = st.floats(-1e15, 1e15).filter(lambda number: number == 0 or abs(number) > 1e-30)
numbers = st.integers(-(10**30), 10**30) | fractions
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, json_values, max_size=4)


def exactly(value: Any) -> Any:
    """What exact reading must give for what `json.dumps` wrote."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def test_whole_numbers_and_texts_are_read_as_they_are() -> None:
    assert reading.read_document(b'[{"a": 1, "b": "x", "c": {"d": [true, null]}}]') == [
        {"a": 1, "b": "x", "c": {"d": [True, None]}}
    ]


def test_fractions_are_decimals() -> None:
    (event,) = reading.read_document(b'{"a": 0.1, "b": 1.50, "c": 1e3}')
    assert isinstance(event, dict)
    assert [str(event[name]) for name in "abc"] == ["0.1", "1.50", "1E+3"]


@pytest.mark.parametrize("number", ["9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 40])
def test_integers_of_any_use_are_exact(number: str) -> None:
    assert reading.read_document(b'{"a": %b}' % number.encode()) == [{"a": int(number)}]


@given(events=st.lists(objects, min_size=1, max_size=4), indent=st.sampled_from([None, 1]), is_ascii=st.booleans())
def test_nothing_is_lost_in_an_array(events: list[dict[str, Any]], indent: int | None, *, is_ascii: bool) -> None:
    body = json.dumps(events, indent=indent, ensure_ascii=is_ascii).encode()
    assert reading.read_document(body) == exactly(events)


@given(events=st.lists(objects, min_size=1, max_size=4), is_ascii=st.booleans())
def test_nothing_is_lost_in_lines(events: list[dict[str, Any]], *, is_ascii: bool) -> None:
    body = "\n".join(json.dumps(event, ensure_ascii=is_ascii) for event in events).encode()
    assert reading.read_lines(body) == exactly(events)


@given(texts, texts, st.sampled_from(["", " ", "\t", "\n ", " \r\n"]))
def test_a_repeated_name_is_always_found(name: str, value: str, blank: str) -> None:
    key, text = json.dumps(name), json.dumps(value)
    body = f'[{{"good":{text}}},{{{key}{blank}:{text},"other":1,{key}:{text}}}]'.encode()
    good, twice = reading.read_document(body)
    assert good == {"good": value}
    assert isinstance(twice, Unreadable)
    assert twice.reasons[0].code == "duplicate_key"


def test_what_cannot_be_read_is_kept_as_sent() -> None:
    raw = '{"id" : "x",  "a":NaN, "a": 1e999}'
    _, bad = reading.read_document(f"[{{}}, {raw} ]".encode())
    assert isinstance(bad, Unreadable)
    assert (bad.raw, bad.event["id"]) == (raw, "x")
    assert [found.code for found in bad.reasons] == ["number_not_finite", "number_out_of_range", "duplicate_key"]


@pytest.mark.parametrize(
    "number", ["1E99999999999999999999", "-1e-99999999999999999999", "1e999999999999999999", "1e41"]
)
def test_a_number_with_an_exponent_beyond_all_use_is_held_back_by_itself(number: str) -> None:
    body = f'{{"id":"a","n":1.5}}\n{{"id":"b","n":{number}}}'.encode()
    for found in (reading.read_lines(body), reading.read_document(b"[" + body.replace(b"\n", b",") + b"]")):
        assert found[0] == {"id": "a", "n": Decimal("1.5")}
        assert isinstance(found[1], Unreadable)
        assert [one.code for one in found[1].reasons] == ["number_out_of_range"]


def test_brackets_inside_texts_do_not_confuse_the_end_of_a_deep_event() -> None:
    deep = '{"a":"]}\\"[","deep":' + "[" * 2000 + "]" * 2000 + "}"
    first, second = reading.read_document(f'[{deep},{{"id":"next"}}]'.encode())
    assert isinstance(first, Unreadable)
    assert first.raw == deep
    assert second == {"id": "next"}


def test_depth_is_counted_the_same_fast_and_slow() -> None:
    for depth, is_read in ((63, True), (64, False)):
        nested = b'{"a":' + b"[" * depth + b"1" + b"]" * depth + b"}"
        exact = nested.replace(b"1", b"1.5")
        for body in (nested, exact):
            assert isinstance(reading.read_document(body)[0], dict) == is_read


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        found = reading.read_document(body)
    except NotABatchError:
        return
    assert all(isinstance(delivery, (dict, Unreadable)) for delivery in found)


@given(st.binary(max_size=60))
def test_any_bytes_are_lines(body: bytes) -> None:
    assert len(reading.read_lines(body)) == len([line for line in body.split(b"\n") if line.strip()])


@given(objects)
def test_a_single_kept_event_reads_back(event: dict[str, Any]) -> None:
    assert reading.read_one(json.dumps(event)) == exactly(event)


def test_orjson_alone_would_have_lost_these() -> None:
    """Why there is an exact reader at all: should orjson ever change, this says so."""
    assert orjson.loads('{"a":1,"a":2}') == {"a": 2}
    assert orjson.loads("18446744073709551616") == 1.8446744073709552e19
    assert orjson.loads("0.1000000000000000055") == 0.1


@pytest.mark.parametrize(
    ("data", "name", "value"),
    [
        ('{"n":1.5}', "n", Decimal("1.5")),
        ('{"n":1e2}', "n", Decimal("1E+2")),
        ('{"n":18446744073709551616}', "n", Decimal(18446744073709551616)),
        ('{"n":{"m":0.1}}', "n", {"m": Decimal("0.1")}),
        ('{"n":[0.1]}', "n", [Decimal("0.1")]),
        ('{"n":3,"t":"a\\":b","u":null,"w":true}', "n", 3),
    ],
)
def test_what_lies_in_data_is_as_exact_as_anything(data: str, name: str, value: Any) -> None:
    line = f'{{"id":"a","data":{data},"time":"t"}}'
    for event in reading.read_lines(f"{line}\n{line}".encode()):
        assert isinstance(event, dict)
        assert event["data"][name] == value
        assert type(event["data"][name]) is type(value)


@pytest.mark.parametrize(
    "event",
    [
        '{"id":"a","data":{"n":1,"n":2}}',
        '{"id":"a","id":"b","data":{"n":1}}',
        '{"id":"a","data":{"n":1},"data":{"n":2}}',
        '{"id":{"x":1,"x":2},"data":"d"}',
        '{"id":"a","data":{"n":1},"more":{"x":1,"x":2}}',
    ],
)
def test_a_name_that_stands_twice_is_found_beside_data_and_in_it(event: str) -> None:
    good = '{"id":"a","data":{"n":1}}'
    found = reading.read_lines(f"{good}\n{event}".encode())
    assert isinstance(found[0], dict)
    assert isinstance(found[1], Unreadable)
    assert [one.code for one in found[1].reasons] == ["duplicate_key"]
