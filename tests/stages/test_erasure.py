"""Persons are forgotten on the word of two, amounts and the chain stay, and the law keeps what it keeps."""

import base64
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import Error, transaction
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from accounts import external_ids, portal_access
from accounts.models import Customer, PortalUser, SignInGuard
from billing_ops.management.commands import check_invariants
from compliance.erasure import decide, documents, persons, plan, retention
from compliance.erasure.models import Erasure, ErasureRequest, RetentionRule
from compliance.evidence import trace
from compliance.evidence.pack import make
from compliance.payouts import register
from compliance.payouts.models import Payee
from core import audit, heads
from core.errors import NotAllowedError, NotFoundError
from core.models import AuditEntry, AuditHead, IdempotentAnswer, Job
from invoicing.cycle import content, pdf, tasks
from invoicing.cycle.models import Invoice
from invoicing.notices import tell
from invoicing.notices.models import Notice
from invoicing.pricing.models import Subscription
from invoicing.replay.models import ReplaySet, ReplaySetVersion
from invoicing.replay.rules import content as contents
from metering import ingest
from metering.models import QuarantinedEvent
from tests.builders import billing, dumps, packs, payouts, people
from tests.builders.guards import keeps_its_rows, refuses
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
WHO = {
    "legal_name": "Erika Mustermann",
    "address": "Heidestraße 17\n51147 Köln",
    "tax_id": "DE136695976",
    "email": "erika.mustermann@example.org",
}
SIGNS_IN = {"username": "e.mustermann", "first_name": "Erika", "last_name": "Mustermann", "email": "em@privat.example"}
WORDS = ["Erika", "Mustermann", "mustermann", "Heidestra", "51147 K", "DE136695976", "example.org", "privat.example"]


@pytest.fixture
def ops() -> User:
    return people.make_staff("olivia", "ops")


@pytest.fixture
def finance() -> User:
    return people.make_staff("finn", "finance")


@pytest.fixture
def erika(ops: User) -> Customer:
    """Never billed: made by the API, changed once, told of, with a sign-in that somebody tried to guess."""
    api = people.ApiClient(people.key_for(ops))
    made = api.post("customers", {"code": "c-17", "currency": "EUR", **WHO}, Idempotency_Key="made-once")
    assert made.status_code == 201
    api.call("PATCH", "customers/c-17", {"address": "Heidestraße 17\n51147 Köln-Porz"})
    customer = Customer.objects.get(code="c-17")
    portal_access.give_access(customer=customer, person=SIGNS_IN, password=people.PASSWORD, actor=ops, at=NOW)
    SignInGuard.objects.create(name="e.mustermann", failures=3, last_failure_at=NOW)
    tell.tell(
        tell.News(
            key="review:1",
            topic="review.requested",
            audience="ops",
            channels=("email",),
            customer=customer,
            title="Credit review: Erika Mustermann",
            text="Look.",
            document={"customer": "c-17"},
        ),
        at=NOW,
    )
    return customer


def ask(ops: User, kind: str = "customer", code: str = "c-17") -> ErasureRequest:
    return decide.ask_erasure(kind=kind, code=code, ground="asked", reference="TICKET-9", actor=ops, at=NOW)


def erased(ops: User, finance: User, kind: str = "customer", code: str = "c-17", at: datetime = NOW) -> Erasure:
    return decide.approve_erasure(request_id=ask(ops, kind, code).pk, actor=finance, at=at)


def offences() -> dict[str, list[str]]:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}


def test_of_whom_nothing_is_kept_by_law_nothing_is_left(erika: Customer, ops: User, finance: User) -> None:
    before = dumps.find_words(WORDS)
    assert {one.split(":")[0] for one in before} == {"accounts_signinguard", "auth_user", "core_idempotentanswer"}
    head = heads.sign_head(at=NOW)
    assert head is not None
    proof = erased(ops, finance)
    assert dumps.find_words(WORDS) == []
    assert audit.find_first_broken_entry() is None
    assert list(heads.find_flaws([heads.as_document(one) for one in AuditHead.objects.all()])) == []
    assert offences() == {}
    assert proof.audit_entry.action == "person.erased"
    assert proof.audit_entry.facts == {"request": proof.request_id, "keys": proof.keys, "kept_documents": 0}
    assert len(proof.keys) == 2


