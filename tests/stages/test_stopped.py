"""What stopped outside of a close: interim drafts that failed, and contradictions of what must always hold."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client

from core import work
from core.invariants import Finding, Invariant
from core.models import Job
from invoicing.cycle import finalize, off_cycle, offences, stopped
from invoicing.cycle.models import Invoice, Offence, StoppedInterim
from tests.builders import billing, soundness
from tests.builders import off_cycle as interims
from tests.builders.billing import CLOSING
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(hours=1)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def found(*offenders: str) -> list[Finding]:
    invariant = Invariant(number=99, name="a pencil lies on the desk", find_offenders=lambda: offenders)
    return [Finding(invariant, list(offenders))]


def approved(company: billing.Company, code: str = "acme") -> Invoice:
    return billing.approve_by(company.finance, billing.billed_customer(company, code))


def issue(invoice: Invoice) -> Invoice:
    return finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=LATER)


def test_an_offence_stops_the_customer_it_names_and_nobody_else_until_a_check_finds_it_no_more(
    company: billing.Company,
) -> None:
    of_acme, of_other = approved(company), approved(company, "other")
    checked = offences.keep(found(f"line 1, invoice {of_acme.pk}"), at=CLOSING)
    assert (checked.new, checked.known, checked.cleared) == (1, 0, 0)
    issue(of_other)
    with pytest.raises(offences.OffendedError, match="a pencil lies on the desk"):
        issue(of_acme)
    checked = offences.keep(found(f"line 1, invoice {of_acme.pk}"), at=LATER)
    assert (checked.new, checked.known, checked.cleared) == (0, 1, 0)
    checked = offences.keep(found(), at=LATER + timedelta(hours=1))
    assert (checked.new, checked.known, checked.cleared) == (0, 0, 1)
    assert issue(of_acme).number
    kept = Offence.objects.get()
    assert (kept.found_at, kept.seen_at, kept.cleared_at) == (CLOSING, LATER, LATER + timedelta(hours=1))


def test_postgresql_refuses_to_issue_over_an_offence_whoever_writes(company: billing.Company) -> None:
    invoice = approved(company)
    offences.keep(found(f"customer {invoice.customer_id}, currency EUR"), at=CLOSING)
    with pytest.raises(IntegrityError, match="an invariant is contradicted"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(status="final", revision=invoice.revision + 1)


@pytest.mark.parametrize(
    "words",
    [
        "line {line}",
        "rated_line {rated}, quantity 3",
        "snapshot {snapshot}",
        "x invoice:{pk}:final",
        "invoice {pk}: lines 3, together 4",
    ],
)
def test_whom_it_concerns_is_found_through_what_it_names(company: billing.Company, words: str) -> None:
    invoice = billing.billed_customer(company)
    line = invoice.lines.get(rated_line__snapshot__isnull=False)
    facts = {"pk": invoice.pk, "line": line.pk, "rated": line.rated_line_id, "snapshot": line.rated_line.snapshot_id}
    offences.keep(found(words.format(**facts)), at=CLOSING)
    assert Offence.objects.get().customer == invoice.customer


def test_what_names_nobody_stops_nobody_and_is_told_to_ops(company: billing.Company, settings: Any) -> None:
    settings.ALERT_BY_EMAIL = True
    olga = billing.person("olga", "ops")
    olga.email = "olga@lumen.example"
    olga.save()
    invoice = approved(company)
    offences.keep(found("AUD-1 is gone"), at=CLOSING)
    assert issue(invoice).number
    job = Job.objects.get(kind=offences.TELL_JOB)
    work.run_next_job(at=LATER)
    offences.tell(**job.arguments)
    (first, *_) = mail.outbox
    assert "a pencil lies on the desk: AUD-1 is gone" in first.body
    assert "No customer is named by it." in first.body


def check(*, at: datetime) -> offences.Checked:
    """All of it, in one go and without a limit."""
    found = offences.go_on_with_check(at=at)
    assert found is not None
    return found


def test_the_check_finds_what_was_tampered_with(company: billing.Company) -> None:
    invoice = approved(company)
    assert check(at=CLOSING).new == 0
    tamper("UPDATE rating_ratedline SET quantity = 1499 WHERE snapshot_id IS NOT NULL")
    assert check(at=LATER).new > 0
    assert invoice.customer in {one.customer for one in Offence.objects.all()}
    with pytest.raises(offences.OffendedError):
        issue(invoice)


def test_of_very_many_offenders_a_thousand_are_kept_and_the_rest_are_counted(company: billing.Company) -> None:
    offences.keep(found(*(f"pencil {number}" for number in range(1005))), at=CLOSING)
    assert Offence.objects.count() == 1001
    assert Offence.objects.filter(offender="and 5 more").exists()


def test_an_interim_draft_that_failed_is_kept_with_its_reason_until_it_is_made(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = billing.OCTOBER + timedelta(days=4)
    interims.sign(interims.threshold_terms("5.00"), since=billing.OCTOBER)
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", billing.day(3), 2500), at=start)

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a fault")

    with monkeypatch.context() as broken:
        broken.setattr(off_cycle.interim, "fill_bill", fail)
        for hours in (0, 1):
            report = off_cycle.draft_interims(at=start + timedelta(hours=hours))
            assert report.failed == [(subscription.pk, "RuntimeError: a fault")]
    kept = stopped.open_stops().get()
    assert (kept.subscription, kept.code, kept.attempts) == (subscription, "close_failed", 2)
    assert (kept.stopped_at, kept.last_tried_at) == (start, start + timedelta(hours=1))
    olga = billing.person("olga", "ops")
    stopped.try_again(stopped_id=kept.pk, actor=olga, at=LATER)
    assert Job.objects.get(kind=stopped.TRY_JOB).arguments == {"customer_id": subscription.customer_id}
    assert len(off_cycle.draft_interims(at=start + timedelta(hours=2)).invoice_ids) == 1
    assert not stopped.open_stops().exists()
    with pytest.raises(stopped.NotStoppedError):
        stopped.try_again(stopped_id=StoppedInterim.objects.get().pk, actor=olga, at=LATER)
    assert soundness.offences() == {}


def test_the_pages_say_what_is_stopped_and_what_to_do(company: billing.Company) -> None:
    invoice = billing.billed_customer(company)
    offences.keep(found(f"invoice {invoice.pk}", "AUD-1 is gone"), at=CLOSING)
    subscription_id = invoice.cycle.subscription_id
    stopped.note_failure(
        customer_id=invoice.customer_id, subscription_ids=[subscription_id], error=RuntimeError("a fault"), at=CLOSING
    )
    client = Client()
    client.force_login(company.finance)
    stop = StoppedInterim.objects.get()
    wanted = {
        f"cycle/invoice/{invoice.pk}/change": "Nothing is issued to this customer until",
        "cycle/billingcycle/month": "RuntimeError: a fault",
        "cycle/offence": "AUD-1 is gone",
        f"cycle/offence/{Offence.objects.get(customer=None).pk}/change": "for it names no customer",
        f"cycle/offence/{Offence.objects.get(customer__isnull=False).pk}/change": "is issued until a check",
        f"cycle/stoppedinterim/{stop.pk}/change": "an attempt comes by itself within the hour",
    }
    for path, words in wanted.items():
        assert words in client.get(f"/admin/{path}/").content.decode(), path
