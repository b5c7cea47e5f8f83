"""A hold on collection ends with the last dispute that asked for it, unless somebody says why it stays."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from compliance.disputes import decide, fixing, keeping
from compliance.disputes.invariants import INVARIANTS
from compliance.disputes.models import Dispute
from core import personal_keys
from core.errors import NotAllowedError
from core.models import AuditEntry
from invoicing.cycle import collection, credit_note, finalize
from invoicing.cycle.models import CollectionHold
from tests.builders import billing, disputes
from tests.builders.disputes import NOON
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def desk() -> disputes.Desk:
    return disputes.open_desk()


@pytest.fixture
def held(desk: disputes.Desk) -> Dispute:
    """A dispute with operations that holds the collection of its invoice."""
    dispute = disputes.on_its_path(desk)
    keeping.hold_collection(dispute_id=dispute.pk, reason="contested", actor=desk.ops, at=NOON)
    return dispute


def told(dispute: Dispute) -> list[str]:
    return [one.text for one in dispute.messages.filter(visibility="customer")]


def offences() -> Sequence[str]:
    return [found for one in INVARIANTS if "hold on collection" in one.name for found in one.find_offenders()]


def test_a_rejection_lifts_the_hold_and_says_which_dispute_it_was(desk: disputes.Desk, held: Dispute) -> None:
    decide.reject(dispute_id=held.pk, answer="It stands.", actor=desk.finance, at=LATER)
    hold = CollectionHold.objects.get()
    assert (hold.lifted_by, hold.lifted_at) == (desk.finance, LATER)
    assert hold.lifting_reason == f"Dispute {held.pk} is closed: rejected."
    assert hold.lifting_entry is not None
    assert (hold.lifting_entry.action, hold.lifting_entry.facts["dispute"]) == ("invoice.collection_lifted", held.pk)
    assert told(held)[-2:] == ["Your dispute is rejected. It stands.", "This invoice is collected as usual again."]
    assert offences() == []


def test_a_customer_who_takes_it_back_ends_the_hold(desk: disputes.Desk, held: Dispute) -> None:
    person = billing.person("petra", "product")  # anybody: the portal knows whose dispute it is
    decide.withdraw_as_customer(customer=held.customer, dispute_id=held.pk, actor=person, at=LATER)
    assert collection.open_hold(desk.invoice) is None
    assert CollectionHold.objects.get().lifted_by == person


def test_an_upheld_dispute_holds_until_its_correction_is_issued(desk: disputes.Desk, held: Dispute) -> None:
    decide.uphold(dispute_id=held.pk, answer="We give it back.", actor=desk.ops, at=LATER)
    assert collection.open_hold(desk.invoice) is not None
    assert held.line is not None
    note = credit_note.ask_for_credit(
        invoice_id=desk.invoice.pk,
        reason="dispute",
        amounts={held.line.pk: held.line.amount},
        actor=desk.finance,
        at=LATER,
    )
    fixing.link_fix(dispute_id=held.pk, document_id=note.pk, delta_report_id=None, actor=desk.finance, at=LATER)
    billing.allow_changes(desk.company.other_finance, note)
    note.refresh_from_db()
    billing.approve_by(desk.company.other_finance, note)
    finalize.finalize_invoice(invoice_id=note.pk, actor=None, at=LATER)
    assert fixing.close_corrected(at=LATER) == 1
    hold = CollectionHold.objects.get()
    assert (hold.lifted_by, hold.lifting_reason) == (None, f"Dispute {held.pk} is closed: upheld.")  # by the product


def test_a_hold_that_another_placed_stays(desk: disputes.Desk) -> None:
    other = disputes.contest(desk, position=1)
    keeping.hold_collection(dispute_id=other.pk, reason="contested", actor=desk.ops, at=NOON)
    dispute = disputes.on_its_path(desk)
    decide.reject(dispute_id=dispute.pk, answer="It stands.", actor=desk.ops, at=LATER)
    hold = collection.open_hold(desk.invoice)
    assert hold is not None
    assert hold.reason == f"Dispute {other.pk}: contested"
    assert "This invoice is collected as usual again." not in told(dispute)


@pytest.fixture
def both(desk: disputes.Desk, held: Dispute) -> tuple[Dispute, Dispute]:
    """Two open disputes over the same invoice that both ask for its hold; the second came while it stood."""
    second = disputes.on_its_path(desk, position=1)
    keeping.hold_collection(dispute_id=second.pk, reason="contested as well", actor=desk.finance, at=NOON)
    return held, second


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_hold_stands_until_the_last_dispute_that_asked_for_it_closes(
    desk: disputes.Desk, both: tuple[Dispute, Dispute], order: tuple[int, int]
) -> None:
    first, last = (both[place] for place in order)
    decide.reject(dispute_id=first.pk, answer="It stands.", actor=desk.ops, at=LATER)
    assert collection.open_hold(desk.invoice) is not None
    assert "This invoice is collected as usual again." not in told(first)
    assert offences() == []
    decide.reject(dispute_id=last.pk, answer="It stands.", actor=desk.ops, at=LATER)
    hold = CollectionHold.objects.get()
    assert (hold.lifted_at, hold.lifting_reason) == (LATER, f"Dispute {last.pk} is closed: rejected.")
    assert "This invoice is collected as usual again." in told(last)
    assert offences() == []


def test_who_asks_for_a_hold_that_stands_is_written_down(desk: disputes.Desk, both: tuple[Dispute, Dispute]) -> None:
    placed, joined = both[0].holds.get(), both[1].holds.get()
    assert placed.hold == joined.hold == CollectionHold.objects.get()
    assert (placed.joined_by, placed.joined_at, placed.joined_entry) == (None, None, None)
    assert (joined.joined_by, joined.joined_at) == (desk.finance, NOON)
    assert joined.joined_entry is not None
    assert (joined.joined_entry.action, joined.joined_entry.subject) == ("dispute.hold_joined", f"dispute:{both[1].pk}")
    assert personal_keys.open_text(joined.joined_entry.facts["reason"]) == "contested as well"
    with pytest.raises(collection.CollectionHeldError, match="already"):
        keeping.hold_collection(dispute_id=both[1].pk, reason="once more", actor=desk.ops, at=LATER)


def test_what_one_dispute_keeps_stays_after_the_other(desk: disputes.Desk, both: tuple[Dispute, Dispute]) -> None:
    decide.reject(dispute_id=both[1].pk, answer="It stands.", keep_hold="a court asks", actor=desk.ops, at=LATER)
    decide.reject(dispute_id=both[0].pk, answer="It stands.", actor=desk.ops, at=LATER)
    assert collection.open_hold(desk.invoice) is not None
    assert offences() == []


def test_by_hand_a_hold_ends_for_every_dispute(desk: disputes.Desk, both: tuple[Dispute, Dispute]) -> None:
    keeping.lift_collection(dispute_id=both[1].pk, reason="they pay meanwhile", actor=desk.ops, at=LATER)
    assert collection.open_hold(desk.invoice) is None
    for dispute in both:
        decide.reject(dispute_id=dispute.pk, answer="It stands.", actor=desk.ops, at=LATER)
    assert CollectionHold.objects.get().lifting_reason == f"Dispute {both[1].pk}: they pay meanwhile"
    assert offences() == []


def test_an_invariant_finds_a_hold_that_ended_too_early(desk: disputes.Desk, both: tuple[Dispute, Dispute]) -> None:
    collection.end_hold(
        hold_id=both[0].holds.get().hold_id,
        reason="Dispute closed.",
        facts={"dispute": both[0].pk},
        actor=None,
        at=LATER,
    )
    assert offences() == [f"dispute {both[1].pk}, hold {both[0].holds.get().hold_id}"]


def test_a_hold_that_was_lifted_before_is_left_alone_and_a_new_one_by_others_too(
    desk: disputes.Desk, held: Dispute
) -> None:
    keeping.lift_collection(dispute_id=held.pk, reason="they pay meanwhile", actor=desk.ops, at=NOON)
    collection.hold_collection(invoice_id=desk.invoice.pk, reason="insolvent", actor=desk.finance, at=NOON)
    decide.reject(dispute_id=held.pk, answer="It stands.", actor=desk.ops, at=LATER)
    hold = collection.open_hold(desk.invoice)
    assert hold is not None
    assert hold.reason == "insolvent"


def test_a_person_may_keep_the_hold_with_a_reason(desk: disputes.Desk, held: Dispute) -> None:
    decide.reject(
        dispute_id=held.pk, answer="It stands.", keep_hold="a court decides in June", actor=desk.finance, at=LATER
    )
    assert collection.open_hold(desk.invoice) is not None
    mine = held.holds.get()
    assert (mine.kept_by, mine.kept_at, mine.kept_reason) == (desk.finance, LATER, "a court decides in June")
    kept = AuditEntry.objects.get(action="dispute.hold_kept")
    assert (kept.subject, personal_keys.open_text(kept.facts["reason"])) == (
        f"dispute:{held.pk}",
        "a court decides in June",
    )
    assert offences() == []
    keeping.lift_collection(dispute_id=held.pk, reason="the court decided", actor=desk.ops, at=LATER)
    assert collection.open_hold(desk.invoice) is None


def test_what_is_kept_when_it_is_upheld_stays_when_it_closes(desk: disputes.Desk, held: Dispute) -> None:
    decide.uphold(dispute_id=held.pk, answer="Right.", keep_hold="they are insolvent", actor=desk.ops, at=LATER)
    with pytest.raises(keeping.NothingToKeepError, match="said already"):
        keeping.keep_hold_if_said(held, reason="again", actor=desk.ops, at=LATER)
    held.refresh_from_db()
    assert keeping.end_own_hold(held, outcome="upheld", actor=None, at=LATER) is False


def test_nothing_is_kept_where_the_dispute_holds_nothing_nor_by_somebody_who_may_not(
    desk: disputes.Desk,
) -> None:
    dispute = disputes.on_its_path(desk)
    with pytest.raises(keeping.NothingToKeepError) as refused:
        decide.reject(dispute_id=dispute.pk, answer="It stands.", keep_hold="why not", actor=desk.ops, at=LATER)
    assert refused.value.pointer == "/keep_hold"
    keeping.hold_collection(dispute_id=dispute.pk, reason="contested", actor=desk.ops, at=NOON)
    with pytest.raises(NotAllowedError):
        keeping.keep_hold_if_said(dispute, reason="why not", actor=desk.engineer, at=LATER)


def test_postgresql_closes_no_dispute_that_still_holds(desk: disputes.Desk, held: Dispute) -> None:
    change = (
        "UPDATE disputes_dispute SET status = 'closed', outcome = 'rejected', revision = 3, due_at = NULL,"
        " owner_role = '', update_due_at = NULL, closed_at = now() WHERE id = %s"
    )
    refused = pytest.raises(IntegrityError, match="still holds the collection")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change, [held.pk])
    tamper(change % held.pk)
    assert len(offences()) == 1
    other = collection.open_hold(desk.invoice)
    assert other is not None