def test_an_uploaded_set_that_names_them_is_emptied_and_named_by_the_proof(
    erika: Customer, ops: User, finance: User
) -> None:
    text = contents.canonical_text({"customers": [], "notes": ["as Erika Mustermann asked"]})
    version = ReplaySetVersion.objects.create(
        replay_set=ReplaySet.objects.create(name="autumn", program="standard", created_at=NOW),
        version=1,
        origin="upload",
        content=contents.pack(text),
        content_hash=contents.hash_of(text),
        includes={},
        holds={},
        event_count=0,
        document_count=0,
        created_at=NOW,
    )
    goes = plan.plan_of(persons.find_person(kind="customer", code="c-17"), at=NOW).goes
    assert "What these replay sets hold, which cannot be run again as they were: autumn v1." in goes
    proof = erased(ops, finance)
    version.refresh_from_db()
    assert (bytes(version.content), version.content_hash) == (b"", contents.hash_of(text))
    assert proof.audit_entry.facts["replay_versions"] == [version.pk]
    assert offences() == {}
    tamper("UPDATE replay_replaysetversion SET id = id + 1")
    assert list(offences()) == ["what a replay set held was erased by an entry of the audit chain"]


def test_what_an_error_said_of_them_is_overwritten(erika: Customer, ops: User, finance: User) -> None:
    for key, error in (("one", "ValueError: 'erika mustermann'"), ("other", "ValueError: 'somebody else'")):
        at = {"run_after": NOW, "enqueued_at": NOW, "finished_at": NOW}
        Job.objects.create(kind="a.job", key=key, state=Job.State.DEAD, last_error=error, **at)
    proof = erased(ops, finance)
    assert "Errors of background work that named them, overwritten: 1." in proof.did
    told = dict(Job.objects.filter(kind="a.job").values_list("key", "last_error"))
    assert told == {"one": "Erased with the person whom it named.", "other": "ValueError: 'somebody else'"}


def test_whoever_was_erased_reads_so_everywhere(erika: Customer, ops: User, finance: User) -> None:
    erased(ops, finance)
    gone = "erased on 26 Nov 2026"
    found = Customer.objects.get(code="c-17")
    assert (found.legal_name, found.address, found.email, str(found)) == (gone, gone, gone, f"{gone} (c-17)")
    assert {one.legal_name for one in found.history.all()} == {gone}
    assert Notice.objects.get().title == gone
    api = people.ApiClient(people.key_for(ops))
    assert api.get("customers/c-17").json()["legal_name"] == gone
    page = Client()
    page.force_login(finance)
    assert gone in page.get(f"/admin/accounts/customer/{found.pk}/change/").content.decode()
    assert gone in page.get(f"/admin/accounts/customer/{found.pk}/history/").content.decode()
    entry = AuditEntry.objects.get(action="portal_access.given")
    assert gone in page.get(f"/admin/core/auditentry/{entry.pk}/change/").content.decode()


def test_the_sign_in_is_closed_and_a_repeated_call_tells_nothing(erika: Customer, ops: User, finance: User) -> None:
    client = Client()
    assert client.login(username="e.mustermann", password=people.PASSWORD)
    assert client.get("/portal/password/").status_code == 200
    erased(ops, finance)
    assert client.get("/portal/password/").status_code == 302
    assert not Client().login(username="e.mustermann", password=people.PASSWORD)
    sign_in = PortalUser.objects.get()
    assert (sign_in.user.username, sign_in.user.is_active) == (f"erased-{sign_in.user_id}", False)
    assert IdempotentAnswer.objects.get(key="made-once").status == 410


def test_nothing_new_can_be_kept_of_whoever_was_erased(erika: Customer, ops: User, finance: User) -> None:
    erased(ops, finance)
    api = people.ApiClient(people.key_for(ops))
    answer = api.call("PATCH", "customers/c-17", {"legal_name": "Erika Mustermann"})
    assert (answer.status_code, answer.json()["code"]) == (409, "person_erased")
    assert dumps.find_words(["Mustermann"]) == []


