"""Filters: what they let through, what is refused, and how they are said."""

from decimal import Decimal
from typing import Any

import pytest

from metering.rules import filters
from metering.rules.filters import FilterError

MODEL = {"property": "model", "operator": "in", "values": ["large", "small"]}
SIZE = {"property": "size", "operator": "range", "from": "1.5", "below": 10}


@pytest.mark.parametrize(
    ("raw", "data", "counts"),
    [
        ([], {}, True),
        ([MODEL], {"model": "large"}, True),
        ([MODEL], {"model": "Large"}, False),
        ([MODEL], {"model": ["large"]}, False),
        ([MODEL], {"model": None}, False),
        ([MODEL], {}, False),
        ([SIZE], {"size": Decimal("1.5")}, True),
        ([SIZE], {"size": "9.99"}, True),
        ([SIZE], {"size": 10}, False),
        ([SIZE], {"size": True}, False),
        ([SIZE], {"size": "1_0"}, False),
        ([MODEL, SIZE], {"model": "small", "size": 2}, True),
        ([MODEL, SIZE], {"model": "small", "size": 1}, False),
        ([{"property": "n", "operator": "equals", "value": 10}], {"n": Decimal("10.0")}, True),
        ([{"property": "n", "operator": "equals", "value": 10}], {"n": "10"}, True),
        ([{"property": "n", "operator": "equals", "value": "10"}], {"n": 10}, False),
        ([{"property": "n", "operator": "equals", "value": 1}], {"n": True}, False),
        ([{"property": "paid", "operator": "equals", "value": True}], {"paid": True}, True),
        ([{"property": "paid", "operator": "equals", "value": True}], {"paid": "true"}, False),
    ],
)
def test_all_conditions_must_hold_and_kinds_do_not_mix(raw: list[Any], data: dict[str, Any], counts: bool) -> None:
    assert filters.matches(filters.parse_filters(raw), data) is counts


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ({}, "/filters"),
        ([MODEL] * 21, "/filters"),
        (["model"], "/filters/0/operator"),
        ([{"property": "model", "operator": "__regex", "value": "x"}], "/filters/0/operator"),
        ([{"property": "", "operator": "equals", "value": "x"}], "/filters/0/property"),
        ([{"property": "a\x00", "operator": "equals", "value": "x"}], "/filters/0/property"),
        ([{"property": "a", "operator": "equals", "value": "\x00"}], "/filters/0"),
        ([{"property": "a", "operator": "equals", "value": "\ud800"}], "/filters/0"),
        ([{"property": "a", "operator": "equals", "value": None}], "/filters/0"),
        ([{"property": "a", "operator": "equals", "value": {}}], "/filters/0"),
        ([{"property": "a", "operator": "equals", "value": "x", "_connector": "OR"}], "/filters/0"),
        ([{"property": "a", "operator": "in", "values": []}], "/filters/0"),
        ([{"property": "a", "operator": "in", "values": [1, "1"]}], "/filters/0"),
        ([{"property": "a", "operator": "range", "from": 2, "below": 2}], "/filters/0"),
        ([{"property": "a", "operator": "range", "from": "1e3"}], "/filters/0"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(raw: Any, pointer: str) -> None:
    with pytest.raises(FilterError) as refusal:
        filters.parse_filters(raw)
    assert refusal.value.flaws[0].pointer == pointer


def test_only_what_the_contract_declares_is_filtered_by() -> None:
    with pytest.raises(FilterError, match="declares no property 'model'"):
        filters.parse_filters([MODEL], declared=["size"])


def test_a_filter_is_said_in_words() -> None:
    assert filters.in_words(MODEL) == "model is large or small"
    assert filters.in_words(SIZE) == "size from 1.5 below 10"
    assert filters.in_words({"property": "paid", "operator": "equals", "value": True}) == "paid is true"
