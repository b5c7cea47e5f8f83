"""Agreement with worked shares, boundaries and day counts of other systems."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, takewhile

from core import money, periods
from core.periods import Interval, Period
from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.params import FlatParams, StandardParams
from invoicing.pricing.rules.timeline import Dated, Terms
from invoicing.rating import rules
from invoicing.rating.rules import proration, unused_fees
from invoicing.rating.rules.proration import Share
from invoicing.rating.rules.usage import Usage
from tests.vectors import cases
from tests.vectors.cases import Case


def fee(amount: str, share: Share, currency: str) -> Decimal:
    computation = rules.compute(model="flat", params=FlatParams(Decimal(amount)), usage=Usage(Decimal(1)), share=share)
    return money.round_amount(computation.amount_exact, currency=currency)


def day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def boundaries(anchor: date, interval: str, start: datetime) -> Iterator[date]:
    """Every boundary after `start`, for ever."""
    found = periods.billing_periods(
        anchor=anchor, interval=Interval(interval), zone="UTC", start=start, until=datetime(2100, 1, 1, tzinfo=UTC)
    )
    return (period.end.date() for period in found)


def monthly(instant_in_it: datetime, *, bill_cycle_day: int) -> Period:
    anchor = date(2000, 1, bill_cycle_day)
    return periods.enclosing_period(anchor=anchor, interval=Interval.MONTH, zone="UTC", instant=instant_in_it)


def check_amount(case: Case) -> None:
    given = case["params"]
    share = Share(given["days_billed"], given["period_days"], "day")
    assert fee(given["amount"], share, case["currency"]) == Decimal(case["expected_amount"])
    if "billed_from" in given:
        billed = Period(day(given["billed_from"]), day(given["billed_to_inclusive"]) + timedelta(days=1))
        assert periods.local_days(billed, zone="UTC") == given["days_billed"]
    if "timezone" in given:
        started = instant(given["started_at"])
        week = periods.enclosing_period(
            anchor=date(2023, 6, 12), interval=Interval.WEEK, zone=given["timezone"], instant=started
        )
        assert periods.local_days(Period(started, week.end), zone=given["timezone"]) == given["days_billed"]


def check_plan_change(case: Case) -> None:
    given = case["params"]
    left = Period(day(given["change_date"]), day(given["period_end_inclusive"]) + timedelta(days=1))
    whole = Period(day(given["period_start"]), left.end)
    share = Share(periods.local_days(left, zone="UTC"), periods.local_days(whole, zone="UTC"), "day")
    assert (share.part, share.whole) == (given["days_billed"], given["period_days"])
    old = money.plain(Decimal(given["old_quantity"]) * Decimal(given["old_price"]))
    new = money.plain(Decimal(given["new_quantity"]) * Decimal(given["new_price"]))
    check_two_lines(case, credit=-fee(old, share, case["currency"]), charge=fee(new, share, case["currency"]))


def check_change_by_fraction(case: Case) -> None:
    given = case["params"]
    part, whole = given["remaining_fraction"].split("/")
    share = Share(int(part), int(whole), "day")
    credit = -fee(given["old_price"], share, case["currency"])
    check_two_lines(case, credit=credit, charge=fee(given["new_price"], share, case["currency"]))


def check_two_lines(case: Case, *, credit: Decimal, charge: Decimal) -> None:
    assert credit == Decimal(case["expected_credit"])
    assert charge == Decimal(case["expected_charge"])
    assert credit + charge == Decimal(case["expected_amount"])


def check_amount_by_seconds(case: Case) -> None:
    given = case["params"]
    change, start, end = (
        datetime.fromtimestamp(given[name], tz=UTC) for name in ("change_at", "period_start", "period_end")
    )
    share = Share(Period(change, end).microseconds, Period(start, end).microseconds, "second")
    assert -fee(given["amount"], share, case["currency"]) == Decimal(case["expected_amount"])


CONVENTIONS = {"fixed_30_day_month": "day30"}  # every other one counts the days of the calendar


def check_fraction(case: Case) -> None:
    """The period around the start, of a subscription whose periods end when it does."""
    start, end = day(case["params"]["start"]), day(case["params"]["end_exclusive"])
    whole = monthly(start, bill_cycle_day=end.day)
    share = proration.share_of_segment(
        segment=Period(start, end),
        ends_at=end,
        whole=whole,
        unit=CONVENTIONS.get(case["convention"], "day"),
        zone="UTC",
    )
    assert f"{share.part}/{share.whole}" == case["expected_fraction"]


def check_credit_cap(case: Case) -> None:
    given = case["params"]
    found = unused_fees.cap_credit(
        wanted=Decimal(given["potential_credit"]),
        paid=Decimal(given["original_amount_paid"]),
        credited=Decimal(given["previous_credits"]),
    )
    assert found == Decimal(case["expected_amount"])


def check_credit_note(case: Case) -> None:
    given = case["params"]
    found = unused_fees.credit_unused(
        paid_net=Decimal(given["paid_net"]),
        unused=given["unused_days"],
        paid_for=given["paid_days"],
        tax_percent=Decimal(given["tax_percent"]),
        currency=case["currency"],
    )
    assert found.gross == Decimal(case["expected_amount"])


def check_billing_cycles(case: Case) -> None:
    """The source bills ahead: the shares of all periods begun by the target day add up to what it states."""
    given = case["params"]
    start, target = day(given["start"]), day(given["target"])
    end = day(given["end_exclusive"]) if given["end_exclusive"] else datetime.max.replace(tzinfo=UTC)
    total, begin = Fraction(0), start
    while begin <= target and begin < end:
        whole = monthly(begin, bill_cycle_day=given["bill_cycle_day"])
        part = Period(begin, min(whole.end, end))
        total += Fraction(periods.local_days(part, zone="UTC"), periods.local_days(whole, zone="UTC"))
        begin = whole.end
    assert total == Fraction(case["expected_fraction"])


def check_billing_dates(case: Case) -> None:
    given = case["params"]
    anchor, expected = (
        date.fromisoformat(given["anchor"]),
        [date.fromisoformat(text) for text in case["expected_dates"]],
    )
    after = date.fromisoformat(given["first_after"])
    found = boundaries(anchor, given["interval"], day(given["anchor"]))
    assert [one for one in takewhile(lambda one: one <= expected[-1], found) if one >= after] == expected


def check_billing_periods(case: Case) -> None:
    given = case["params"]
    found = boundaries(date.fromisoformat(given["anchor"]), given["interval"], day(given["anchor"]))
    ends = [next(found) for _ in case["expected_periods"]]
    expected = [[date.fromisoformat(text) for text in period] for period in case["expected_periods"]]
    assert [list(period) for period in pairwise([date.fromisoformat(given["anchor"]), *ends])] == expected


def check_first_billing_date(case: Case) -> None:
    start = day(case["params"]["start"])
    period = monthly(start, bill_cycle_day=case["params"]["bill_cycle_day"])
    first = period.start if period.start == start else period.end
    assert first.date() == date.fromisoformat(case["expected_date"])


def check_previous_period(case: Case) -> None:
    given = case["params"]
    terms = Terms(date(2021, 1, 1), Interval.MONTH, given["timezone"], datetime(2021, 1, 1, 5, tzinfo=UTC), None)
    last = list(timeline.ended_periods(terms, as_of=instant(given["billing_at"])))[-1]
    assert [last.start, last.end] == [instant(text) for text in case["expected_period_utc"]]


def check_day_count(case: Case) -> None:
    given, zone = case["params"], case["params"]["timezone"]
    if "start_local" in given:
        start, end = (
            periods.local_midnight(date.fromisoformat(given[name]), zone=zone) for name in ("start_local", "end_local")
        )
    else:  # the source's end lies in the last day that it counts
        start = instant(given["start_utc"])
        last_day = periods.local_date(instant(given["end_utc"]), zone=zone)
        end = periods.local_midnight(last_day + timedelta(days=1), zone=zone)
    assert periods.local_days(Period(start, end), zone=zone) == case["expected_days"]


def check_day_window(case: Case) -> None:
    given = case["params"]
    window = periods.enclosing_period(
        anchor=date.fromisoformat(given["date"]),
        interval=Interval.DAY,
        zone=given["timezone"],
        instant=periods.local_midnight(date.fromisoformat(given["date"]), zone=given["timezone"]),
    )
    assert [window.start, window.end] == [instant(text) for text in case["expected_window_utc"]]
    assert window.microseconds == case["expected_hours"] * 3_600_000_000


def check_split_usage(case: Case) -> None:
    given, change = case["params"], instant(case["params"]["change_at"])
    month = Period(change - timedelta(days=14), change + timedelta(days=17))
    prices = [Decimal(given["old_unit_price"]), Decimal(given["new_unit_price"])]
    versions = timeline.in_force([Dated(0, month.start, 1), Dated(1, change, 2)])
    found = []
    for index, part in timeline.cut(month, versions):
        inside = [event for event in given["events"] if part.contains(instant(event["time"]))]
        units = sum((Decimal(event["units"]) for event in inside), Decimal(0))
        computation = rules.compute(model="standard", params=StandardParams(prices[index]), usage=Usage(units))
        found.append((units, computation.amount_exact))
    assert found == [(Decimal(one["units"]), Decimal(one["amount"])) for one in case["expected_segments"]]
    assert sum(amount for _, amount in found) == Decimal(case["expected_amount"])


CHECKS: dict[str, Callable[[Case], None]] = {
    "amount": check_amount,
    "amount_by_seconds": check_amount_by_seconds,
    "billing_cycles": check_billing_cycles,
    "billing_dates": check_billing_dates,
    "billing_periods": check_billing_periods,
    "credit_cap": check_credit_cap,
    "credit_note": check_credit_note,
    "day_count": check_day_count,
    "day_window": check_day_window,
    "first_billing_date": check_first_billing_date,
    "fraction": check_fraction,
    "plan_change": check_plan_change,
    "plan_change_by_fraction": check_change_by_fraction,
    "previous_period": check_previous_period,
    "split_usage_at_boundary": check_split_usage,
}


@cases.parametrize("proration")
def test_the_share_is_the_one_that_the_source_states(case: Case) -> None:
    cases.skip_if_excused("proration", case=case, group=case["kind"])
    assert case["kind"] in CHECKS, f"no rule answers {case['kind']}, and deviations.toml does not say why"
    CHECKS[case["kind"]](case)


def test_nothing_that_is_tested_is_listed_as_missing() -> None:
    assert not CHECKS.keys() & cases.deviations()["not_yet"].get("proration", {}).keys()