def test_a_portal_user_alone_is_forgotten_while_the_customer_stays(erika: Customer, ops: User, finance: User) -> None:
    erased(ops, finance, kind="portal_user", code="e.mustermann")
    assert dumps.find_words(["privat.example", "e.mustermann"]) == []
    assert Customer.objects.get(code="c-17").legal_name == "Erika Mustermann"
    assert offences() == {}


class TestTwoPersons:
    def test_ops_asks_and_finance_decides(self, erika: Customer, ops: User, finance: User) -> None:
        with pytest.raises(NotAllowedError, match="Only ops may ask"):
            ask(finance)
        asked = ask(ops)
        with pytest.raises(NotAllowedError, match="Only finance may decide"):
            decide.approve_erasure(request_id=asked.pk, actor=ops, at=NOW)
        assert Customer.objects.get(code="c-17").legal_name == "Erika Mustermann"

    def test_whoever_asked_never_decides_not_even_with_both_roles(self, erika: Customer) -> None:
        both = people.make_staff("bea", "ops", "finance")
        asked = ask(both)
        with pytest.raises(NotAllowedError, match="You asked for it"):
            decide.approve_erasure(request_id=asked.pk, actor=both, at=NOW)
        with pytest.raises(NotAllowedError, match="You asked for it"):
            decide.refuse_erasure(request_id=asked.pk, refusal="asked_in_error", actor=both, at=NOW)
        assert refuses(
            "UPDATE erasure_erasurerequest SET status = 'erased', decided_by_id = asked_by_id, decided_at = now()"
        )

    def test_a_request_is_decided_once_and_never_changes(self, erika: Customer, ops: User, finance: User) -> None:
        asked = ask(ops)
        with pytest.raises(decide.AlreadyAskedError):
            ask(ops)
        decide.refuse_erasure(request_id=asked.pk, refusal="not_the_person", actor=finance, at=NOW)
        with pytest.raises(decide.NotOpenError, match="refused already"):
            decide.approve_erasure(request_id=asked.pk, actor=finance, at=NOW)
        assert refuses("UPDATE erasure_erasurerequest SET reference = 'X'")
        assert keeps_its_rows(ErasureRequest)
        assert keeps_its_rows(RetentionRule)
        erased(ops, finance)
        assert keeps_its_rows(Erasure)

    def test_nobody_is_found_who_is_not_there(self, ops: User) -> None:
        with pytest.raises(NotFoundError, match="no portal user nobody"):
            ask(ops, "portal_user", "nobody")


class TestWhatForbidsIt:
    @pytest.fixture
    def issued(self) -> Invoice:
        """October of acme, issued on 1 November, due on 15 November."""
        company = billing.open_company()
        return billing.issue(company, [billing.billed_customer(company, "acme", **WHO)])[0]

    def forbids(self, at: datetime = NOW) -> list[str]:
        return plan.plan_of(persons.find_person(kind="customer", code="acme"), at=at).forbids

    def end(self, at: datetime) -> None:
        for table in ("pricing_subscriptionphase", "pricing_subscription"):
            tamper(f"UPDATE {table} SET ends_at = '{at.isoformat()}'")  # noqa: S608  our own names

    def test_a_running_subscription(self, issued: Invoice, ops: User, finance: User) -> None:
        asked = ask(ops, code="acme")
        with pytest.raises(decide.ForbiddenError, match="Subscriptions that still run: 1"):
            decide.approve_erasure(request_id=asked.pk, actor=finance, at=NOW)
        asked.refresh_from_db()
        assert asked.status == "asked"
        assert Customer.objects.get(code="acme").legal_name == "Erika Mustermann"

    def test_an_end_that_is_not_billed_and_an_invoice_that_is_not_due(self, issued: Invoice) -> None:
        self.end(billing.day(20, month=11))
        assert self.forbids() == [
            "Subscriptions that ended and are not billed to their end: 1. Close their last period first."
        ]
        self.end(billing.NOVEMBER)
        assert self.forbids() == []
        due = issued.due_date
        assert due is not None
        assert self.forbids(at=datetime(due.year, due.month, due.day, 23, tzinfo=UTC)) == [
            f"Invoice {issued} is not due before {due.day} Nov 2026. Ask again from {due.day + 1} Nov 2026 on."
        ]

    def test_an_undecided_invoice(self, ops: User) -> None:
        company = billing.open_company()
        draft = billing.billed_customer(company, "acme")
        assert f"Invoices are not decided: Draft {draft.pk}. Finalize or discard them first." in self.forbids()
        assert Subscription.objects.count() == 1

    def test_a_final_invoice_is_kept_by_law_and_named(self, issued: Invoice, ops: User, finance: User) -> None:
        self.end(billing.NOVEMBER)
        [kept] = plan.plan_of(persons.find_person(kind="customer", code="acme"), at=NOW).kept
        assert (kept.number, f"{kept.until}") == (issued.number, "2034-12-31")
        total = Invoice.objects.get(pk=issued.pk).total
        proof = erased(ops, finance, code="acme")
        assert [one["until"] for one in proof.kept] == ["2034-12-31"]
        after = Invoice.objects.get(pk=issued.pk)
        assert (after.total, after.customer.legal_name) == (total, "erased on 26 Nov 2026")
        assert total == Decimal("61.88")
        assert offences() == {}


