"""Many events checked column by column give the very rows that each of them gives by itself, or none at all."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.rules import plain_block, sorting
from metering.rules.contract import check_plain, look_closely
from metering.rules.reading import Unreadable
from tests.rules.test_event_contract import GOOD, RULES
from tests.rules.test_plain_events import EVENTS

PLAIN = st.fixed_dictionaries(
    {
        "specversion": st.just("1.0"),
        "id": st.text('abc é"\\', min_size=1, max_size=3),
        "source": st.sampled_from(["api", "a b", "x" * 200]),
        "type": st.just("llm"),
        "subject": st.just("acme"),
        "time": st.sampled_from(["2026-01-15T00:00:00Z", "2026-01-15T00:00:00.5Z", "2026-02-01T00:00:00Z"]),
        "data": st.fixed_dictionaries(
            {"tokens": st.one_of(st.integers(0, 10**15), st.decimals(0, 9, places=2), st.just("1.50"))},
            optional={"x": st.one_of(st.text(max_size=3), st.lists(st.sampled_from(["\x1f", "a", {"b": 1}])))},
        ),
    }
)


def good(number: int, **changes: Any) -> dict[str, Any]:
    return GOOD | {"id": f"e-{number}"} | changes


@given(events=st.lists(st.one_of(PLAIN, PLAIN, EVENTS), min_size=1, max_size=3))
def test_a_block_never_says_otherwise_than_each_event_by_itself(events: list[dict[str, Any]]) -> None:
    rows = plain_block.check_events(events, RULES)
    assert rows is None or rows == [look_closely(event, RULES) for event in events]


@given(event=PLAIN)
def test_what_is_plain_by_itself_is_plain_in_a_block(event: dict[str, Any]) -> None:
    row = check_plain(event, RULES)
    is_left = any(mark in event["id"] for mark in '"\\') or "\x1f" in event["data"].get("x", [])
    assert is_left or plain_block.check_events([event] * 2, RULES) == (None if row is None else [row] * 2)


def test_more_events_than_a_piece_holds_come_in_order() -> None:
    events = [good(number) for number in range(2 * plain_block.PIECE + 1)]
    rows = plain_block.check_events(events, RULES)
    assert rows is not None
    assert [row.event_id for row in rows] == [f"e-{number}" for number in range(2001)]
    assert rows[-1] == look_closely(events[-1], RULES)


@pytest.mark.parametrize(
    "odd",
    [
        Unreadable("{", (), {}),
        good(9, time="2026-02-30T00:00:00Z"),
        good(9, time="2026-01-15T00:00:00.50Z"),
        good(9, time="2026-01-15T00:00:00Z\n2026-01-15T00:00:00Z"),
        good(9, time="2031-01-15T00:00:00Z"),
        good(9, data={"tokens": 10**15 + 1}),
        good(9, data={"tokens": Decimal("1e-19")}),
        good(9, data={"tokens": True}),
        good(9, data={"tokens": 3, "model": "\x00"}),
        good(9, data=[{"tokens": 3}]),
        good(9, region="eu"),
        good(9, id=""),
        good(9, id="x" * 201),
        good(9, id=" a"),
        good(9, id=7),
        good(9, source=["api"]),
        good(9, type="nobody"),
        good(9, subject="nobody"),
        {name: value for name, value in good(9).items() if name != "data"},
    ],
)
def test_one_odd_event_sends_the_whole_block_to_a_closer_look(odd: Any) -> None:
    assert plain_block.check_events([good(1), odd, good(2)], RULES) is None


def test_a_delivery_sorted_at_once_is_sorted_as_one_event_after_the_other() -> None:
    ids = [5, 3, 5, 9, 1, 3, 3, 7, 2]
    sources = ["api", "web", "api", "api", "web", "web", "api", "api", "api"]
    events = [good(number, source=source) for number, source in zip(ids, sources, strict=True)]
    found = sorting.sort_delivery(events, rules=RULES)
    rows = [look_closely(event, RULES) for event in events]
    order = [8, 6, 0, 7, 3, 4, 1]
    assert found.first == [(index, rows[index]) for index in order]
    assert found.repeats == [(index, rows[index]) for index in (2, 5)]
    assert (found.held, found.corrections) == ([], [])
    assert found.types == {found.first[0][1].contract_id: "llm"}
    outcome = sorting.judge_delivery(found, known={}, batch_id=0)
    assert [index for index, _event in outcome.duplicates] == [2, 5]
