"""A policy in sentences, and as people write it line by line."""

from typing import Any

import pytest

from invoicing.policy.rules import rule_lines, terms, wording
from invoicing.policy.rules.rule_lines import LineError

FAR_FROM_THE_PAST = (
    "A draft is held for review where a line is 5 times, or the invoice 3 times, above or below the subscription's past"
    " (its last 3 final invoices)."
)
KEPT = (
    "An invoice is issued only with the approval in the audit chain, the computation of each line, the snapshot behind"
    " each metered line and a recount of the draft."
)
HELD_BELOW = (
    "When unbilled usage and unpaid invoices together reach 5000.00 EUR, further usage is held, until they are below"
    " 90 % of it."
)


def said(document: dict[str, object]) -> dict[str, list[str]]:
    return {one.title: list(one.sentences) for one in wording.decisions(terms.parse_terms(document))}


def test_silence_in_sentences() -> None:
    assert said({}) == {
        "When an invoice is made": [
            "Every period is invoiced when it has ended.",
            "Nothing is invoiced before its period ends.",
        ],
        "Late usage": [
            "A period does not wait for usage on its way.",
            "Usage that comes after the close is corrected by lines on the next invoice.",
        ],
        "Review before issue": [FAR_FROM_THE_PAST],
        "Second person": [
            "One person in finance approves an invoice, who neither drafted it nor decided on its figures."
        ],
        "Evidence": [KEPT],
        "Conventions": [
            "A part of a period is charged as each plan says.",
            "Older prices are kept as long as was agreed with the customer.",
        ],
        "Launch": ["Invoices are issued without asking whether the program is live."],
        "Alerts": ["Nobody is alerted."],
        "Charge controls": ["Usage is never held, whatever is owed."],
    }


def test_a_required_launch_in_sentences() -> None:
    live, none = said({"launch": {"required": True}})["Launch"]
    assert live == (
        "An invoice is issued only once the program was declared live, with every box of the launch checklist closed."
    )
    assert none == "No price change is held against the checklist."
    major = said({"launch": {"required": True, "major_change_percent": "10"}})["Launch"][1]
    assert major == (
        "A price change that would have made the last period of any customer 10 % dearer or cheaper is approved only"
        " while every box is closed, or under a signed exception."
    )


def test_a_hybrid_policy_names_who_and_at_what_amount() -> None:
    document = {
        "cadence": {"model": "hybrid"},
        "off_cycle": {
            "eligible": {"customers": ["acme", "globex"], "meters": ["tokens"]},
            "triggers": [{"kind": "unbilled_amount", "currency": "EUR", "amount": "500"}],
        },
    }
    assert said(document)["When an invoice is made"][1] == (
        "Whoever is named (customer acme or globex; for usage of tokens) is also invoiced inside the period, each time"
        " usage that no invoice bills comes to 500.00 EUR; the invoice of the period bills the rest."
    )


def test_controls_and_alerts_say_what_follows() -> None:
    control = {"kind": "credit_exposure", "currency": "EUR", "amount": "5000", "action": "hold_usage"}
    near = {"kind": "usage_near_limit", "meter": "tokens", "limit": "1000000", "percent": "80"}
    found = said({"charge_controls": [{**control, "lift_percent": "90"}], "alerts": [near]})
    assert found["Charge controls"] == [HELD_BELOW]
    assert found["Alerts"] == ["When usage of tokens reaches 80 % of a limit of 1000000, ops is told by e-mail."]


def test_two_versions_stand_side_by_side() -> None:
    after = terms.parse_terms({"late_usage": {"grace_hours": "6"}})
    changed = [one for one in wording.compare(terms.SILENT, after) if one.is_changed]
    assert [(one.title, one.before[0], one.after[0]) for one in changed] == [
        (
            "Late usage",
            "A period does not wait for usage on its way.",
            "After its end a period waits 6 hours for usage on its way; that usage is not late.",
        )
    ]


def test_rules_are_written_a_line_each_and_read_back() -> None:
    rules: list[dict[str, Any]] = [
        {"kind": "usage_near_limit", "meter": "tokens", "limit": "5", "percent": "80", "notify": {"to": "ops"}},
        {"kind": "credit_exposure", "currency": "EUR", "amount": "5.00", "action": "hold_usage"},
        {"kind": "program_cost", "fee_program": "x", "notify": {"to": "ops", "channels": ["email", "slack"]}},
    ]
    text = rule_lines.write_rules(rules)
    assert text.splitlines()[0] == "usage_near_limit meter=tokens limit=5 percent=80 to=ops"
    assert rule_lines.read_rules(text) == rules
    assert rule_lines.read_rules("\n \n") == []


def test_amounts_are_written_a_currency_each_and_read_back() -> None:
    assert rule_lines.read_amounts("EUR 500.00\n\n usd 10") == {"EUR": "500.00", "USD": "10"}
    assert rule_lines.write_amounts({"EUR": "500.00", "USD": "10"}) == "EUR 500.00\nUSD 10"


@pytest.mark.parametrize(
    ("read", "text", "line"),
    [
        (rule_lines.read_rules, "credit_exposure EUR", "Line 1"),
        (rule_lines.read_rules, "ok a=1\nok b=", "Line 2"),
        (rule_lines.read_amounts, "EUR", "Line 1"),
        (rule_lines.read_amounts, "EUR 1\nEUR 2", "Line 2"),
    ],
)
def test_a_line_that_says_nothing_is_named(read: object, text: str, line: str) -> None:
    with pytest.raises(LineError, match=line):
        read(text)  # type: ignore[operator]