class TestPayees:
    @pytest.fixture
    def anna(self, ops: User) -> Payee:
        return register.register_payee(
            code="anna",
            legal_name="Anna Privatperson",
            kind="person",
            program="referral",
            market="DE",
            country="DE",
            email="anna@privatperson.example",
            actor=ops,
            at=NOW,
        )

    def test_one_who_was_never_paid_is_forgotten(self, anna: Payee, ops: User, finance: User) -> None:
        assert dumps.find_words(["Privatperson", "privatperson"]) == []
        erased(ops, finance, kind="payee", code="anna")
        assert Payee.objects.get(code="anna").legal_name == "erased on 26 Nov 2026"
        assert offences() == {}


class TestInvariants:
    @pytest.mark.parametrize(
        ("name", "planted"),
        [
            (
                "whoever was erased has no key, no words to be found by, and no open sign-in",
                "UPDATE accounts_customer SET name_marks = '{abc}'",
            ),
            (
                "whoever was erased has no key, no words to be found by, and no open sign-in",
                "UPDATE auth_user SET is_active = true WHERE starts_with(username, 'erased-')",
            ),
            (
                "every destroyed key is named by a proof, and that one by the audit chain",
                "UPDATE core_personalkey SET wrapped = NULL, destroyed_at = now()",
            ),
            (
                "whoever decided over an erasure did not ask for it",
                """
                ALTER TABLE erasure_erasurerequest DROP CONSTRAINT erasure_request_four_eyes;
                UPDATE erasure_erasurerequest SET decided_by_id = asked_by_id
                """,
            ),
            (
                "what is kept of persons lies under their keys (manage.py personal_keys seal)",
                "UPDATE accounts_customer SET personal_key_id = NULL",
            ),
        ],
    )
    def test_an_offence_is_found(self, erika: Customer, ops: User, finance: User, name: str, planted: str) -> None:
        people.make_customer("another")
        erased(ops, finance)
        tamper(planted)
        assert name in offences()


class TestCommand:
    def run(self, *arguments: str, **options: Any) -> str:
        out = StringIO()
        call_command("erase_person", *arguments, stdout=out, **options)
        return out.getvalue()

    def test_it_shows_asks_and_erases(self, erika: Customer, ops: User, finance: User) -> None:
        assert "What goes, for good\n  Name, address, tax id and e-mail" in self.run("customer", "c-17")
        self.run("customer", "c-17", ask="TICKET-9", by="olivia")
        request = ErasureRequest.objects.get()
        with pytest.raises(CommandError, match="Only finance may decide"):
            self.run(approve=request.pk, by="olivia")
        assert "2 keys destroyed" in self.run(approve=request.pk, by="finn")
        assert dumps.find_words(WORDS) == []

    def test_it_says_what_is_missing(self) -> None:
        with pytest.raises(CommandError, match="Say who"):
            self.run()
        with pytest.raises(CommandError, match="Say with --by"):
            self.run(approve=1)


