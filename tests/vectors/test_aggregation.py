"""Agreement with what other systems count, accept and refuse."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from invoicing.cycle.rules import lifecycle
from metering.rules import aggregation, arrivals, buckets, contract, corrections, instants, reading, sorting
from metering.rules.aggregation import Measure, Observation, Span
from metering.rules.arrivals import Arrived
from metering.rules.contract import ContractInForce, DataRules, RuleBook
from metering.rules.corrections import Target
from metering.rules.readings import UNIQUE, Reading
from metering.rules.schema import Schema
from tests.vectors import cases
from tests.vectors.cases import Case

KINDS = {
    "sum": "sum",
    "count": "count",
    "max": "max",
    "min": "min",
    "avg": "average",
    "latest": "last",
    "unique_count": "unique_count",
    "weighted_sum": "time_weighted_sum",
    "prorated_sum": "prorated_sum",
    "prorated_unique_count": "prorated_unique_count",
}
RESULTS = {"ceiling to 5 decimals": (5, "ceiling"), "5 decimals": (5, "half_up")}
NEGATIVE = {"zero_quantity": "zero"}
EVER, NEVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
NUMBERS = DataRules(required=("value",), numbers=("value",), schema=Schema({}))
FINAL = {"finalized": "final"}
LAST_RECEIVED = ["time", "received_at", "id"]


def instant(text: str) -> datetime:
    return instants.read_instant(text).at


def span_of(case: Case) -> Span:
    """The window; a subscription that began late or ended early is billed for a part of the period."""
    given = case["params"]
    period = instant(given["period_start"]), instant(given["period_end_exclusive"])
    start = instant(given.get("active_from", given["period_start"]))
    end = instant(given.get("active_until_exclusive", given["period_end_exclusive"]))
    return Span(start, end, *period, "UTC")


def reading_of(case: Case) -> Reading:
    """The meter version that says what the case says; without proration a level is a sum that recurs."""
    given = case["params"]
    assert given.get("tie_break", LAST_RECEIVED) == LAST_RECEIVED
    model = given.get("aggregate", case["model"])
    kind = KINDS[model.removeprefix("prorated_") if given.get("prorate") is False else model]
    is_recurring = given.get("recurring", False) or model.startswith("prorated_")
    decimals, rounding = RESULTS[given["result"]] if "result" in given else (18, "half_up")
    return Reading(
        aggregation=kind,
        value_property="unique_id" if kind in UNIQUE else "value",
        operation_property="operation" if kind in UNIQUE else "",
        is_recurring=is_recurring,
        group_by=tuple(given.get("group_by", ())),
        negative_total=NEGATIVE[given["negative_total"]] if "negative_total" in given else "negative",
        decimals=decimals,
        rounding=rounding,
    )


def observe(event: dict[str, Any], *, number: int, reading: Reading) -> Observation:
    """The event as its meter would see it."""
    return Observation(
        occurred_at=instant(event["time"]),
        received_at=instant(event.get("received_at", event["time"])),
        event_id=event.get("id", f"{number:04}"),
        value=aggregation.read_value(event, reading=reading),
        operation=aggregation.read_operation(event, reading=reading),
    )


Seen = list[tuple[tuple[str | None, ...], Observation]]


def look(events: Iterable[dict[str, Any]], *, span: Span, reading: Reading) -> Seen:
    """The events that count for the window, each with its group."""
    seen = [
        (tuple(event.get(name) for name in reading.group_by), observe(event, number=number, reading=reading))
        for number, event in enumerate(events)
    ]
    return [each for each in seen if span.covers(each[1].occurred_at, is_recurring=reading.is_recurring)]


def measure(events: Iterable[dict[str, Any]], *, span: Span, reading: Reading) -> Measure:
    seen = look(events, span=span, reading=reading)
    return aggregation.measure([observation for _, observation in seen], reading=reading, span=span)


def check_quantity(case: Case) -> None:
    span, reading = span_of(case), reading_of(case)
    if "expected_groups" in case:
        groups = aggregation.measure_groups(
            look(case["events"], span=span, reading=reading), reading=reading, span=span
        )
        found_groups = {",".join(map(str, group)): one.quantity for group, one in groups.items()}
        assert found_groups == {name: Decimal(value) for name, value in case["expected_groups"].items()}
        return
    found = measure(case["events"], span=span, reading=reading)
    assert found.quantity == Decimal(case["expected_value"])
    if "expected_event_count" in case:
        assert found.event_count - found.unmeasured_count == case["expected_event_count"]


def check_windows(case: Case) -> None:
    whole = span_of(case)
    starts = buckets.bucket_starts(whole.start, whole.end, window=case["params"]["window"], zone="UTC")
    total = Reading(aggregation="sum", value_property="value")
    spans = [Span(start, end, start, end, "UTC") for start, end in pairwise([*starts, whole.end])]
    measures = [(span, measure(case["events"], span=span, reading=total)) for span in spans]
    found = [
        [*map(instants.instant_text, (span.start, span.end)), one.quantity] for span, one in measures if one.event_count
    ]
    assert found == [[begin, until, Decimal(value)] for begin, until, value in case["expected_windows"]]


def arrived_of(received: dict[str, Any]) -> list[Arrived]:
    """The stretches of arrival that a case asks for; `lte` includes its instant."""
    if "or" in received:
        return [stretch for part in received["or"] for stretch in arrived_of(part)]
    before = instant(received["lte"]) + timedelta(microseconds=1) if "lte" in received else None
    return [
        Arrived(
            since=instant(received["gte"]) if "gte" in received else None,
            before=instant(received["lt"]) if "lt" in received else before,
        )
    ]


def check_as_of(case: Case) -> None:
    arrived = arrived_of(case["params"]["received"])
    known = [event for event in case["events"] if arrivals.is_known(instant(event["received_at"]), arrived)]
    assert measure(known, span=span_of(case), reading=reading_of(case)).quantity == Decimal(case["expected_value"])


def book(*, earliest: datetime = EVER, latest: datetime = NEVER) -> RuleBook:
    in_force = ContractInForce(
        event_type="use", contract_id=1, version_id=1, data_rules=NUMBERS, earliest=earliest, latest=latest
    )
    return RuleBook(contracts={"use": in_force}, customers={"acme": 1})


def deliver(event: dict[str, Any]) -> dict[str, Any]:
    whole = {"specversion": "1.0", "id": "1", "source": "app", "type": "use", "subject": "acme"}
    given = {name: value for name, value in event.items() if name != "value"}
    return whole | given | {"data": {"value": event.get("value", "1")}}


def check_dedup(case: Case) -> None:
    deliveries = [deliver(event) for event in case["events"]]
    outcome = sorting.judge_delivery(sorting.sort_delivery(deliveries, rules=book()), known={}, batch_id=0)
    accepted = {(event.source, event.event_id): event for event in outcome.accepted}
    first = _first_of_each(case["events"])
    assert accepted.keys() == {(event["source"], event["id"]) for event in first}
    found = measure(first, span=span_of(case), reading=reading_of(case))
    assert found.quantity == Decimal(case["expected_value"])


def _first_of_each(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events:
        first.setdefault((event["source"], event["id"]), event)
    return list(first.values())


def check_value(case: Case) -> None:
    (delivery,) = reading.read_document(b'{"data": {"value": %s}}' % case["params"]["raw_json"].encode())
    assert isinstance(delivery, dict)
    flaws: list[Any] = []
    contract.check_data(delivery["data"], NUMBERS, flaws)
    assert (not flaws) is case["expected_accepted"]
    if case["expected_accepted"]:
        total = Reading(aggregation="sum", value_property="value")
        read = aggregation.read_value(delivery["data"], reading=total)
        assert read == Decimal(case["expected_value"])


def check_time(case: Case) -> None:
    raw = case["params"]["raw"]
    if not case["expected_accepted"]:
        with pytest.raises(ValueError, match=r"RFC 3339|day is out of range"):
            instants.read_instant(raw)
        return
    found = instants.read_instant(raw)
    if case["expected_utc"] is not None:
        to_the_microsecond = case["expected_utc"].removesuffix("Z")[: len("2026-01-01T00:00:00.000000")]
        assert found.text == f"{to_the_microsecond}Z"


def check_age(case: Case) -> None:
    given = case["params"]
    now = instants.read_instant(given["now"]).at
    rules = book(
        earliest=now - timedelta(days=given["past_days"]), latest=now + timedelta(seconds=given["future_seconds"])
    )
    found = contract.check_event(deliver({"time": given["time"]}), rules=rules)
    assert isinstance(found, contract.BillableEvent) is case["expected_accepted"]


def check_adjustment(case: Case) -> None:
    """A cancellation is accepted whatever became of the usage; a final invoice has no way back to being changed."""
    given = case["params"]
    cancelled, at = ("app", "1"), instant("2026-03-03T12:00:00Z")
    event = deliver({"id": "2", "time": "2026-03-03T12:00:00Z", "corrects": "1", "correction": given["type"]})
    found = sorting.sort_delivery([event], rules=book(latest=at))
    target = Target(customer_id=1, contract_id=1)
    judged = corrections.judge_corrections(found.corrections, targets={cancelled: target}, marks={})
    assert bool(judged.accepted) is case["expected_accepted"]
    moves = [to for was, to in lifecycle.MOVES if was == FINAL[given["invoice_status"]]]
    assert bool(moves) is case["expected_invoice_changed"]


CHECKS: dict[str, Callable[[Case], None]] = {
    **dict.fromkeys(KINDS, check_quantity),
    "windowed_sum": check_windows,
    "as_of": check_as_of,
    "dedup": check_dedup,
    "validation": check_value,
    "timestamp": check_time,
    "acceptance_window": check_age,
    "adjustment": check_adjustment,
}


@cases.parametrize("aggregation")
def test_the_figure_is_the_one_that_the_source_states(case: Case) -> None:
    group = case["model"]
    cases.skip_if_excused("aggregation", case=case, group=group)
    assert group in CHECKS, f"no rule counts {group}, and deviations.toml does not say why"
    CHECKS[group](case)


def test_nothing_that_is_tested_is_listed_as_missing() -> None:
    assert not CHECKS.keys() & cases.deviations()["not_yet"]["aggregation"].keys()
