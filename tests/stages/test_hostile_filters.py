"""Five hundred hostile names and values: each is refused, or is a value that no statement is made of."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metering import queries
from metering.models import Meter
from metering.rules import filters
from metering.rules.filters import FilterError
from metering.rules.readings import Reading
from metering.rules.windows import UsageWindow
from metering.store import measuring
from metering.store.measuring import MeterReading
from tests.builders import usage

pytestmark = pytest.mark.django_db

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
FRAGMENTS = [
    "'",
    "''",
    '"',
    "';--",
    "' OR 1=1 --",
    '" OR ""="',
    "'; DROP TABLE metering_usageevent; --",
    "') OR TRUE; --",
    "1) OR (1=1",
    "' UNION SELECT usename FROM pg_user --",
    "model') = 'x' OR ('1'='1",
    "$1",
    "%s",
    "%(value_property)s",
    "{value}",
    "{{7*7}}",
    "$$; SELECT pg_sleep(9); $$",
    "\\",
    "\\'",
    "/* */",
    "x/**/OR/**/1=1",
    "$.model ? (@ == 1)",
    "$.**",
    "#>> '{}'",
    "e.data",
    "w.filters",
    "pg_sleep(9)",
    "lo_import('/etc/passwd')",
    "COPY x TO PROGRAM 'id'",
    "model__gt",
    "model__regex",
    "data__model__isnull",
    "pk__in",
    "customer__legal_name",
    "_connector",
    "_negated",
    "_connector=OR",
    "__class__",
    "__init__",
    "(a+)+$",
    "(.*a){20}",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(?=x)",
    "[" * 100,
    "a" * 500,
    "\u202emodel",
    "mode\u200bl",
    "\u043c\u043e\u0434\u0435\u043b\u044c",
    "\U0001f4a3",
    "constructor",
]
SHAPES = ("name", "value", "values", "value_list", "range", "group", "operator", "extra", "value_property", "both")


def hostile() -> Iterator[tuple[str, str]]:
    yield from product(SHAPES, FRAGMENTS)


def filter_of(shape: str, text: str) -> dict[str, Any]:
    usual: dict[str, Any] = {"property": "model", "operator": "equals", "value": "large"}
    return {
        "name": usual | {"property": text},
        "value": usual | {"value": text},
        "values": {"property": "model", "operator": "in", "values": [text, "large"]},
        "value_list": usual | {"value": [text]},
        "range": {"property": "model", "operator": "range", "from": text},
        "operator": usual | {"operator": text},
        "extra": usual | {text: text},
        "both": {"property": text, "operator": "in", "values": [text]},
    }.get(shape, usual)


def reading_of(shape: str, text: str) -> Reading | None:
    """The meter that says it; None where it is refused before anything is asked of the database."""
    try:
        found = filters.parse_filters([filter_of(shape, text)])
    except FilterError:
        return None
    named = text if shape == "value_property" else "input_tokens"
    return Reading(aggregation="sum", value_property=named, filters=found)


def test_none_of_five_hundred_reaches_a_statement_as_text() -> None:
    usage.house()
    usage.capture(usage.event(data={"input_tokens": 3, "output_tokens": 5, "model": "large"}))
    meter = Meter.objects.get()
    window = UsageWindow(usage.customer().pk, meter.pk, MARCH, APRIL)
    tried, statements, measured = 0, set(), 0
    for shape, text in hostile():
        tried += 1
        reading = reading_of(shape, text)
        if reading is None:
            continue
        pair = (window, MeterReading(contract_id=meter.contract_id, reading=reading))
        with CaptureQueriesContext(connection) as asked:
            (found,) = measuring.measure_windows([pair], up_to_seq=10**9)
        measured += 1
        statements |= {query["sql"] for query in asked}
        assert found.quantity in (0, 3)
    assert tried == 500
    assert measured > 100
    # The same few statements, whatever stood in the filters: nothing of them is in their text.
    assert len({sql for sql in statements if "SAVEPOINT" not in sql}) <= 6
    assert usage.capture(usage.event("b")).accepted == 1


@pytest.mark.parametrize("text", FRAGMENTS)
def test_a_hostile_group_is_refused_or_groups_by_nothing(text: str) -> None:
    usage.house()
    if text.isprintable():
        properties: dict[str, Any] = {"input_tokens": {}, "output_tokens": {}, text: {}}
        usage.contract(schema={"properties": properties}, billing_fields=["input_tokens", "output_tokens"])
        usage.capture(usage.event(data={"input_tokens": 3, "output_tokens": 5, "model": "large"}))
    with CaptureQueriesContext(connection) as asked:
        try:
            found = queries.live_usage(
                customer_id=usage.customer().pk, meter=Meter.objects.get(), start=MARCH, end=APRIL, group_by=[text]
            )
        except queries.UsageQuestionError:
            return
    assert all(row.group == {text: None} for row in found.rows)
    grouping = [query["sql"] for query in asked if "read.grouping" in query["sql"]]
    assert len(grouping) == 1
