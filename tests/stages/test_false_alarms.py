"""An offence that is none: two people of two roles say so, and never over figures that differ."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from core.errors import NotAllowedError
from core.invariants import Finding, Invariant
from core.models import AuditEntry
from invoicing.cycle import false_alarms, finalize, move, offences
from invoicing.cycle.admin import timeline
from invoicing.cycle.models import FalseAlarm, Invoice, Offence
from tests.builders import billing, guards, soundness
from tests.builders.billing import CLOSING
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(hours=1)
WHY = "the query counts a test customer"


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def olga() -> User:
    return billing.person("olga", "ops")


def offend(customer_id: int, *, number: int = 27, words: str = "") -> Offence:
    """What a check found against an invariant of this number."""
    invariant = Invariant(number=number, name="a pencil lies on the desk", find_offenders=list)
    offences.keep([Finding(invariant, [f"customer {customer_id}{words}"])], at=CLOSING)
    return Offence.objects.latest("pk")


def approved(company: billing.Company) -> Invoice:
    return billing.approve_by(company.finance, billing.billed_customer(company))


def issue(invoice: Invoice) -> Invoice:
    return finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=LATER)


def say(company: billing.Company, offence: Offence) -> FalseAlarm:
    return false_alarms.state(offence_id=offence.pk, reason=WHY, actor=company.finance, at=LATER)


def agree(alarm: FalseAlarm, olga: User) -> FalseAlarm:
    return false_alarms.agree(alarm_id=alarm.pk, reason="looked at it, it is none", actor=olga, at=LATER)


def test_finance_says_so_ops_agrees_and_the_invoice_is_issued(company: billing.Company, olga: User) -> None:
    invoice = approved(company)
    alarm = say(company, offend(invoice.customer_id))
    with pytest.raises(offences.OffendedError):
        issue(invoice)
    done = agree(alarm, olga)
    assert done.recounted == [
        {
            "invoice": invoice.pk,
            "content_hash": invoice.content_hash,
            "raw_events": 2,
            "aggregated_events": 2,
            "rated_lines": 2,
        }
    ]
    assert issue(invoice).number == "INV-000001"
    actions = [entry.action for entry in AuditEntry.objects.filter(subject=f"offence:{alarm.offence_id}")]
    assert actions == ["offence.called_false", "offence.false_alarm_agreed"]
    told = [(one.title, one.who, one.why) for one in timeline.moments_of(invoice) if "pencil" in one.title]
    assert told == [
        ("Called a false alarm: a pencil lies on the desk", "fiona", WHY),
        ("Agreed, after a recount: a pencil lies on the desk", "olga", "looked at it, it is none"),
    ]
    assert soundness.offences() == {}


def test_the_same_person_cannot_do_both_and_each_needs_the_role(company: billing.Company, olga: User) -> None:
    offence = offend(approved(company).customer_id)
    both = billing.person("bo", "finance", "ops")
    with pytest.raises(NotAllowedError):
        false_alarms.state(offence_id=offence.pk, reason=WHY, actor=olga, at=LATER)
    alarm = false_alarms.state(offence_id=offence.pk, reason=WHY, actor=both, at=LATER)
    with pytest.raises(move.SamePersonError):
        agree(alarm, both)
    with pytest.raises(NotAllowedError):
        agree(alarm, company.other_finance)
    assert guards.refuses(
        "UPDATE cycle_falsealarm SET decision = 'agreed', decided_by_id = stated_by_id, decided_at = now()"
        " WHERE id = %s",
        [alarm.pk],
    )
    assert agree(alarm, olga).decision == "agreed"


@pytest.mark.parametrize("number", [3, 10, 14, 15, 16, 17, 18, 20, 29, 30, 43])
def test_no_difference_of_figures_events_books_or_chain_is_called_false(company: billing.Company, number: int) -> None:
    offence = offend(approved(company).customer_id, number=number)
    with pytest.raises(false_alarms.NoFalseAlarmError, match="repair it at its source"):
        say(company, offence)
    with pytest.raises(IntegrityError, match="no alarm that can be called false"), transaction.atomic():
        FalseAlarm.objects.create(offence=offence, reason=WHY, stated_by=company.finance, stated_at=LATER)


def test_nobody_agrees_while_what_is_counted_again_differs(company: billing.Company, olga: User) -> None:
    invoice = approved(company)
    alarm = say(company, offend(invoice.customer_id))
    tamper("UPDATE metering_aggregationsnapshot SET quantity = quantity + 1")
    with pytest.raises(false_alarms.RecountDiffersError, match="That is no false alarm"):
        agree(alarm, olga)
    assert FalseAlarm.objects.get().decision == ""


def test_an_invoice_that_differs_later_is_not_issued_whatever_was_agreed(company: billing.Company, olga: User) -> None:
    invoice = approved(company)
    agree(say(company, offend(invoice.customer_id)), olga)
    tamper("UPDATE metering_aggregationsnapshot SET quantity = quantity + 1")
    with pytest.raises(false_alarms.RecountDiffersError):
        issue(invoice)


def test_what_is_agreed_of_one_offence_says_nothing_of_another(company: billing.Company, olga: User) -> None:
    invoice = approved(company)
    agree(say(company, offend(invoice.customer_id)), olga)
    invariant = Invariant(number=27, name="a pencil lies on the desk", find_offenders=list)
    words = [f"customer {invoice.customer_id}", f"customer {invoice.customer_id}, red"]
    offences.keep([Finding(invariant, words)], at=LATER)
    with pytest.raises(offences.OffendedError, match="red"):
        issue(invoice)
    with pytest.raises(IntegrityError, match="an invariant is contradicted"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(status="final", revision=invoice.revision + 1)


def test_found_again_after_it_was_gone_it_stops_again(company: billing.Company, olga: User) -> None:
    invoice = approved(company)
    agree(say(company, offend(invoice.customer_id)), olga)
    offences.keep([], at=LATER)
    offend(invoice.customer_id)
    with pytest.raises(offences.OffendedError):
        issue(invoice)


def test_a_refused_statement_lets_nobody_go_and_another_may_be_made(company: billing.Company, olga: User) -> None:
    invoice = approved(company)
    alarm = say(company, offend(invoice.customer_id))
    with pytest.raises(false_alarms.NoFalseAlarmError, match="called a false alarm before"):
        say(company, alarm.offence)
    false_alarms.refuse(alarm_id=alarm.pk, reason="the pencil is there", actor=olga, at=LATER)
    with pytest.raises(offences.OffendedError):
        issue(invoice)
    with pytest.raises(false_alarms.AlarmDecidedError):
        agree(alarm, olga)
    assert say(company, alarm.offence).decision == ""


def test_what_names_nobody_or_is_gone_is_no_matter_for_two_people(company: billing.Company) -> None:
    gone = offend(approved(company).customer_id)
    offences.keep([], at=LATER)
    for offence in (gone, Offence.objects.create(number=27, name="x", offender="y", found_at=LATER, seen_at=LATER)):
        with pytest.raises(false_alarms.NoFalseAlarmError, match="stops nobody"):
            say(company, offence)


def test_what_was_said_stays(company: billing.Company, olga: User) -> None:
    alarm = agree(say(company, offend(approved(company).customer_id)), olga)
    assert guards.refuses("UPDATE cycle_falsealarm SET decision = 'refused' WHERE id = %s", [alarm.pk])
    assert guards.refuses("DELETE FROM cycle_falsealarm WHERE id = %s", [alarm.pk])


def test_the_pages_say_who_is_needed_and_what_was_agreed(company: billing.Company, olga: User) -> None:
    invoice = approved(company)
    offence = offend(invoice.customer_id)
    client = Client()

    def page(person: User, path: str) -> str:
        client.force_login(person)
        return client.get(f"/admin/cycle/{path}/").content.decode()

    desk = f"offence/{offence.pk}/change"
    assert "Call it a false alarm" in page(company.finance, desk)
    say(company, offence)
    assert "somebody in ops has to agree" in page(company.finance, f"invoice/{invoice.pk}/change")
    assert "Agree: a false alarm" in page(olga, desk)
    agree(FalseAlarm.objects.get(), olga)
    assert f"{WHY}" in page(olga, desk)
    assert "agreed that it is a false alarm" in page(company.finance, f"invoice/{invoice.pk}/change")
