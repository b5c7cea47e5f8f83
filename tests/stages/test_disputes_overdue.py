"""Owners are told once of each due time that passed; what must hold of disputes is searched for what offends it."""

from datetime import timedelta

import pytest
from django.db import transaction

from compliance.disputes import decide, invariants, keeping, overdue, talk
from core import personal_keys
from core.invariants import check_all
from invoicing.notices.models import Notice
from tests.builders import billing, disputes
from tests.builders.disputes import NOON
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db

OFFENCES = {
    "the log of every dispute is legal and ends in its state": "UPDATE disputes_disputetransition SET to_status = 'ops'"
    " WHERE revision = 1",
    "every move of a dispute is in the audit chain as it was": "UPDATE disputes_disputetransition SET actor_id = NULL"
    " WHERE revision = 1",
    "a contested invoice is what it was when it was contested": "UPDATE disputes_dispute SET invoice_hash = 'other'",
    "a dispute is on the path that its latest evidence decided, and the evidence says why": (
        "UPDATE disputes_disputeevidence SET steps = jsonb_set(steps, '{0,found}', '\"7\"')"
    ),
    "nobody rejected what was not reproduced": "UPDATE disputes_dispute SET path = 'engineering'",
    "an upheld dispute that is closed names an issued document that corrects what it contested": (
        "UPDATE disputes_dispute SET outcome = 'upheld'"
    ),
    "a letter names the pack of its evidence, as it is kept": "UPDATE disputes_disputeletter SET text = 'Dear'",
    "a hold on collection ended with the last dispute that asked for it, or somebody said why it stays": (
        "UPDATE cycle_collectionhold"
        " SET lifted_at = NULL, lifted_by_id = NULL, lifting_entry_id = NULL, lifting_reason = ''"
    ),
    "no dispute that closed lifted a hold on collection that another open one had asked for": (
        "UPDATE core_auditentry SET facts = jsonb_set(facts, '{dispute}', '0')"
        " WHERE action = 'invoice.collection_lifted'"
    ),
    "an invoice on hold for collection is final": (
        "UPDATE cycle_collectionhold SET invoice_id = (SELECT id FROM cycle_invoice WHERE status <> 'final' LIMIT 1)"
    ),
}


def test_owners_are_told_once_of_each_due_time_that_passed() -> None:
    desk = disputes.open_desk()
    disputes.break_the_chain()
    dispute = disputes.on_its_path(desk)
    due = dispute.due_at  # 72 hours for engineering, and 72 until the customer is to hear of it
    assert due is not None
    assert dispute.update_due_at == due
    assert overdue.tell_overdue(at=due - timedelta(seconds=1)) == 0
    late = due + timedelta(hours=1)
    assert overdue.tell_overdue(at=late) == 2
    assert overdue.tell_overdue(at=late + timedelta(hours=1)) == 0
    told = {one.topic: one.audience for one in Notice.objects.all()}
    assert told == {"dispute.overdue": "engineering", "dispute.update_due": "ops"}
    talk.write_update(dispute_id=dispute.pk, text="Still at it.", actor=desk.ops, at=late)
    assert overdue.tell_overdue(at=late + timedelta(hours=71)) == 0
    assert overdue.tell_overdue(at=late + timedelta(hours=73)) == 1  # the next update; the step was told already


def test_the_dispute_of_an_erased_customer_stops_nobody_and_can_still_be_closed() -> None:
    desk = disputes.open_desk()
    dispute = disputes.on_its_path(desk)
    key = desk.invoice.customer.personal_key_id
    assert key is not None
    personal_keys.destroy_keys([key], at=NOON)
    late = NOON + timedelta(days=60)
    assert overdue.tell_overdue(at=late) == 0
    decide.withdraw(dispute_id=dispute.pk, reason="erased", actor=desk.ops, at=late)
    dispute.refresh_from_db()
    assert (dispute.status, dispute.outcome) == ("closed", "withdrawn")
    assert dispute.messages.latest("pk").text == talk.ERASED


def test_each_invariant_finds_what_offends_it() -> None:
    desk = disputes.open_desk()
    billing.billed_customer(desk.company, "draft-co")
    dispute = disputes.on_its_path(desk)
    keeping.hold_collection(dispute_id=dispute.pk, reason="contested", actor=desk.ops, at=NOON)
    decide.reject(dispute_id=dispute.pk, answer="It stands.", actor=desk.ops, at=NOON)
    disputes.run_jobs(at=NOON + timedelta(minutes=5))
    assert {one.invariant.name for one in check_all(invariants.INVARIANTS)} == OFFENCES.keys()
    assert [one.offenders for one in check_all(invariants.INVARIANTS) if one.offenders] == []
    for name, offence in OFFENCES.items():
        point = transaction.savepoint()
        tamper(offence)
        found = {one.invariant.name for one in check_all(invariants.INVARIANTS) if one.offenders}
        transaction.savepoint_rollback(point)
        assert name in found, name
