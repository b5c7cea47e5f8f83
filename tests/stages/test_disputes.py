"""Disputes: the stated rule, both paths to their ends, due times, and the invoice that stays what it is."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from compliance.disputes import decide, fixing, keeping, move, opening, policies, rebuild, talk
from compliance.disputes import letter as letters
from compliance.disputes.models import Dispute, DisputeLetter
from compliance.disputes.opening import Claim
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.models import AuditEntry
from invoicing.cycle import collection, credit_note, finalize
from invoicing.cycle.models import Invoice
from tests.builders import billing, disputes
from tests.builders.disputes import NOON, TOKENS

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> disputes.Desk:
    return disputes.open_desk()


def row_of(invoice: Invoice) -> Any:
    """The invoice as it stands in its table, whole."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(one)::text FROM cycle_invoice one WHERE id = %s", [invoice.pk])
        return cursor.fetchone()


# Opening


def test_a_dispute_begins_with_its_evidence_an_owner_and_due_times(desk: disputes.Desk) -> None:
    dispute = disputes.contest(desk)
    # version 1 of the policy: 24 hours for the evidence, 72 until the customer is to hear of it again
    assert (dispute.status, dispute.owner_role, dispute.policy.version) == ("evidence", "ops", 1)
    assert dispute.due_at == NOON + timedelta(hours=24)
    assert dispute.update_due_at == NOON + timedelta(hours=72)
    told = dispute.messages.get()
    assert (told.visibility, told.is_from_customer) == ("customer", False)
    assert f"dispute of {desk.invoice.number}, line 2" in told.text


def test_the_same_thing_is_not_contested_twice_at_a_time(desk: disputes.Desk) -> None:
    disputes.contest(desk)
    with pytest.raises(opening.OpenAlreadyError):
        disputes.contest(desk)
    assert disputes.contest(desk, position=None).line is None  # the whole invoice is something else


def test_neither_a_draft_nor_the_invoice_of_another_is_contested(desk: disputes.Desk) -> None:
    draft = billing.billed_customer(desk.company, "beta")
    claim = Claim(invoice_id=draft.pk, position=None, reason="other", text="No.")
    with pytest.raises(opening.NotFinalError):
        opening.open_for_staff(claim=claim, origin="api", actor=desk.ops, at=NOON)
    with pytest.raises(NotFoundError):
        opening.open_for_customer(customer=draft.customer, claim=claim, actor=desk.ops, at=NOON)
    claim = Claim(invoice_id=desk.invoice.pk, position=None, reason="other", text="No.")
    with pytest.raises(NotFoundError):
        opening.open_for_customer(customer=draft.customer, claim=claim, actor=desk.ops, at=NOON)


def test_a_claim_that_says_nothing_usable_is_refused(desk: disputes.Desk) -> None:
    usual: dict[str, Any] = {"invoice_id": desk.invoice.pk, "position": 1, "reason": "price", "text": "Too much."}
    for changed, pointer in (({"position": 9}, "/line"), ({"reason": "mood"}, "/reason"), ({"text": " "}, "/text")):
        with pytest.raises(InvalidInputError) as refused:
            opening.open_for_staff(claim=Claim(**(usual | changed)), origin="api", actor=desk.ops, at=NOON)
        assert refused.value.pointer == pointer
    assert not Dispute.objects.exists()


# The rule


def test_a_reproduced_line_goes_to_operations_with_its_pack(desk: disputes.Desk) -> None:
    dispute = disputes.on_its_path(desk)
    evidence = dispute.evidence.get()
    assert (dispute.status, dispute.path, dispute.owner_role) == ("ops", "ops", "ops")
    assert dispute.due_at is not None
    assert evidence.finished_at is not None
    assert dispute.due_at - evidence.finished_at >= timedelta(hours=119)
    assert evidence.first_break is None
    assert evidence.rule == "1"
    assert {step["line"] for step in evidence.steps} == {TOKENS}
    assert evidence.pack is not None
    assert evidence.pack.line == dispute.line
    entry = AuditEntry.objects.get(subject=f"dispute:{dispute.pk}", action="dispute.reproduced")
    assert entry.facts["pack_sha256"] == evidence.pack.sha256


def test_a_whole_invoice_is_walked_line_by_line_and_added_up(desk: disputes.Desk) -> None:
    dispute = disputes.on_its_path(desk, position=None)
    evidence = dispute.evidence.get()
    assert {step["line"] for step in evidence.steps} == {1, 2, None}
    total = next(step for step in evidence.steps if step["step"] == "total")
    assert (total["claimed"], total["found"]) == ("61.88", "61.88")