def test_retention_follows_versions_and_the_sellers_country(finance: User) -> None:
    assert {(one.country, one.years) for one in RetentionRule.objects.all()} == {("", 10), ("DE", 8)}
    with pytest.raises(Error), transaction.atomic():
        RetentionRule.objects.create(country="FR", years=101, basis="x", effective_at=NOW, created_at=NOW)
    retention.set_retention(country="DE", years=6, basis="a later law", effective_at=NOW, actor=finance, at=NOW)
    with pytest.raises(retention.RuleExistsError):
        retention.set_retention(country="DE", years=7, basis="another", effective_at=NOW, actor=finance, at=NOW)
    with pytest.raises(NotAllowedError):
        retention.set_retention(
            country="", years=1, basis="none", effective_at=NOW, actor=people.make_staff("otto", "ops"), at=NOW
        )


class TestDocuments:
    """Who an invoice was issued to lies under a key of that invoice, until no law keeps it."""

    @pytest.fixture
    def company(self) -> billing.Company:
        return billing.open_company()

    @pytest.fixture
    def issued(self, company: billing.Company) -> Invoice:
        """October of acme, with its PDF, issued on 2 November 2026, and a discarded draft before it."""
        billing.discard_draft(company, billing.billed_customer(company, "acme", **WHO))
        billing.close_october(at=billing.CLOSING + timedelta(hours=2))
        again = Invoice.objects.get(status="draft")
        billing.approve_by(company.other_finance, again, at=billing.CLOSING + timedelta(hours=3))
        at = billing.CLOSING + timedelta(hours=4)
        billing.finalize.finalize_invoice(invoice_id=again.pk, actor=None, at=at)
        tasks.render_invoice_pdf(invoice_id=again.pk)
        for table in ("pricing_subscriptionphase", "pricing_subscription"):
            tamper(f"UPDATE {table} SET ends_at = '{billing.NOVEMBER.isoformat()}'")  # noqa: S608  our own names
        return Invoice.objects.get(pk=again.pk)

    def test_they_lie_sealed_and_read_as_they_were(self, issued: Invoice, tmp_path: Path) -> None:
        pack = packs.make_pack(issued)
        assert dumps.find_words(WORDS) == []
        assert issued.opened_parties["customer"]["name"] == "Erika Mustermann"
        drawn = pdf.invoice_pdf(invoice=issued).content
        assert "Erika Mustermann" in PdfReader(io.BytesIO(drawn)).pages[0].extract_text()
        path = packs.write_pack(pack, tmp_path)
        assert packs.contents(path)["invoice.pdf"] == drawn
        assert packs.verify_bare(path).code == 0
        assert offences() == {}

    def test_they_stay_until_their_day_and_go_on_it(
        self, issued: Invoice, ops: User, finance: User, tmp_path: Path
    ) -> None:
        old = packs.make_pack(issued)
        path = packs.write_pack(old, tmp_path)
        head = heads.sign_head(at=NOW)
        assert head is not None
        erased(ops, finance, code="acme")
        assert issued.opened_parties["customer"]["name"] == "Erika Mustermann", "the law keeps it"
        draft = Invoice.objects.get(status="discarded")
        assert draft.opened_parties["customer"]["name"] == "erased on 26 Nov 2026"
        last_day = datetime(2034, 12, 31, 23, tzinfo=UTC)
        assert documents.erase_due_documents(at=last_day) == []
        [proof] = documents.erase_due_documents(at=last_day + timedelta(hours=1))
        assert (proof.keys, proof.kept) == ([issued.personal_key_id], [])
        assert documents.erase_due_documents(at=last_day + timedelta(hours=1)) == []
        assert dumps.find_words(WORDS) == []
        assert issued.opened_parties["customer"]["name"] == "erased on 1 Jan 2035"
        with pytest.raises(pdf.PdfErasedError, match="erased on 1 Jan 2035"):
            pdf.invoice_pdf(invoice=issued)
        with pytest.raises(make.PackErasedError, match="make a new one"):
            make.read_pack(old)
        self.everything_still_verifies(issued, old=path, folder=tmp_path)

    def everything_still_verifies(self, issued: Invoice, *, old: Path, folder: Path) -> None:
        """Amounts, hashes, chain, heads and trace in the house; a pack from before and one from after outside of it."""
        after = Invoice.objects.get(pk=issued.pk)
        assert (after.total, content.hash_of_rows(after)) == (Decimal("61.88"), issued.content_hash)
        assert offences() == {}
        assert trace.trace_invoice(invoice_id=issued.pk).is_equal
        assert packs.verify_bare(old).code == 0
        told = packs.verify_bare(packs.write_pack(packs.make_pack(after, at=datetime(2035, 1, 2, tzinfo=UTC)), folder))
        assert told.code == 0, told.text
        assert "document: the person it named was erased 2035-01-01" in told.text

    def test_whoever_asks_for_an_erased_document_is_told_so(self, issued: Invoice, ops: User, finance: User) -> None:
        pack = packs.make_pack(issued)
        erased(ops, finance, code="acme", at=datetime(2035, 1, 1, 12, tzinfo=UTC))
        api = people.ApiClient(people.key_for(finance))
        answer = api.get(f"invoices/{issued.pk}/pdf")
        assert (answer.status_code, answer.json()["code"]) == (410, "pdf_erased")
        page = Client()
        page.force_login(finance)
        assert page.get(reverse("admin:evidence_pack_file", args=[pack.pk])).status_code == 410
        assert "erased on 1 Jan 2035" in page.get(f"/admin/cycle/invoice/{issued.pk}/change/").content.decode()

    def test_a_part_of_a_pack_that_was_changed_is_found(self, issued: Invoice) -> None:
        packs.make_pack(issued)
        tamper("UPDATE evidence_evidencepackpart SET content = set_byte(content, 40, get_byte(content, 40) # 1)")
        assert "the parts of a pack are the ZIP that it names" in offences()


