"""Raw = aggregated = rated, and the name of every difference."""

from dataclasses import replace
from decimal import Decimal

from invoicing.cycle.rules import tie_out
from invoicing.cycle.rules.tie_out import Amount, Chain, Count, Parts, Stray

COUNT = Count(events=3, quantity=Decimal(60), digest="aa")
TIED = Chain(
    label="Input tokens",
    raw=COUNT,
    aggregated=COUNT,
    unmeasured_events=0,
    rated_quantity=Decimal("60.000"),
    rated=Amount(exact=Decimal("0.1234"), rounded=Decimal("0.12")),
    again=Amount(exact=Decimal("0.123400"), rounded=Decimal("0.1200")),
)
FEE = Chain(
    label="Base fee",
    raw=None,
    aggregated=None,
    unmeasured_events=0,
    rated_quantity=Decimal(1),
    rated=Amount(exact=Decimal(49), rounded=Decimal(49)),
    again=Amount(exact=Decimal(49), rounded=Decimal(49)),
)


def find(*chains: Chain, strays: tuple[Stray, ...] = ()) -> list[tuple[str, str]]:
    return [(one.name, one.detail) for one in tie_out.tie_out(chains=chains, strays=strays).findings]


def test_equal_stages_tie_and_are_counted() -> None:
    result = tie_out.tie_out(chains=[TIED, FEE], strays=[])
    assert (result.raw_events, result.aggregated_events, result.rated_lines, result.findings) == (3, 3, 2, ())


def test_a_missing_raw_event_is_named_with_both_counts() -> None:
    raw = Count(events=4, quantity=Decimal(70), digest="bb")
    assert find(replace(TIED, raw=raw)) == [
        (
            "raw_not_aggregated",
            "Input tokens: the raw events count 4 and measure 70, the snapshot says 3 and 60.",
        )
    ]


def test_other_events_with_the_same_sum_are_noticed_by_their_digest() -> None:
    assert find(replace(TIED, raw=replace(COUNT, digest="bb"))) == [
        (
            "raw_not_aggregated",
            "Input tokens: the raw events count 3 and measure 60, the snapshot says 3 and 60, from other events.",
        )
    ]


def test_a_snapshot_that_was_not_recounted_does_not_tie() -> None:
    assert [name for name, _ in find(replace(TIED, raw=None))] == ["raw_not_aggregated"]


def test_a_rated_quantity_that_is_not_the_snapshots_is_named() -> None:
    assert find(replace(TIED, rated_quantity=Decimal("59.5"))) == [
        ("aggregated_not_rated", "Input tokens: the snapshot says 60, but 59.5 was rated.")
    ]


def test_an_amount_that_does_not_follow_from_its_price_is_named_for_fees_too() -> None:
    assert find(TIED, replace(FEE, rated=Amount(exact=Decimal("48.99"), rounded=Decimal("48.99")))) == [
        ("amount_not_reproduced", "Base fee: rated 48.99, but its quantity and price give 49.")
    ]


def test_an_exact_amount_that_rounds_to_the_same_is_still_another_amount() -> None:
    other = Amount(exact=Decimal("0.1236"), rounded=Decimal("0.12"))
    assert find(replace(TIED, rated=other)) == [
        ("amount_not_reproduced", "Input tokens: rated 0.1236, but its quantity and price give 0.1234.")
    ]


def test_usage_without_a_price_is_named_and_counts_as_raw() -> None:
    stray = Stray(label="Storage", events=2, facts={"first_at": "2026-10-03T00:00:00Z"})
    result = tie_out.tie_out(chains=[TIED], strays=[stray])
    assert (result.raw_events, result.aggregated_events) == (5, 3)
    assert result.findings == (
        tie_out.Finding(
            name="usage_without_price",
            detail="2 events of Storage fall where no price of the plan covers them.",
            facts={"events": "2", "first_at": "2026-10-03T00:00:00Z"},
            stray=0,
        ),
    )


def test_events_that_the_meter_cannot_read_are_usage_without_a_price() -> None:
    assert find(replace(TIED, unmeasured_events=7)) == [
        ("usage_without_price", "Input tokens: 7 events carry no value that this meter can read.")
    ]


def test_parts_that_the_raw_events_do_not_give_are_named() -> None:
    parts = Parts(count=3, digest="aa")
    assert find(replace(TIED, rated_parts=parts, raw_parts=parts)) == []
    assert find(replace(TIED, rated_parts=parts, raw_parts=Parts(count=4, digest="bb"))) == [
        ("aggregated_not_rated", "Input tokens: rated in 3 parts, the raw events give 4.")
    ]
    assert find(replace(TIED, rated_parts=parts, raw_parts=Parts(count=3, digest="bb"))) == [
        ("aggregated_not_rated", "Input tokens: rated in 3 parts, the raw events give 3 that say something else.")
    ]
    assert find(replace(TIED, rated_parts=parts)) == [
        ("aggregated_not_rated", "Input tokens: rated in 3 parts, the raw events give 0.")
    ]
