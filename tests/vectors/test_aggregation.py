"""Agreement with what other systems count, accept and refuse."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from metering.rules import aggregation, buckets, contract, instants, reading, sorting
from metering.rules.aggregation import Measure, Observation
from metering.rules.contract import ContractInForce, DataRules, RuleBook
from metering.rules.schema import Schema
from tests.vectors import cases
from tests.vectors.cases import Case

KINDS = {"sum": "sum", "count": "count", "max": "max", "latest": "last", "unique_count": "unique_count"}
POLICIES = ("recurring", "negative_total")
EVER, NEVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
NUMBERS = DataRules(required=("value",), numbers=("value",), schema=Schema({}))


def group_of(case: Case) -> str:
    """The model, with the policy or window that makes it another one."""
    chosen = [policy for policy in POLICIES if policy in case["params"]]
    named = [*chosen, case["params"]["window"]] if "window" in case["params"] else chosen
    return ", ".join([case["model"], *named])


def period_of(case: Case) -> tuple[datetime, datetime]:
    bounds = (case["params"]["period_start"], case["params"]["period_end_exclusive"])
    start, end = (instants.read_instant(text).at for text in bounds)
    return start, end


def observe(event: dict[str, Any], *, number: int) -> Observation:
    """The event as its meter would see it; `unique_id` is what a unique count reads."""
    at = instants.read_instant(event["time"]).at
    text = event.get("unique_id")
    value = Decimal(event["value"]) if "value" in event else text
    return Observation(
        occurred_at=at,
        received_at=instants.read_instant(event.get("received_at", event["time"])).at,
        event_id=event.get("id", f"{number:04}"),
        value=value,
    )


def measure(events: Iterable[dict[str, Any]], *, start: datetime, end: datetime, kind: str) -> Measure:
    seen = [observe(event, number=number) for number, event in enumerate(events)]
    return aggregation.measure([one for one in seen if start <= one.occurred_at < end], aggregation=kind)


def check_quantity(case: Case) -> None:
    start, end = period_of(case)
    found = measure(case["events"], start=start, end=end, kind=KINDS[case["model"]])
    assert found.quantity == Decimal(case["expected_value"])
    if "expected_event_count" in case:
        assert found.event_count - found.unmeasured_count == case["expected_event_count"]


def check_windows(case: Case) -> None:
    start, end = period_of(case)
    starts = buckets.bucket_starts(start, end, window=case["params"]["window"], zone="UTC")
    spans = [
        (span, measure(case["events"], start=span[0], end=span[1], kind="sum")) for span in pairwise([*starts, end])
    ]
    found = [[*map(instants.instant_text, span), one.quantity] for span, one in spans if one.event_count]
    assert found == [[begin, until, Decimal(value)] for begin, until, value in case["expected_windows"]]


def check_as_of(case: Case) -> None:
    """What had arrived by the cut-off, as a snapshot counts what lies below its watermark."""
    start, end = period_of(case)
    cut_off = instants.read_instant(case["params"]["received"]["lte"]).at
    arrived = [event for event in case["events"] if instants.read_instant(event["received_at"]).at <= cut_off]
    found = measure(arrived, start=start, end=end, kind=case["params"]["aggregate"])
    assert found.quantity == Decimal(case["expected_value"])


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
    start, end = period_of(case)
    deliveries = [deliver(event) for event in case["events"]]
    outcome = sorting.judge_delivery(sorting.sort_delivery(deliveries, rules=book()), known={}, batch_id=0)
    accepted = {(event.source, event.event_id): event for event in outcome.accepted}
    first = _first_of_each(case["events"])
    assert accepted.keys() == {(event["source"], event["id"]) for event in first}
    found = measure(first, start=start, end=end, kind=case["params"]["aggregate"])
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
        read = aggregation.read_value(delivery["data"], aggregation="sum", value_property="value")
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


CHECKS: dict[str, Callable[[Case], None]] = {
    **dict.fromkeys(KINDS, check_quantity),
    "windowed_sum, hour": check_windows,
    "windowed_sum, day": check_windows,
    "as_of": check_as_of,
    "dedup": check_dedup,
    "validation": check_value,
    "timestamp": check_time,
    "acceptance_window": check_age,
}


@cases.parametrize("aggregation")
def test_the_figure_is_the_one_that_the_source_states(case: Case) -> None:
    group = group_of(case)
    cases.skip_if_excused("aggregation", case=case, group=group)
    assert group in CHECKS, f"no rule counts {group}, and deviations.toml does not say why"
    CHECKS[group](case)


def test_nothing_that_is_tested_is_listed_as_missing() -> None:
    assert not CHECKS.keys() & cases.deviations()["not_yet"]["aggregation"].keys()