def test_no_answer_that_is_repeated_tells_of_them(ops: User, finance: User) -> None:
    """Of an event that came under another system's id, and of the paper of a payee."""
    company = billing.open_company()
    billing.make_customer("c-17", **WHO)
    external_ids.add_external_id(customer_code="c-17", system="crm", external_id="e-9", actor=ops, at=NOW)
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": "1",
        "source": "calls",
        "type": company.meter.contract.event_type,
    }
    event |= {"time": "2026-10-03T00:00:00Z", "data": {"note": "called"}, "subjectsystem": "crm", "subjectid": "e-9"}
    ingest.capture_events([event], channel="http", origin="test", at=billing.CLOSING)
    check = payouts.check_of(payouts.payee(payouts.open_desk(), "anna"), "kyc")
    api = people.ApiClient(people.key_for(ops))
    paper = {"name": "anna-example.pdf", "content": base64.b64encode(b"%PDF-1.4").decode()}
    held = QuarantinedEvent.objects.get()
    calls = [(f"quarantine/{held.pk}/discard", {"reason": "Egon called"}), (f"gate-checks/{check.pk}/evidence", paper)]
    answers = [api.post(path, body, Idempotency_Key=path) for path, body in calls]
    assert [answer.status_code for answer in answers] == [200, 201]
    assert dumps.find_words(["Egon", "anna-example"]) == [
        "core_idempotentanswer: Egon",
        "core_idempotentanswer: anna-example",
    ]
    erased(ops, finance)
    erased(ops, finance, kind="payee", code="anna")
    assert dumps.find_words(["Egon", "anna-example"]) == []
    assert [api.post(path, body, Idempotency_Key=path).status_code for path, body in calls] == [410, 410]


def test_the_log_of_the_back_office_names_nobody(ops: User) -> None:
    desk = Client()
    desk.force_login(ops)
    given = {"code": "c-18", "program": "standard", "currency": "EUR", "time_zone": "UTC", "payment_terms_days": "14"}
    added = desk.post("/admin/accounts/customer/add/", {**WHO, **given, "country": "DE", "tax_rate_code": ""})
    assert added.status_code == 302, added.content.decode()
    customer = Customer.objects.get(code="c-18")
    changed = {**WHO, **given, "email": "other@example.org", "country": "DE", "tax_rate_code": ""}
    assert desk.post(f"/admin/accounts/customer/{customer.pk}/change/", changed).status_code == 302
    assert [entry.object_repr for entry in LogEntry.objects.all()] == [f"customer {customer.pk}"] * 2
    assert dumps.find_words(WORDS) == []
