"""What a trigger policy may say, and who signs it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from invoicing.policy.rules import signing, terms
from invoicing.policy.rules.signing import Signature

MAJOR = "/terms/launch/major_change_percent"
BEGINS = datetime(2026, 11, 1, tzinfo=UTC)


def amount_of(amount: str, *, currency: str = "EUR") -> dict[str, str]:
    return {"kind": "unbilled_amount", "currency": currency, "amount": amount}


def control(action: str) -> dict[str, str]:
    return {"kind": "credit_exposure", "currency": "EUR", "amount": "500.00", "action": action}


WRITTEN: dict[str, Any] = {
    "alerts": [],
    "approval": {"second_person_above": {}},
    "cadence": {"model": "cycle"},
    "charge_controls": [],
    "conventions": {"grandfathering": {"kept_days_max": None}, "proration": "as_agreed"},
    "evidence": {"keep": ["approval", "computation", "snapshots", "tie_out"]},
    "late_usage": {"correction": "next_invoice", "grace_hours": "0"},
    "launch": {"major_change_percent": None, "required": False},
    "off_cycle": {"eligible": {"customers": [], "meters": [], "plans": []}, "triggers": []},
    "review_bounds": {"active": True, "invoice_times": "3", "least": {}, "line_times": "5", "past_periods": 3},
}
WHOLE: dict[str, Any] = {
    "alerts": [
        {
            "kind": "usage_near_limit",
            "meter": "tokens",
            "limit": "1000000",
            "percent": "80",
            "notify": {"to": "customer_success", "channels": ["email", "slack"]},
        },
        {
            "kind": "exposure_growth",
            "currency": "EUR",
            "amount": "1000.00",
            "percent": "150",
            "elapsed_percent": "10",
            "notify": {"to": "ops", "channels": ["email"]},
        },
        {
            "kind": "program_cost",
            "fee_program": "connect",
            "currency": "USD",
            "amount": "500.00",
            "notify": {"to": "ops", "channels": ["webhook"]},
        },
    ],
    "approval": {"second_person_above": {"EUR": "10000.00", "JPY": "1500000"}},
    "cadence": {"model": "hybrid"},
    "charge_controls": [
        {
            "kind": "credit_exposure",
            "currency": "EUR",
            "amount": "5000.00",
            "action": "hold_usage",
            "limit_from": "customer",
            "lift": "by_person",
            "lift_percent": "80",
        },
        {
            "kind": "credit_exposure",
            "currency": "EUR",
            "amount": "2500.00",
            "action": "interim_bill",
            "limit_from": "policy",
            "lift": "automatic",
            "lift_percent": "100",
        },
    ],
    "conventions": {"grandfathering": {"kept_days_max": 180}, "proration": "day"},
    "evidence": {"keep": ["approval", "computation", "raw_events", "snapshots", "tie_out"]},
    "late_usage": {"correction": "at_once", "grace_hours": "36.5"},
    "launch": {"major_change_percent": "12.5", "required": True},
    "off_cycle": {
        "eligible": {"customers": ["acme", "globex"], "meters": ["tokens"], "plans": ["starter"]},
        "triggers": [{"kind": "unbilled_amount", "currency": "EUR", "amount": "2000.00"}],
    },
    "review_bounds": {
        "active": False,
        "invoice_times": "2.5",
        "least": {"EUR": "50.00"},
        "line_times": "4",
        "past_periods": 6,
    },
}


def test_silence_is_the_normal_cycle() -> None:
    assert terms.parse_terms({}) == terms.SILENT
    assert terms.write_terms(terms.SILENT) == WRITTEN
    assert not terms.SILENT.bills_off_cycle


def test_what_is_written_down_reads_as_the_same_terms() -> None:
    assert terms.write_terms(terms.parse_terms(WHOLE)) == WHOLE
    assert terms.parse_terms(WRITTEN) == terms.SILENT


def test_a_policy_signed_before_there_was_more_to_say_still_counts() -> None:
    read = terms.parse_terms({"late_usage": {"correction": "next_invoice", "grace_hours": "36.5"}})
    assert read.late_usage.grace_hours == Decimal("36.5")
    assert (read.cadence, read.alerts, read.charge_controls) == ("cycle", (), ())
    assert read.review_bounds.is_active


def test_what_is_always_kept_is_kept_whatever_is_named() -> None:
    read = terms.parse_terms({"evidence": {"keep": ["raw_events"]}})
    assert read.evidence.keep == ("approval", "computation", "raw_events", "snapshots", "tie_out")


def test_each_problem_is_named_not_only_the_first() -> None:
    with pytest.raises(terms.TermsError) as refused:
        terms.parse_terms({"cadence": {"model": "daily"}, "evidence": {"keep": ["tea"]}, "bounds": {}})
    assert [problem["pointer"] for problem in refused.value.problems()] == [
        "/terms/cadence/model",
        "/terms/evidence/keep/0",
        "/terms/bounds",
    ]


def test_the_eligible_are_those_that_every_list_takes() -> None:
    eligible = terms.parse_terms(WHOLE).off_cycle.eligible
    assert [eligible.takes_customer(code) for code in ("acme", "globex", "other")] == [True, True, False]
    assert [eligible.takes_plan(code) for code in ("starter", "other")] == [True, False]
    assert [eligible.takes_meter(code) for code in ("tokens", "calls")] == [True, False]
    everybody = terms.SILENT.off_cycle.eligible
    assert [everybody.takes_customer("a"), everybody.takes_plan("b"), everybody.takes_meter("c")] == [True] * 3


def test_grace_is_a_length_of_time() -> None:
    assert terms.grace_of({"late_usage": {"grace_hours": "36.5"}}) == timedelta(hours=36, minutes=30)
    assert terms.grace_of({}) == timedelta(0)


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        (None, "/terms", "type"),
        ([], "/terms", "type"),
        ({"late_usage": 5}, "/terms/late_usage", "type"),
        ({"late_usage": {"grace_hours": 36.5}}, "/terms/late_usage/grace_hours", "number"),
        ({"late_usage": {"grace_hours": "-1"}}, "/terms/late_usage/grace_hours", "out_of_range"),
        ({"late_usage": {"grace_hours": "745"}}, "/terms/late_usage/grace_hours", "out_of_range"),
        ({"late_usage": {"correction": "forget"}}, "/terms/late_usage/correction", "choice"),
        ({"late_usage": {"grace": "1"}}, "/terms/late_usage/grace", "unknown_field"),
        ({"threshold": "100"}, "/terms/threshold", "unknown_field"),
        ({"cadence": "hybrid"}, "/terms/cadence", "type"),
        ({"off_cycle": {"triggers": [amount_of("5.001")]}}, "/terms/off_cycle/triggers/0/amount", "number"),
        ({"off_cycle": {"triggers": [amount_of("0")]}}, "/terms/off_cycle/triggers/0/amount", "out_of_range"),
        ({"off_cycle": {"triggers": [amount_of("5"), amount_of("6")]}}, "/terms/off_cycle/triggers/1", "duplicate"),
        ({"off_cycle": {"triggers": [{"kind": "moon"}]}}, "/terms/off_cycle/triggers/0/kind", "choice"),
        (
            {"off_cycle": {"triggers": [amount_of("5", currency="eur")]}},
            "/terms/off_cycle/triggers/0/currency",
            "currency",
        ),
        ({"off_cycle": {"eligible": {"plans": "all"}}}, "/terms/off_cycle/eligible/plans", "type"),
        ({"off_cycle": {"triggers": [amount_of("5")]}}, "/terms/off_cycle", "contradiction"),
        ({"cadence": {"model": "threshold"}}, "/terms/off_cycle/triggers", "required"),
        (
            {
                "cadence": {"model": "threshold"},
                "off_cycle": {"eligible": {"plans": ["a"]}, "triggers": [amount_of("5")]},
            },
            "/terms/off_cycle/eligible",
            "contradiction",
        ),
        (
            {"cadence": {"model": "hybrid"}, "off_cycle": {"triggers": [amount_of("5")]}},
            "/terms/off_cycle/eligible",
            "required",
        ),
        ({"charge_controls": [control("interim_bill")]}, "/terms/charge_controls", "contradiction"),
        ({"charge_controls": [control("call_them")]}, "/terms/charge_controls/0/action", "choice"),
        ({"charge_controls": [control("hold_usage")] * 2}, "/terms/charge_controls/1", "duplicate"),
        ({"alerts": [{"kind": "hold"}]}, "/terms/alerts/0/kind", "choice"),
        (
            {"alerts": [{"kind": "usage_near_limit", "limit": "5", "percent": "80"}]},
            "/terms/alerts/0/meter",
            "required",
        ),
        (
            {"alerts": [{"kind": "usage_near_limit", "meter": "m", "limit": "5", "percent": "0"}]},
            "/terms/alerts/0/percent",
            "out_of_range",
        ),
        (
            {"approval": {"second_person_above": {"EUR": "-1"}}},
            "/terms/approval/second_person_above/EUR",
            "out_of_range",
        ),
        ({"approval": {"second_person_above": {"euro": "1"}}}, "/terms/approval/second_person_above/euro", "currency"),
        ({"launch": {"required": "yes"}}, "/terms/launch/required", "type"),
        ({"launch": {"required": True, "major_change_percent": "0"}}, MAJOR, "out_of_range"),
        ({"launch": {"required": True, "major_change_percent": "1001"}}, MAJOR, "out_of_range"),
        ({"launch": {"major_change_percent": "10"}}, MAJOR, "contradiction"),
        ({"launch": {"required": True, "sunday": True}}, "/terms/launch/sunday", "unknown_field"),
        ({"review_bounds": {"line_times": "1"}}, "/terms/review_bounds/line_times", "out_of_range"),
        ({"review_bounds": {"active": "no"}}, "/terms/review_bounds/active", "type"),
        ({"conventions": {"proration": "hour"}}, "/terms/conventions/proration", "choice"),
        (
            {"conventions": {"grandfathering": {"kept_days_max": -1}}},
            "/terms/conventions/grandfathering/kept_days_max",
            "out_of_range",
        ),
    ],
)
def test_what_cannot_be_used_is_named(document: Any, pointer: str, code: str) -> None:
    with pytest.raises(terms.TermsError) as refused:
        terms.parse_terms(document)
    assert {"pointer": pointer, "code": code} in [
        {name: problem[name] for name in ("pointer", "code")} for problem in refused.value.problems()
    ]


def test_the_hash_covers_every_word() -> None:
    usual: dict[str, Any] = {"program": "standard", "version": 1, "effective_at": BEGINS, "terms": {"a": "1"}}
    hashes = {
        terms.hash_of(**{**usual, **change})
        for change in (
            {},
            {"program": "other"},
            {"version": 2},
            {"effective_at": BEGINS + timedelta(microseconds=1)},
            {"terms": {"a": "2"}},
        )
    }
    assert len(hashes) == 5


SIGNED = [Signature("product", 1), Signature("finance", 2)]


@pytest.mark.parametrize(
    ("role", "person", "flaw"),
    [
        ("ops", 3, None),
        ("ops", 9, "Whoever proposed a policy does not sign it; ask a colleague."),
        ("finance", 3, "Finance has signed already."),
        ("ops", 2, "You have signed for finance already; three different people sign."),
        ("engineering", 3, "A policy is signed by product, finance, ops; engineering does not sign."),
    ],
)
def test_three_different_people_sign_and_not_the_author(role: str, person: int, flaw: str | None) -> None:
    assert signing.flaw_of(role=role, person_id=person, author_id=9, signatures=SIGNED) == flaw


def test_the_missing_roles_are_named_in_order() -> None:
    assert signing.missing_roles([]) == ["product", "finance", "ops"]
    assert signing.missing_roles(SIGNED) == ["ops"]


def test_a_signature_lapses_with_the_role() -> None:
    held = {1: {"product"}, 2: {"ops"}}
    assert signing.lapsed(SIGNED, held=held) == [Signature("finance", 2)]
    assert signing.lapsed([Signature("ops", 7)], held={}) == [Signature("ops", 7)]
