"""The short way to accept a plain event gives the very row that the long way gives, or leaves it to that."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.rules.contract import BillableEvent, check_event, check_plain, look_closely
from tests.rules.test_event_contract import GOOD, RULES

TEXTS = st.one_of(
    st.text(max_size=8), st.sampled_from(["api", "a b", " a", "a ", "é", "", "x" * 200, "x" * 201, "\x7f"])
)
TIMES = st.one_of(
    TEXTS,
    st.sampled_from(
        [
            "2026-01-15T00:00:00Z",
            "2026-01-15T00:00:00.5Z",
            "2026-01-15T00:00:00.50Z",
            "2026-01-15T00:00:00.123456Z",
            "2026-01-15T00:00:00.1234567Z",
            "2026-01-15T00:00:00+00:00",
            "2026-01-15t00:00:00z",
            "2026-01-15 00:00:00Z",
            "2026-01-15T24:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-01-31T23:59:60Z",
            "2026-01-01T00:00:00Z",
            "2026-02-01T00:00:00Z",
            "2026-02-01T00:00:00.000001Z",
            "2025-12-31T23:59:59.999999Z",
            "0001-01-01T00:00:00Z",
        ]
    ),
)
ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), TEXTS, st.just([]), st.just({}))
DATA = st.dictionaries(
    st.sampled_from(["tokens", "model", "when", "a/b~c", "other"]),
    st.one_of(ANYTHING, st.decimals(allow_nan=False, allow_infinity=False, places=2), st.sampled_from(["big", "1.50"])),
    max_size=5,
)
EVENTS = st.fixed_dictionaries(
    {
        "specversion": st.one_of(st.just("1.0"), ANYTHING),
        "id": st.one_of(TEXTS, ANYTHING),
        "source": st.one_of(TEXTS, ANYTHING),
        "type": st.one_of(st.sampled_from(["llm", "draft.only", "nobody"]), ANYTHING),
        "subject": st.one_of(st.sampled_from(["acme", "nobody"]), ANYTHING),
        "time": st.one_of(TIMES, ANYTHING),
        "data": st.one_of(DATA, ANYTHING),
    },
    optional={"region": ANYTHING, "corrects": ANYTHING, "traceparent": TEXTS},
)


@given(event=EVENTS)
def test_the_short_way_never_says_otherwise_than_the_long_one(event: dict[str, Any]) -> None:
    short = check_plain(event, RULES)
    assert short is None or short == look_closely(event, RULES)


@given(name=st.sampled_from(sorted(GOOD)), value=st.one_of(ANYTHING, TIMES, DATA))
def test_one_attribute_at_a_time(name: str, value: Any) -> None:
    event = GOOD | {name: value}
    short = check_plain(event, RULES)
    assert short is None or short == look_closely(event, RULES)


@pytest.mark.parametrize("time", ["2026-01-15T00:00:00Z", "2026-01-15T00:00:00.123456Z", "2026-02-01T00:00:00Z"])
def test_a_plain_event_takes_the_short_way(time: str) -> None:
    event = GOOD | {"time": time}
    assert isinstance(check_plain(event, RULES), BillableEvent)
    assert check_event(event, rules=RULES) == look_closely(event, RULES)


@pytest.mark.parametrize(
    "change",
    [
        {"time": "2026-01-15T00:00:00.50Z"},
        {"time": "2026-01-15T00:00:00+00:00"},
        {"region": "eu"},
        {"id": " a"},
        {"data": {"tokens": 3, "model": "Big"}},
        {"data": {"tokens": 3, "model": "big", "x": "\x00"}},
        {"subject": "nobody"},
        {"type": ["llm"]},
        {"specversion": "0.3"},
    ],
)
def test_anything_else_is_left_to_a_closer_look(change: dict[str, Any]) -> None:
    assert check_plain(GOOD | change, RULES) is None