def test_a_line_that_is_not_reproduced_goes_to_engineering_with_the_first_step_that_differs(
    desk: disputes.Desk,
) -> None:
    disputes.break_the_chain()
    dispute = disputes.on_its_path(desk)
    assert (dispute.status, dispute.path, dispute.owner_role) == ("engineering", "engineering", "engineering")
    first = dispute.evidence.get().first_break
    assert first is not None
    assert first["line"] == TOKENS
    assert first["claimed"] != first["found"]
    told = [one.text for one in dispute.messages.filter(visibility="customer")]
    assert "do not arrive at what was billed" in told[-1]


# The ops path


def test_a_rejection_closes_the_dispute_with_a_letter_that_names_line_price_and_pack(desk: disputes.Desk) -> None:
    dispute = disputes.on_its_path(desk)
    decide.reject(dispute_id=dispute.pk, answer="Your own logs agree.", actor=desk.ops, at=NOON)
    disputes.run_jobs(at=NOON + timedelta(minutes=2))
    dispute.refresh_from_db()
    assert (dispute.status, dispute.outcome, dispute.due_at, dispute.owner_role) == ("closed", "rejected", None, "")
    letter = DisputeLetter.objects.get(dispute=dispute)
    pack = dispute.evidence.get().pack
    assert pack is not None
    said = " ".join(letter.text.split())
    for words in (
        f"Your dispute of invoice {desk.invoice.number}, line 2",
        "Acme GmbH",
        "Quantity: 1,500 unit",
        "Price: version 1, in force since 1 Jan 2026",
        "Billed: 3.00 EUR",
        "Worked out again: the same",
        "Your own logs agree.",
        f"SHA-256: {pack.sha256}",
    ):
        assert words in said
    assert letters.content_of(letter).startswith(b"%PDF-")


def test_an_upheld_dispute_closes_with_the_document_that_corrects_it(desk: disputes.Desk) -> None:
    dispute = disputes.on_its_path(desk)
    decide.uphold(dispute_id=dispute.pk, answer="We give it back.", actor=desk.ops, at=NOON)
    dispute.refresh_from_db()
    assert (dispute.status, dispute.outcome, dispute.owner_role) == ("correcting", "upheld", "finance")
    assert dispute.line is not None
    note = credit_note.ask_for_credit(
        invoice_id=desk.invoice.pk,
        reason="dispute",
        amounts={dispute.line.pk: dispute.line.amount},
        actor=desk.finance,
        at=NOON,
    )
    fixing.link_fix(dispute_id=dispute.pk, document_id=note.pk, delta_report_id=None, actor=desk.finance, at=NOON)
    assert fixing.close_corrected(at=NOON) == 0  # a draft corrects nothing yet
    billing.allow_changes(desk.company.other_finance, note)
    note.refresh_from_db()
    billing.approve_by(desk.company.other_finance, note)
    finalize.finalize_invoice(invoice_id=note.pk, actor=None, at=NOON)
    assert fixing.close_corrected(at=NOON) == 1
    dispute.refresh_from_db()
    assert (dispute.status, dispute.outcome) == ("closed", "upheld")


def test_a_document_that_corrects_something_else_is_no_fix(desk: disputes.Desk) -> None:
    dispute = disputes.on_its_path(desk)
    decide.uphold(dispute_id=dispute.pk, answer="We give it back.", actor=desk.ops, at=NOON)
    with pytest.raises(fixing.NotAFixError):
        fixing.link_fix(
            dispute_id=dispute.pk, document_id=desk.invoice.pk, delta_report_id=None, actor=desk.finance, at=NOON
        )


# The engineering path


