"""Hold, release, approve, discard: who may decide what, and what stays on record."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from core import audit, personal_keys
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from invoicing.cycle import approve, discard, hold, move
from invoicing.cycle.models import Break, Hold, Invoice
from metering.models import AggregationSnapshot
from tests.builders import billing
from tests.builders.billing import CLOSING, day

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(hours=1)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def draft(company: billing.Company) -> Invoice:
    return billing.billed_customer(company)


def hold_it(invoice: Invoice, user: User, reason: str = "price list is checked") -> Hold:
    return hold.hold_invoice(invoice_id=invoice.pk, reason=reason, actor=user, at=CLOSING)


def release_it(invoice: Invoice, user: User, reason: str = "price list is right") -> Invoice:
    return hold.release_invoice(invoice_id=invoice.pk, reason=reason, actor=user, at=LATER)


def discard_it(invoice: Invoice, user: User, reason: str = "the price was wrong") -> Invoice:
    return discard.discard_invoice(invoice_id=invoice.pk, reason=reason, actor=user, at=LATER)


def unpriced(company: billing.Company) -> Invoice:
    """An invoice that is held because usage has no price."""
    billing.make_meter("storage", event_type="storage", owner=company.finance)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("s1", day(5), 3), event_type="storage")
    billing.close_october()
    return Invoice.objects.get()


def test_a_hold_keeps_its_reason_and_its_person(company: billing.Company, draft: Invoice) -> None:
    placed = hold_it(draft, company.finance, "  price list is checked ")
    draft.refresh_from_db()
    assert (draft.status, draft.revision) == ("held", 1)
    assert (placed.cause, placed.reason, placed.placed_by) == ("person", "price list is checked", company.finance)
    moved = draft.transitions.last()
    assert moved is not None
    assert (moved.to_status, moved.reason, moved.actor) == ("held", "price list is checked", company.finance)
    assert moved.audit_entry.action == "invoice.held"


def test_a_colleague_releases_with_a_reason_of_their_own(company: billing.Company, draft: Invoice) -> None:
    placed = hold_it(draft, company.finance)
    released = release_it(draft, company.other_finance)
    placed.refresh_from_db()
    assert released.status == "draft"
    assert (placed.released_by, placed.released_at, placed.release_reason) == (
        company.other_finance,
        LATER,
        "price list is right",
    )


def test_whoever_placed_a_hold_cannot_release_it(company: billing.Company, draft: Invoice) -> None:
    hold_it(draft, company.finance)
    with pytest.raises(move.SamePersonError, match="a colleague in finance has to release it"):
        release_it(draft, company.finance)
    draft.refresh_from_db()
    assert draft.status == "held"


def test_people_changes_stand_in_the_history_with_person_and_reason(company: billing.Company, draft: Invoice) -> None:
    placed = hold_it(draft, company.finance)
    release_it(draft, company.other_finance)
    rows = draft.history.order_by("history_id").values_list("status", "history_user", "history_change_reason")
    history = [(status, who, personal_keys.open_text(why or "")) for status, who, why in rows]
    assert history == [
        ("held", company.finance.pk, "price list is checked"),
        ("draft", company.other_finance.pk, "price list is right"),
    ]
    assert placed.history.latest().history_user == company.other_finance


def test_a_hold_on_approved_figures_withdraws_the_approval(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    hold_it(draft, company.other_finance)
    draft.refresh_from_db()
    assert (draft.status, draft.approved_by, draft.approved_at, draft.approved_hash) == ("held", None, None, "")


@pytest.mark.parametrize("role", ["product", "ops", "engineering", "auditor"])
def test_only_finance_decides(company: billing.Company, draft: Invoice, role: str) -> None:
    stranger = billing.person("someone", role)
    stranger.is_superuser = True  # being a superuser does not help
    stranger.save()
    for decide in (hold_it, release_it, discard_it, lambda invoice, user: billing.approve_by(user, invoice)):
        with pytest.raises(NotAllowedError, match="Only finance may"):
            decide(draft, stranger)
    draft.refresh_from_db()
    assert (draft.status, draft.revision) == ("draft", 0)


def test_a_role_that_was_taken_away_no_longer_decides(company: billing.Company, draft: Invoice) -> None:
    company.finance.groups.clear()
    with pytest.raises(NotAllowedError):
        billing.approve_by(company.finance, draft)


def test_an_invoice_that_does_not_exist_is_not_found(company: billing.Company) -> None:
    for number in (987654321, 10**30):
        with pytest.raises(NotFoundError, match=f"There is no invoice {number}"):
            hold.hold_invoice(invoice_id=number, reason="to be checked", actor=company.finance, at=CLOSING)


def test_a_decision_without_a_reason_is_refused(company: billing.Company, draft: Invoice) -> None:
    for decide in (hold_it, discard_it):
        with pytest.raises(InvalidInputError):
            decide(draft, company.finance, " ")


def test_what_is_held_already_is_not_held_again(company: billing.Company, draft: Invoice) -> None:
    hold_it(draft, company.finance)
    with pytest.raises(move.WrongStateError, match="is held already"):
        hold_it(draft, company.other_finance)


def test_what_is_not_held_cannot_be_released(company: billing.Company, draft: Invoice) -> None:
    with pytest.raises(move.WrongStateError, match="not held"):
        release_it(draft, company.finance)


def test_approval_keeps_the_hash_that_was_looked_at(company: billing.Company, draft: Invoice) -> None:
    approved = billing.approve_by(company.finance, draft)
    assert (approved.status, approved.approved_by, approved.approved_at, approved.approved_hash) == (
        "approved",
        company.finance,
        CLOSING,
        draft.content_hash,
    )


def test_another_hash_is_not_approved(company: billing.Company, draft: Invoice) -> None:
    with pytest.raises(approve.ContentChangedError) as refusal:
        approve.approve_invoice(invoice_id=draft.pk, content_hash="0" * 64, actor=company.finance, at=CLOSING)
    assert (refusal.value.code, refusal.value.http_status) == ("content_changed", 409)
    assert draft.content_hash in refusal.value.message


def test_a_held_invoice_is_not_approved(company: billing.Company, draft: Invoice) -> None:
    hold_it(draft, company.finance)
    with pytest.raises(move.WrongStateError, match="release its hold first"):
        billing.approve_by(company.other_finance, draft)


def test_whoever_drafted_it_cannot_approve_it(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.close_october(actor=company.finance)
    drafted = Invoice.objects.get()
    assert drafted.drafted_by == company.finance
    with pytest.raises(move.SamePersonError, match="You drafted this invoice"):
        billing.approve_by(company.finance, drafted)
    assert billing.approve_by(company.other_finance, drafted).status == "approved"


def test_whoever_had_the_earlier_draft_discarded_cannot_approve_the_new_one(
    company: billing.Company, draft: Invoice
) -> None:
    discard_it(draft, company.finance)
    billing.close_october()
    again = Invoice.objects.get(status="draft")
    with pytest.raises(move.SamePersonError, match="come of your decision"):
        billing.approve_by(company.finance, again)
    assert billing.approve_by(company.other_finance, again).status == "approved"


def test_usage_without_a_price_can_be_accepted_with_a_reason(company: billing.Company) -> None:
    held = unpriced(company)
    assert release_it(held, company.finance, "storage is free in October").status == "draft"
    found = Break.objects.get()
    assert (found.closed_by, found.closed_at, found.closing_reason) == (
        company.finance,
        LATER,
        "storage is free in October",
    )


def test_whoever_accepted_a_break_cannot_approve_the_invoice(company: billing.Company) -> None:
    held = unpriced(company)
    release_it(held, company.finance, "storage is free in October")
    with pytest.raises(move.SamePersonError, match="You accepted a break"):
        billing.approve_by(company.finance, held)
    assert billing.approve_by(company.other_finance, held).status == "approved"


def test_figures_that_differ_cannot_be_explained_away(company: billing.Company) -> None:
    held = unpriced(company)
    tie_out = held.tie_outs.get()
    Break.objects.create(
        invoice=held, tie_out=tie_out, name="raw_not_aggregated", detail="3 is not 2.", facts={}, opened_at=CLOSING
    )
    with pytest.raises(hold.IntegrityBreakError, match="repair it at its events, then repair and draft again"):
        release_it(held, company.finance)
    assert Break.objects.filter(closed_at=None).count() == 2


def test_a_discarded_draft_keeps_its_lines_and_frees_its_windows(company: billing.Company, draft: Invoice) -> None:
    discarded = discard_it(draft, company.finance)
    assert (discarded.status, discarded.lines.count()) == ("discarded", 2)
    assert list(AggregationSnapshot.objects.values_list("retired_at", flat=True)) == [LATER]
    moved = discarded.transitions.last()
    assert moved is not None
    assert (moved.to_status, moved.reason) == ("discarded", "the price was wrong")


def test_discarding_ends_holds_and_breaks_without_a_release(company: billing.Company) -> None:
    held = unpriced(company)
    discard_it(held, company.finance)
    placed, found = held.holds.get(), held.breaks.get()
    assert (placed.released_by, placed.released_at, placed.release_reason) == (
        None,
        LATER,
        "Discarded: the price was wrong",
    )
    assert (found.closed_by, found.closing_reason) == (company.finance, "Discarded: the price was wrong")


def test_a_person_may_discard_what_they_hold_themselves(company: billing.Company, draft: Invoice) -> None:
    hold_it(draft, company.finance)
    assert discard_it(draft, company.finance).status == "discarded"


def test_approved_figures_are_held_before_they_can_be_discarded(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    with pytest.raises(move.WrongStateError, match="hold it first"):
        discard_it(draft, company.finance)


def test_every_decision_is_one_link_of_the_audit_chain(company: billing.Company, draft: Invoice) -> None:
    hold_it(draft, company.finance)
    release_it(draft, company.other_finance)
    billing.approve_by(company.finance, draft)
    actions = [move.audit_entry.action for move in draft.transitions.all()]
    assert actions == ["invoice.drafted", "invoice.held", "invoice.released", "invoice.approved"]
    assert audit.find_first_broken_entry() is None
