"""Orders of arrival, shape of sets and comparison: plain values in and out."""

import json
from typing import Any

import pytest

from invoicing.replay.rules import arrival, compare, includes, labels, sums
from invoicing.replay.rules import content as contents
from invoicing.replay.rules.arrival import Sent
from invoicing.replay.rules.content import Content, ContentInvalidError


def event(number: str, *, time: str = "2026-10-03T12:00:00Z", **more: Any) -> dict[str, Any]:
    return {"source": "s", "id": number, "type": "usage", "subject": "acme", "time": time, **more}


def sent(*deliveries: list[dict[str, Any]]) -> list[Sent]:
    return [Sent(number, place, each) for number, own in enumerate(deliveries) for place, each in enumerate(own)]


def ids(batches: list[list[Sent]]) -> list[list[str]]:
    return [[each.event["id"] for each in batch] for batch in batches]


def at(hour: int) -> str:
    return f"2026-10-03T{hour:02}:00:00Z"


def test_events_arrive_together_as_they_were_delivered() -> None:
    events = sent([event("a", time=at(1)), event("b", time=at(2))], [event("c", time=at(3))])
    assert ids(arrival.in_order(events)) == [["a", "b"], ["c"]]


def test_another_seed_is_another_order_and_loses_nothing() -> None:
    events = sent(*([event(f"e{number}", time=at(number))] for number in range(20)))
    one, same, other = (arrival.shuffled(events, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert sorted(name for batch in ids(one) for name in batch) == sorted(f"e{number}" for number in range(20))


@pytest.mark.parametrize("seed", range(20))
def test_events_of_one_instant_keep_their_order_and_their_company(seed: int) -> None:
    others = [[event(f"x{number}", time=at(number))] for number in range(1, 6)]
    events = sent([event("first"), event("with it")], *others, [event("second")])
    found = ids(arrival.shuffled(events, seed=seed))
    holding = [batch for batch in found if {"first", "with it", "second"} & set(batch)]
    assert [name for batch in holding for name in batch if name in ("first", "with it", "second")] == [
        "first",
        "with it",
        "second",
    ]
    assert {"first", "with it"} <= set(holding[0])
    assert "second" not in holding[0]


@pytest.mark.parametrize("seed", range(20))
def test_a_resend_and_a_correction_come_after_what_they_are_about(seed: int) -> None:
    events = sent(
        [event("a", time=at(1))],
        [event("b", time=at(2))],
        [event("a", time=at(1))],
        [event("c", time=at(5), corrects="b", correction="cancel")],
    )
    batches = arrival.shuffled(events, seed=seed)
    order = [(each.event["id"], each.delivery) for batch in batches for each in batch]
    assert order.index(("a", 0)) < order.index(("a", 2))
    assert order.index(("b", 1)) < order.index(("c", 3))


def small() -> Content:
    line = {
        "charge": "plan/tokens",
        "meter": "tokens",
        "segment": ["2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"],
        "quantity": "30",
        "amount": "3",
        "price": "v1",
        "price_version": 7,
        "fee_version": "visa v1",
        "events": {"s a": "10", "s b": "20"},
    }
    document = {
        "key": "acme/1/cycle/2026-10-01T00:00:00Z",
        "customer": "acme",
        "currency": "EUR",
        "kind": "cycle",
        "period": ["2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"],
        "lines": [line],
        "subtotal": "3",
        "tax": "0",
        "total": "3",
    }
    sends = [
        {"event": json.dumps(event("a", time=at(1))), "becomes": "accepted"},
        {"event": json.dumps(event("b", time=at(2))), "becomes": "accepted"},
    ]
    step = {
        "name": "October",
        "rows": {"pricing_priceversion": [{"id": 7, "params": {"tiers": [{"up_to": "25"}, {"up_to": None}]}}]},
        "deliveries": [{"at": at(3), "events": sends}],
        "draft": {"kind": "cycle", "as_of": "2026-11-01T00:00:00Z", "at": "2026-11-02T00:00:00Z"},
        "expected": [document],
        "issue": [],
    }
    return {"form": 1, "program": "standard", "customers": ["acme"], "steps": [step]}


def result_of(content: Content) -> dict[str, Any]:
    """Everything as expected."""
    return {
        "steps": [
            {
                "accepted": 2,
                "duplicates": 0,
                "quarantined": 0,
                "others": [],
                "documents": json.loads(json.dumps(step["expected"])),
                "failed": [],
            }
            for step in content["steps"]
        ]
    }


def test_what_is_as_expected_has_no_difference() -> None:
    assert compare.find_differences(contents.check(small()), result_of(small())) == []


def test_a_figure_the_set_leaves_unsaid_is_not_compared() -> None:
    content, result = small(), result_of(small())
    result["steps"][0]["documents"][0]["payable"] = "99"
    assert compare.find_differences(content, result) == []


def test_the_same_amount_may_be_written_with_more_decimals() -> None:
    content, result = small(), result_of(small())
    document = result["steps"][0]["documents"][0]
    document |= {"total": "3.00", "subtotal": "3.0"}
    document["lines"][0]["amount"] = "3.000"
    assert compare.find_differences(content, result) == []


def test_an_event_held_back_is_named_with_its_reason_where_the_line_misses_it() -> None:
    content, result = small(), result_of(small())
    step = result["steps"][0]
    step["others"] = [{"delivery": 0, "place": 1, "becomes": "quarantined", "reasons": ["schema_type /data/units"]}]
    line = step["documents"][0]["lines"][0]
    line |= {"quantity": "10", "amount": "1", "events": {"s a": "10"}}
    found = compare.find_differences(content, result)
    assert [(one.what, one.expected, one.found, one.because) for one in found] == [
        ("event", "accepted", "quarantined (schema_type /data/units)", []),
        ("quantity", "30", "10", ["s b is missing (expected 20): quarantined (schema_type /data/units)"]),
        ("amount", "3", "1", ["s b is missing (expected 20): quarantined (schema_type /data/units)"]),
    ]


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({"events": {"s a": "10", "s b": "20", "s c": "5"}, "quantity": "35"}, ["s c is extra (5)"]),
        ({"events": {"s a": "10", "s b": "21"}, "quantity": "31"}, ["s b counts 21 instead of 20"]),
        ({"fee_version": "visa v2", "amount": "4"}, ["fee table visa v2 instead of visa v1"]),
        ({"price": "v2", "price_version": 8, "amount": "4"}, ["price version v2 instead of v1"]),
        ({"amount": "4"}, ["the same quantity at the same price version comes to another amount"]),
        ({"quantity": "29"}, ["the same events, counted otherwise"]),
    ],
)
def test_a_line_that_differs_says_what_it_comes_from(changed: dict[str, Any], because: list[str]) -> None:
    content, result = small(), result_of(small())
    result["steps"][0]["documents"][0]["lines"][0] |= changed
    [found] = [one for one in compare.find_differences(content, result) if one.what in ("quantity", "amount")]
    assert found.because == because