def test_a_bill_that_is_not_reproduced_is_never_defended(desk: disputes.Desk) -> None:
    disputes.break_the_chain()
    dispute = disputes.on_its_path(desk)
    with pytest.raises(move.WrongStepError, match="nobody may defend it"):
        decide.reject(dispute_id=dispute.pk, answer="It is right.", actor=desk.ops, at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        Dispute.objects.filter(pk=dispute.pk).update(
            status="closed",
            outcome="rejected",
            revision=3,
            due_at=None,
            owner_role="",
            update_due_at=None,
            closed_at=NOON,
        )


def test_evidence_rebuilt_after_a_repair_brings_the_dispute_back_to_operations(desk: disputes.Desk) -> None:
    disputes.break_the_chain()
    dispute = disputes.on_its_path(desk)
    disputes.tamper("UPDATE metering_usageevent SET data = '{\"units\": 1000}' WHERE event_id = 'e1'")
    rebuild.ask_again(dispute_id=dispute.pk, reason="restored from the archive", actor=desk.engineer, at=NOON)
    disputes.run_jobs(at=NOON + timedelta(minutes=3))
    dispute.refresh_from_db()
    assert (dispute.status, dispute.revision) == ("ops", 4)
    assert list(dispute.evidence.values_list("path", flat=True)) == ["engineering", "ops"]


def test_the_customer_hears_of_it_on_schedule(desk: disputes.Desk) -> None:
    dispute = disputes.on_its_path(desk)
    later = NOON + timedelta(hours=50)
    talk.write_update(dispute_id=dispute.pk, text="Still looking.", actor=desk.ops, at=later)
    dispute.refresh_from_db()
    assert dispute.update_due_at == later + timedelta(hours=72)
    talk.write_remark(dispute_id=dispute.pk, text="Ask the proxy team.", actor=desk.engineer, at=later)
    with pytest.raises(NotAllowedError):
        talk.write_update(dispute_id=dispute.pk, text="Hm.", actor=desk.engineer, at=later)


# The invoice stays what it is


def test_nothing_that_a_dispute_does_changes_its_invoice(desk: disputes.Desk) -> None:
    before = row_of(desk.invoice)
    dispute = disputes.on_its_path(desk)
    keeping.hold_collection(dispute_id=dispute.pk, reason="they will not pay it", actor=desk.ops, at=NOON)
    decide.reject(dispute_id=dispute.pk, answer="It stands.", keep_hold="they appeal", actor=desk.ops, at=NOON)
    disputes.run_jobs(at=NOON + timedelta(minutes=2))
    keeping.lift_collection(dispute_id=dispute.pk, reason="it stands", actor=desk.finance, at=NOON)
    assert row_of(desk.invoice) == before


def test_postgresql_refuses_to_change_a_contested_invoice(desk: disputes.Desk) -> None:
    disputes.contest(desk)
    for change in ("total = total - 1, subtotal = subtotal - 1", "status = 'held'", "due_date = NULL"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE cycle_invoice SET {change} WHERE id = %s", [desk.invoice.pk])  # noqa: S608  our text


def test_a_collection_hold_stands_until_somebody_lifts_it_with_a_reason(desk: disputes.Desk) -> None:
    dispute = disputes.on_its_path(desk)
    keeping.hold_collection(dispute_id=dispute.pk, reason="contested", actor=desk.ops, at=NOON)
    with pytest.raises(collection.CollectionHeldError):
        keeping.hold_collection(dispute_id=dispute.pk, reason="again", actor=desk.ops, at=NOON)
    customer = desk.invoice.customer_id
    assert collection.amounts_on_hold([customer]) == {(customer, "EUR"): desk.invoice.total}
    keeping.lift_collection(dispute_id=dispute.pk, reason="settled", actor=desk.ops, at=NOON)
    assert collection.amounts_on_hold([customer]) == {}


# Moves


def test_every_move_is_in_the_log_and_in_the_chain(desk: disputes.Desk) -> None:
    dispute = disputes.on_its_path(desk)
    decide.withdraw(dispute_id=dispute.pk, reason="they called", actor=desk.ops, at=NOON)
    moves = [(one.from_status, one.to_status, one.outcome) for one in dispute.transitions.all()]
    assert moves == [("", "evidence", ""), ("evidence", "ops", ""), ("ops", "closed", "withdrawn")]
    actions = AuditEntry.objects.filter(subject=f"dispute:{dispute.pk}").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["dispute.opened", "dispute.reproduced", "dispute.withdrawn"]


def test_a_dispute_withdrawn_before_its_evidence_stays_withdrawn(desk: disputes.Desk) -> None:
    dispute = disputes.contest(desk)
    decide.withdraw(dispute_id=dispute.pk, reason="a mistake", actor=desk.ops, at=NOON)
    disputes.run_jobs(at=NOON + timedelta(minutes=1))
    dispute.refresh_from_db()
    assert (dispute.status, dispute.outcome) == ("closed", "withdrawn")


def test_a_step_is_given_only_to_somebody_whose_role_owns_it(desk: disputes.Desk) -> None:
    dispute = disputes.on_its_path(desk)
    with pytest.raises(InvalidInputError):
        keeping.assign(dispute_id=dispute.pk, username=desk.engineer.username, actor=desk.ops, at=NOON)
    keeping.assign(dispute_id=dispute.pk, username=desk.ops.username, actor=desk.ops, at=NOON)
    dispute.refresh_from_db()
    assert dispute.owner == desk.ops


def test_open_disputes_keep_the_policy_they_were_opened_under(desk: disputes.Desk) -> None:
    before = disputes.contest(desk)
    policies.set_policy(terms={"decision_hours": 48}, reason="faster", actor=desk.ops, at=NOON)
    after = disputes.contest(desk, position=1)
    disputes.run_jobs(at=NOON)
    for dispute, hours in ((before, 120), (after, 48)):
        dispute.refresh_from_db()
        evidence = dispute.evidence.get()
        assert evidence.finished_at is not None
        assert dispute.due_at == evidence.finished_at + timedelta(hours=hours)


def test_a_policy_by_which_nothing_could_be_worked_is_refused() -> None:
    ops = billing.person("olga", "ops")
    for terms in ({"update_hours": 0}, {"ops_owner": "product"}):
        with pytest.raises(policies.DisputePolicyError):
            policies.set_policy(terms=terms, reason="no", actor=ops, at=NOON)
