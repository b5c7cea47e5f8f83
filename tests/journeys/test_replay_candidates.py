"""A proposed fee table and a proposed policy are played to the end, and wait for the set that says what they do.

acme passes payouts on. October: one account, 1,000.00 and 500.00 paid out, 2.00 + 0.25 % + 0.25 each: 6.25, with 19 %
tax 7.44. November corrects October by a payout of 100.00 to another account that came late: 8.75 in all, so 2.50 more,
with tax 2.98.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import Model

from core import activation
from core.activation import NotYetError
from invoicing.cycle import finalize
from invoicing.cycle.models import Invoice
from invoicing.policy import propose, sign
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing import fee_programs
from invoicing.pricing.models import FeeProgramVersion
from invoicing.replay import queries, run, sets
from invoicing.replay.models import ReplayRun
from invoicing.replay.rules import content as contents
from tests.builders import billing, fees, replayed

pytestmark = pytest.mark.django_db
NOW = billing.NEXT_CLOSING + timedelta(days=1)
LATER = NOW + timedelta(hours=1)
DEARER = {"tables": [{"currency": "USD", "rate_percent": "1", "per_account": "3.00"}]}
ENOUGH = "Nobody of this program changes plans."
CORRECTION = "platform/connect, 1 Oct 2026 to 1 Nov 2026, corrects 1 Oct 2026"


@pytest.fixture(scope="module", autouse=True)
def platform(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Two closed months of acme in a required set that never ran."""
    with replayed.lasting_world(django_db_blocker):
        fees.open_platform()
        fees.pay_out("north", "1000.00", day=5)
        fees.pay_out("north", "500.00", day=20)
        billing.close_october()
        finance = billing.person("fiona", "finance")
        october = Invoice.objects.get()
        billing.approve_by(finance, october)
        finalize.finalize_invoice(invoice_id=october.pk, actor=None, at=billing.CLOSING)
        fees.pay_out("east", "100.00", day=30, received=billing.NEXT_CLOSING)
        billing.close_november()
        sets.make_from_history(name="payouts", customer_codes=["acme"], until=None, actor=finance, at=NOW)
        sets.decide_requirement(name="payouts", is_required=True, statement=ENOUGH, actor=finance, at=NOW)
        yield


def carry_out(*, with_version: Model | None = None, at: datetime = NOW) -> ReplayRun:
    """A run as a worker carries it out, in a database of its own; as it was delivered, which is enough here."""
    asked = run.write_down(name="payouts", orders=0, with_version=with_version, actor=None, at=at)
    return run.carry_out(run_id=asked.pk, clock=lambda: at)


def refused(version: Model) -> list[str]:
    return [refusal.code for refusal in activation.find_refusals(version, at=LATER)]


def dearer() -> FeeProgramVersion:
    return fees.propose_figures("stripe-connect", DEARER, effective_at=billing.DECEMBER)


def approve(version: FeeProgramVersion) -> FeeProgramVersion:
    return fee_programs.approve_version(pk=version.pk, actor=billing.approver(), at=NOW)


def at_once(*, at: datetime = NOW) -> TriggerPolicy:
    """Late usage is corrected on documents of its own, and no longer on the next invoice."""
    return propose.propose_policy(
        program="standard",
        terms={"late_usage": {"correction": "at_once"}},
        effective_at=at,
        reason="corrections by themselves",
        actor=billing.person("olaf", "engineering"),
        at=at,
    )


def sign_by_all(policy: TriggerPolicy) -> TriggerPolicy:
    for role in ("product", "finance", "ops"):
        signer = billing.person(f"signs-for-{role}", role)
        policy = sign.sign_policy(
            policy_id=policy.pk, content_hash=policy.content_hash, role=role, actor=signer, at=LATER
        )
    return policy


def test_a_fee_table_is_played_to_the_end_and_counts_only_once_the_set_held_with_it() -> None:
    table = dearer()
    assert refused(table) == ["replay_missing"]
    ended = carry_out(with_version=table)
    assert (ended.verdict, ended.problem, ended.report["differences"]) == ("passed", "", [])
    effect = ended.report["candidate"]
    # With it October is 3.00 + 1 % of 1,500.00 = 18.00, with tax 21.42; by the late payout 2 × 3.00 + 16.00 = 22.00,
    # so November has 4.00 more, with tax 4.76.
    assert effect["customers"] == [
        {"customer": "acme", "currency": "USD", "before": "10.42", "after": "26.18", "change": "15.76"}
    ]
    assert effect["failed"] == []
    amounts = [one for one in effect["changes"] if one["what"] == "amount"]
    assert [(one["expected"], one["found"], one["because"]) for one in amounts] == [
        ("6.25", "18.00", ["fee table stripe-connect v2 instead of stripe-connect v1"]),
        ("2.50", "4.00", ["fee table stripe-connect v2 instead of stripe-connect v1"]),
    ]
    assert refused(table) == []
    assert approve(table).status == "approved"


@pytest.mark.nightly  # two plays more
def test_a_policy_is_played_to_the_end_and_its_effect_is_told_by_the_event() -> None:
    policy = at_once()
    ended = carry_out(with_version=policy)
    assert (ended.verdict, ended.problem, ended.report["differences"]) == ("passed", "", [])
    effect = ended.report["candidate"]
    assert [(one["before"], one["after"], one["change"]) for one in effect["customers"]] == [("10.42", "7.44", "-2.98")]
    [line] = [one for one in effect["changes"] if one["what"] == "line"]
    assert (line["line"], line["expected"], line["found"]) == (CORRECTION, "100 for 2.50", "none")
    # The correction counted October anew, with the payout that came late; all three are accepted, and none counted.
    assert line["because"] == [
        "/shop payout.sent-east-10-30 is missing (expected 100): accepted",
        "/shop payout.sent-north-10-20 is missing (expected 500): accepted",
        "/shop payout.sent-north-10-5 is missing (expected 1000): accepted",
    ]
    assert sign_by_all(policy).status == "signed"


@pytest.mark.nightly  # three runs, five plays
def test_neither_counts_while_the_run_is_older_than_it_or_the_set_fails() -> None:
    assert carry_out().verdict == "passed"
    policy, table = at_once(at=LATER), dearer()
    assert refused(policy) == ["replay_outdated"]  # the run says nothing of what was written after it
    assert refused(table) == ["replay_without_it"]
    content = sets.content_of(queries.latest_version(sets.find_set("payouts")))
    content["steps"][0]["expected"][0]["total"] = "7.45"
    sets.upload(name="payouts", text=contents.canonical_text(content), actor=None, at=LATER)
    assert refused(table) == ["replay_outdated"]  # nor of what the set holds now
    for version in (table, policy):
        assert carry_out(with_version=version, at=LATER).verdict == "failed"
    assert (refused(table), refused(policy)) == (["replay_failed"], ["replay_failed"])
    with pytest.raises(NotYetError):
        approve(table)
    with pytest.raises(NotYetError):
        sign_by_all(policy)
    assert TriggerPolicy.objects.get(pk=policy.pk).status == "proposed"