def test_a_document_or_line_that_is_missing_or_too_much_is_told() -> None:
    content, result = small(), result_of(small())
    other = {**result["steps"][0]["documents"][0], "key": "globex"}
    result["steps"][0]["documents"] = [other]
    found = compare.find_differences(content, result)
    assert [(one.document, one.expected, one.found) for one in found] == [
        ("acme, 1 Oct 2026 to 1 Nov 2026", "3 EUR", "none"),
        ("acme, 1 Oct 2026 to 1 Nov 2026", "none", "3 EUR"),
    ]


def test_a_version_that_changes_no_figure_is_told_by_itself() -> None:
    result = result_of(small())
    result["steps"][0]["documents"][0]["lines"][0]["price"] = "v2"
    [found] = compare.find_differences(small(), result)
    assert (found.what, found.expected, found.found) == ("price version", "v1", "v2")


def test_what_follows_from_a_figure_is_not_told_beside_it() -> None:
    content, result = small(), result_of(small())
    content["steps"][0]["expected"][0]["payable"] = "3"
    result["steps"][0]["documents"][0] |= {"total": "4", "payable": "4"}
    assert [one.what for one in compare.find_differences(content, result)] == ["total"]
    result["steps"][0]["documents"][0] |= {"total": "3", "payable": "2"}
    assert [one.what for one in compare.find_differences(content, result)] == ["to be paid"]


@pytest.mark.parametrize(
    ("document", "label"),
    [
        ({"key": "a", "customer": "acme"}, "a"),
        (
            {"key": "a/7/interim/x/2", "customer": "acme", "subscription": 7, "kind": "interim"},
            "acme (subscription 7), interim invoice 2, 1 Oct 2026 to 16 Oct 2026 08:30",
        ),
        ({"key": "a/7/cycle/x", "customer": "acme", "kind": "cycle"}, "acme, 1 Oct 2026 to 16 Oct 2026 08:30"),
    ],
)
def test_documents_have_names_that_people_read(document: dict[str, Any], label: str) -> None:
    period = {} if len(document) == 2 else {"period": ["2026-10-01T00:00:00Z", "2026-10-16T10:30:00+02:00"]}
    assert labels.document_label(document | period) == label


