"""Two implementations of one arithmetic: the verifier of packs and what makes invoices agree on whatever is made up."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.evidence import verify
from compliance.evidence.verify import Event, Measure, Span, Usage
from core import canonical, ed25519, periods
from core.periods import Interval, Period
from invoicing.pricing.rules import fee_terms, timeline
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules.timeline import Dated
from invoicing.rating import rules
from invoicing.rating.rules import allocation, fees, proration
from invoicing.rating.rules.fees import Transaction
from invoicing.rating.rules.proration import Share
from invoicing.rating.rules.usage import Part
from metering.rules import aggregation, exact_json, filters, fingerprint, instants
from metering.rules.aggregation import Observation
from metering.rules.readings import MUST_RECUR, UNIQUE, Reading
from tests.rules import test_model_properties as models

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/Havana", "Asia/Kathmandu", "Pacific/Apia")
KINDS = (
    "sum",
    "count",
    "max",
    "min",
    "average",
    "last",
    "unique_count",
    "time_weighted_sum",
    "prorated_sum",
    "prorated_unique_count",
)


def as_parts(used: Sequence[Part]) -> list[verify.Part]:
    return [verify.Part(one.quantity, one.events, dict(one.properties), one.bucket, one.amount) for one in used]


def by_the_verifier(model: str, written: dict[str, Any], used: Sequence[Part], share: Share) -> Decimal:
    with localcontext(Context(prec=100)):
        parts = as_parts(used)
        total = sum((part.quantity for part in parts), Decimal(0))
        own = verify.Share(share.part, share.whole)
        return sum(verify.price(model, written, Usage(total, parts), own, "EUR"), Decimal(0))


def test_every_model_that_a_price_can_have_is_known_to_the_verifier() -> None:
    assert set(price_params.READERS) == verify.MODELS


@settings(deadline=None, max_examples=400)
@given(models.modified(), st.lists(models.parts, max_size=6), models.shares)
def test_every_model_with_its_modifiers_comes_to_the_same(
    priced: tuple[str, dict[str, Any]], used: list[Part], share: Share
) -> None:
    model, asked = priced
    written = price_params.write_params(price_params.parse_params(model=model, params=asked))
    expected = models.price(priced, used, share=share).amount_exact
    for params in (asked, written):
        assert by_the_verifier(model, params, used, share) == expected


@settings(deadline=None)
@given(models.modified(models.TOTALS), models.sizes, models.shares)
def test_an_agreed_number_comes_to_the_same_share(priced: tuple[str, dict[str, Any]], count: str, share: Share) -> None:
    model, asked = priced
    parsed = price_params.parse_params(model=model, params=asked)
    usage = rules.Usage(Decimal(count))
    expected = rules.compute_counted(model=model, params=parsed, usage=usage, share=share, currency="EUR")
    with localcontext(Context(prec=100)):
        own = verify.Share(share.part, share.whole)
        found = verify.price_counted(model, asked, Decimal(count), own, "EUR")
        assert sum(found, Decimal(0)) == expected.amount_exact


amounts = st.decimals("-1000", "1000", places=3)
transactions = st.lists(
    st.builds(
        Transaction,
        amount=amounts,
        account=st.sampled_from(["", "a", "b"]),
        country=st.sampled_from(["US", "CA", "DE"]),
        status=st.sampled_from(["paid", "failed"]),
        flags=st.frozensets(st.sampled_from(["international", "instant"])),
        count=st.integers(1, 3),
    ),
    max_size=8,
)
figures = st.decimals(0, 30, places=2).map(str)
tables = st.fixed_dictionaries(
    {"currency": st.just("USD"), "rate_percent": figures, "fixed": figures, "per_account": figures},
    optional={
        "percentage_minimum": figures,
        "cap": st.decimals(40, 90, places=1).map(str),
        "minimum": figures,
        "surcharges": st.just([{"code": "international", "rate_percent": "1.5", "fixed": "0.10"}]),
    },
)
programs = st.builds(
    lambda general, own, level, refunds, active: {
        "tables": [general, {**own, "country": "CA"}],
        "rounding_level": level,
        "refunds": refunds,
        "failed_statuses": ["failed"],
        "failed_makes_active": active,
    },
    tables,
    tables,
    st.sampled_from(fee_terms.ROUNDING_LEVELS),
    st.sampled_from(fee_terms.REFUND_POLICIES),
    st.booleans(),
)
READS = {
    "program": "p",
    "amount": "amount",
    "account": "account",
    "country": "country",
    "status": "status",
    "flags": [{"surcharge": name, "property": name, "equals": "true"} for name in ("international", "instant")],
}


@settings(deadline=None, max_examples=300)
@given(programs, transactions)
def test_a_fee_program_comes_to_the_same(terms: dict[str, Any], sent: list[Transaction]) -> None:
    parsed = fee_terms.parse_terms(terms)
    steps = fees.price_transactions(terms=parsed, currency="USD", transactions=sent)
    parts = [
        verify.Part(
            Decimal(one.count),
            one.count,
            {
                "amount": format(one.amount, "f"),
                "account": one.account,
                "country": one.country,
                "status": one.status,
                **dict.fromkeys(one.flags, "true"),
            },
        )
        for one in sent
    ]
    with localcontext(Context(prec=100)):
        for said in (terms, fee_terms.write_terms(parsed)):
            found = verify.program_fees(READS, said, parts, "USD")
            assert sum(found, Decimal(0)) == sum((step.amount for step in steps), Decimal(0))


def meter_of(reading: Reading) -> dict[str, Any]:
    names = ("aggregation", "value_property", "operation_property", "is_recurring", "negative_total", "tie_break")
    return {name: getattr(reading, name) for name in (*names, "decimals", "rounding")}


def made_up_events(dice: random.Random, kind: str) -> list[dict[str, Any]]:
    """Events in and before March, many at one instant, some without a usable value."""
    values: list[Any] = ["a", "b", "c", 7, True, None] if kind in UNIQUE else [1, Decimal("2.50"), "-3", "x", None, 12]
    moments = [START - timedelta(days=40) + timedelta(hours=dice.randrange(24 * 75)) for _ in range(6)]
    return [
        {
            "at": dice.choice(moments),
            "received_at": END + timedelta(seconds=dice.randrange(3)),
            "id": f"e{number}",
            "data": {"value": dice.choice(values), "operation": dice.choice(["add", "remove"])},
        }
        for number in range(dice.randrange(14))
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(40))
def test_every_kind_of_meter_makes_the_same_of_events(kind: str, seed: int) -> None:
    dice = random.Random(f"{kind} {seed}")  # noqa: S311  examples, not secrets
    reading = Reading(
        aggregation=kind,
        value_property="" if kind == "count" else "value",
        operation_property="operation" if kind in UNIQUE and dice.random() < 0.7 else "",
        is_recurring=kind in MUST_RECUR or (kind in ("sum", "unique_count") and dice.random() < 0.5),
        negative_total=dice.choice(["negative", "zero"]),
        tie_break=dice.choice(["last_received", "first_received"]),
        decimals=dice.choice([0, 5, 18]),
        rounding=dice.choice(["half_up", "half_even", "ceiling", "floor"]),
    )
    zone = dice.choice(ZONES)
    start = START + timedelta(hours=dice.choice([0, 7, 250]))
    theirs, ours = aggregation.Span(start, END, START, END, zone), Span(start, END, (START, END), zone)
    observations, measure = [], Measure(meter_of(reading), ours)
    with localcontext(Context(prec=100)):
        for number, event in enumerate(made_up_events(dice, kind)):
            if theirs.covers(event["at"], is_recurring=reading.is_recurring):
                value = aggregation.read_value(event["data"], reading=reading)
                operation = aggregation.read_operation(event["data"], reading=reading)
                told = {"occurred_at": event["at"], "received_at": event["received_at"], "event_id": event["id"]}
                observations.append(Observation(**told, value=value, operation=operation))
                data = exact_json.read(exact_json.write(event["data"]).decode())
                measure.take(Event(number, "", event["id"], event["at"], event["received_at"], data, b""))
        found = measure.quantity()
    expected = aggregation.measure(observations, reading=reading, span=theirs)
    assert (found, measure.count, measure.unusable) == (
        expected.quantity,
        expected.event_count,
        expected.unmeasured_count,
    )


CONDITIONS: list[dict[str, Any]] = [
    {"property": "p", "operator": "equals", "value": "a"},
    {"property": "p", "operator": "equals", "value": True},
    {"property": "p", "operator": "equals", "value": 5},
    {"property": "p", "operator": "in", "values": ["a", "5"]},
    {"property": "p", "operator": "in", "values": [Decimal("5.0"), 7]},
    {"property": "p", "operator": "range", "from": "2", "below": 6},
    {"property": "p", "operator": "range", "from": 5},
    {"property": "p", "operator": "range", "below": "5.5"},
]
VALUES: list[Any] = ["a", "5", "5.0", 5, Decimal("5.00"), 7, True, False, None, [], {}, "1e3", 10**16]
DATA: list[Any] = [
    *({"p": value} for value in VALUES),
    {},
    [],
    "p",
    None,
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
@pytest.mark.parametrize("data", DATA, ids=str)
def test_a_filter_lets_the_same_events_through(condition: dict[str, Any], data: Any) -> None:
    expected = filters.matches(filters.parse_filters([condition]), data)
    assert verify.passes([condition], data) is expected


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
numbers = (
    st.integers(-(2**62), 2**62)
    | st.integers(-(10**30), 10**30).map(Decimal)
    | st.decimals(allow_nan=False, allow_infinity=False, places=5).filter(lambda number: abs(number) < 10**20)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=400)
@given(st.dictionaries(texts, values, max_size=5), st.dictionaries(texts, st.booleans() | texts, max_size=2))
def test_an_event_has_the_same_fingerprint(data: dict[str, Any], extras: dict[str, Any]) -> None:
    kept = exact_json.read(exact_json.write(data).decode())
    names = ("/meter", "e1", "usage", "acme", "2026-03-01T12:00:00.5Z")
    expected = fingerprint.fingerprint_event(*names, data=exact_json.write(kept), extras=extras).hex()
    line = exact_json.write(
        {
            "seq": 1,
            "source": names[0],
            "id": names[1],
            "type": names[2],
            "subject": names[3],
            "time": "2026-03-01T12:00:00.500000Z",
            "received_at": "2026-03-01T12:00:01Z",
            "data": kept,
            "extras": extras,
            "fingerprint": expected,
        }
    )
    event, _ = verify.read_event(line, {"type": "usage", "customer": "acme"})
    assert event.fingerprint.hex() == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_is_written_alike(at: datetime) -> None:
    assert verify.instant_text(at) == instants.instant_text(at)


@given(st.dictionaries(texts, st.none() | st.booleans() | texts | st.integers(-(2**53), 2**53), max_size=5))
def test_the_canonical_form_is_that_of_the_chain(said: dict[str, Any]) -> None:
    assert verify.canonical(said).encode() == canonical.canonical_bytes(said)


@settings(deadline=None, max_examples=20)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=60), st.integers(0, 511))
def test_signatures_are_valid_for_both_or_for_neither(seed: bytes, message: bytes, bit: int) -> None:
    key, signature = ed25519.public_key(seed), ed25519.sign(message, seed=seed)
    assert verify.signed_by(key, message, signature)
    changed = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
    assert not verify.signed_by(key, message, changed)
    assert not ed25519.is_valid(message, signature=changed, key=key)


days = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@settings(deadline=None, max_examples=300)
@given(
    days,
    st.sampled_from(Interval),
    st.integers(1, 4),
    st.sampled_from(ZONES),
    st.integers(0, 4 * 365 * 24).map(lambda hours: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)),
)
def test_the_billing_period_around_an_instant_is_the_same(
    anchor: date, interval: Interval, every: int, zone: str, instant: datetime
) -> None:
    whole = periods.enclosing_period(anchor=anchor, interval=interval, zone=zone, instant=instant, every=every)
    terms = {"anchor": anchor.isoformat(), "interval": str(interval), "every": every, "zone": zone}
    assert verify.whole_period(terms, instant) == (whole.start, whole.end)


@settings(deadline=None, max_examples=300)
@given(
    days,
    st.sampled_from(["month", "quarter"]),
    st.sampled_from(ZONES),
    st.sampled_from(["second", "day", "day30"]),
    st.floats(0, 1),
    st.floats(0, 1),
    st.booleans(),
    st.booleans(),
)
def test_a_stretch_has_the_same_share_of_its_period(
    anchor: date, interval: str, zone: str, unit: str, first: float, last: float, is_short: bool, is_last: bool
) -> None:
    whole = periods.enclosing_period(
        anchor=anchor, interval=Interval(interval), zone=zone, instant=datetime(2026, 5, 5, tzinfo=UTC)
    )
    edges = sorted(whole.start + (whole.end - whole.start) * part for part in (first, last))
    end = edges[1] if is_short else whole.end
    if not edges[0] < end:
        return
    segment = Period(edges[0], end)
    ends_at = end if is_last else None
    expected = proration.share_of_segment(segment=segment, ends_at=ends_at, whole=whole, unit=unit, zone=zone)
    terms = {"anchor": anchor.isoformat(), "interval": interval, "every": 1, "zone": zone}
    assert verify.share_of((segment.start, segment.end), terms, ends_at, unit, zone) == (expected.part, expected.whole)


versions = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 50)), min_size=1, max_size=5, unique_by=lambda one: one[1]
)


@given(
    versions,
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 5)), max_size=2),
    st.integers(0, 9),
    st.integers(1, 5),
)
def test_the_same_versions_are_in_force(
    known: list[tuple[int, int]], held: list[tuple[int, int]], start: int, length: int
) -> None:
    at = [START + timedelta(days=number) for number in range(20)]
    theirs = timeline.in_force([Dated(version, at[since], version) for since, version in known])
    ours = verify.laid_out(
        {"id": version, "effective_at": at[since].isoformat(), "version": version} for since, version in known
    )
    for since, days_ in held:
        theirs = timeline.keep(theirs, since=at[since], until=at[since + days_])
        ours = verify.kept(ours, at[since], at[since + days_])
    expected = [key for key, _ in timeline.cut(Period(at[start], at[start + length]), theirs)]
    assert verify.in_force(ours, at[start], at[start + length]) == expected


CLOSED = datetime(2026, 11, 2, 8, tzinfo=UTC)  # agreements are known by their place in the chain, whatever the clock
AGREED = [
    {"action": action, "plan": plan, "from": since, "recorded_at": recorded, "audit_reference": reference}
    for action, plan, since, recorded, reference in (
        ("subscription_started", "basic", "2026-10-01T00:00:00Z", "2026-09-20T00:00:00Z", "AUD-0000000010"),
        ("plan_changed", "pro", "2026-10-11T00:00:00Z", "2026-10-09T00:00:00Z", "AUD-0000000020"),
        ("subscription_ended", None, "2026-12-01T00:00:00Z", "2026-11-02T09:00:00Z", "AUD-0000000030"),
        ("subscription_ended", None, "2026-11-21T00:00:00Z", "2026-11-02T09:30:00Z", "AUD-0000000040"),
    )
]


def known(drafted: str) -> list[tuple[str, str, str]]:
    """Plans with their days, as the invoice was drafted by."""
    plans = verify.Known(drafted, CLOSED).plans({"agreed": AGREED})
    return [(plan, f"{start:%d %b}", f"{end:%d %b}" if end else "") for plan, start, end in plans]


def test_plans_hold_as_agreed_when_an_invoice_was_drafted_and_not_as_agreed_since() -> None:
    begun = [("basic", "01 Oct", "")]
    changed = [("basic", "01 Oct", "11 Oct"), ("pro", "11 Oct", "")]
    ending = [("basic", "01 Oct", "11 Oct"), ("pro", "11 Oct", "01 Dec")]
    earlier = [("basic", "01 Oct", "11 Oct"), ("pro", "11 Oct", "21 Nov")]
    assert known("AUD-0000000015") == begun
    assert known("AUD-0000000025") == changed
    assert known("AUD-0000000035") == ending
    assert known("AUD-0000000050") == earlier


KEPT = {
    "plan": 7,
    "starts_at": "2026-10-01T00:00:00Z",
    "created_at": "2026-10-01T00:00:00Z",
    "ends": [
        {"ends_at": "2026-12-01T00:00:00Z", "audit_reference": "AUD-0000000010"},
        {"ends_at": "2026-11-16T00:00:00Z", "audit_reference": "AUD-0000000020"},
    ],
}


@pytest.mark.parametrize(
    ("drafted", "at", "until"),
    [
        ("AUD-0000000015", CLOSED, "01 Dec"),  # not released yet
        ("AUD-0000000025", CLOSED, "16 Nov"),
        ("AUD-0000000005", CLOSED, ""),  # not agreed yet
        ("AUD-0000000025", datetime(2026, 9, 30, tzinfo=UTC), ""),  # agreed while a close read as of the day before
    ],
)
def test_prices_are_kept_until_what_was_agreed_when_an_invoice_was_drafted(
    drafted: str, at: datetime, until: str
) -> None:
    kept = list(verify.Known(drafted, at).keeps({"kept": [KEPT]}))
    assert [(plan, f"{end:%d %b}") for plan, _, end in kept] == ([(7, until)] if until else [])


def test_amounts_are_rounded_together_as_the_invoice_did() -> None:
    exact = [Decimal(one) for one in ("10.006", "10.006", "10.006", "1.7017")]
    assert verify.rounded_together(exact, "EUR") == [Decimal(one) for one in ("10.01", "10.01", "10.00", "1.70")]


@given(st.lists(st.decimals(-10_000, 10_000, places=5), min_size=1, max_size=8))
def test_rounding_together_comes_to_the_same(exact: list[Decimal]) -> None:
    assert verify.rounded_together(exact, "EUR") == allocation.round_together(exact, scale=2)