def test_what_could_not_be_done_is_a_difference() -> None:
    result = result_of(small())
    result["steps"][0]["failed"] = ["acme 2026-10-01: no_policy: nobody decides"]
    [found] = compare.find_differences(small(), result)
    assert (found.what, found.found) == ("not done", "acme 2026-10-01: no_policy: nobody decides")


def test_sums_are_rated_units_lines_and_totals() -> None:
    assert sums.sums_of(small()["steps"], documents="expected") == {
        "units": {"tokens": "30"},
        "totals": {"EUR": "3.00"},
        "counts": {"documents": "1", "lines": "1"},
    }


def test_a_line_beyond_the_first_tier_is_a_threshold_crossed_and_nothing_else_is_there() -> None:
    found = includes.find_includes(small())
    assert found == {"retries": 0, "retries_added": 0, "late_arrivals": 0, "plan_changes": 0, "threshold_crossings": 1}
    assert includes.missing_of([found]) == ["deduplicated retries", "late arrivals", "plan changes"]
    assert includes.missing_of([found, {"retries": 1, "late_arrivals": 2, "plan_changes": 1}]) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"retries": 0}, "none: the set lacks them"),
        ({"retries": 3}, "3"),
        ({"retries": 3, "retries_added": 3}, "3, all added by whoever made the set, not sent by anybody"),
        ({"retries": 3, "retries_added": 1}, "3, 1 added by whoever made the set, not sent by anybody"),
    ],
)
def test_a_set_says_which_of_its_retries_nobody_sent(found: dict[str, int], said: str) -> None:
    assert includes.say(found, "retries") == said


def test_an_event_that_was_added_is_counted_apart() -> None:
    content = small()
    sent = content["steps"][0]["deliveries"][0]["events"]
    sent += [{**sent[0], "becomes": "duplicate"}, {**sent[0], "becomes": "duplicate", "added": True}]
    found = includes.find_includes(contents.check(content))
    assert (found["retries"], found["retries_added"]) == (2, 1)


def test_an_event_for_a_period_that_an_earlier_step_drafted_is_late() -> None:
    content = small()
    late = {"event": json.dumps(event("c", time=at(9))), "becomes": "accepted"}
    content["steps"].append(
        {**content["steps"][0], "deliveries": [{"at": "2026-11-05T00:00:00Z", "events": [late]}], "expected": []}
    )
    assert includes.find_includes(content)["late_arrivals"] == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (lambda one: one.pop("program"), "/program"),
        (lambda one: one["steps"][0].pop("deliveries"), "/steps/0/deliveries"),
        (lambda one: one["steps"][0]["deliveries"][0].update(at="yesterday"), "/steps/0/deliveries/0/at"),
        (lambda one: one["steps"][0]["draft"].update(at="2026-11-02T00:00:00"), "/steps/0/draft/at"),
        (lambda one: one["steps"][0]["rows"].update(auth_user=[]), "/steps/0/rows"),
        (lambda one: one["steps"][0]["expected"][0].update(total="3,00"), "/steps/0/expected/0/total"),
        (lambda one: one["steps"][0]["issue"].append({"key": "x", "at": at(1)}), "/steps/0/issue/0/key"),
        (lambda one: one.update(form=2), "/form"),
    ],
)
def test_what_is_wrong_with_a_content_is_pointed_at(change: Any, pointer: str) -> None:
    content = small()
    change(content)
    with pytest.raises(ContentInvalidError) as refused:
        contents.check(content)
    assert pointer in [problem["pointer"] for problem in refused.value.problems()]


def test_steps_out_of_order_are_refused() -> None:
    content = small()
    earlier = {**content["steps"][0], "draft": {**content["steps"][0]["draft"], "at": "2026-10-02T00:00:00Z"}}
    content["steps"].append(earlier)
    with pytest.raises(ContentInvalidError) as refused:
        contents.check(content)
    assert refused.value.problems()[0]["pointer"] == "/steps/1/draft/at"


def test_equal_content_has_equal_bytes_and_survives_packing() -> None:
    content = small()
    backwards = dict(reversed(list(content.items())))
    assert contents.canonical_text(content) == contents.canonical_text(backwards)
    assert contents.unpack(contents.pack(contents.canonical_text(content))) == content
