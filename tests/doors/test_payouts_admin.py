"""The back office of payouts: who sees which button, and what a dialog does."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from compliance.payouts.models import (
    EvidenceFile,
    GateCheck,
    GateDecision,
    GateRequirement,
    Payable,
    Payee,
    Payout,
    PayoutBatch,
    ReleaseDecision,
)
from tests.builders import payouts
from tests.builders.payouts import Desk

pytestmark = pytest.mark.django_db
ACTIONS = ("approve_gate", "send_to_review", "ask_for_documents", "suspend_gate", "reject_gate")


@pytest.fixture
def desk() -> Desk:
    return payouts.open_desk(at=timezone.now())


def signed_in(user: User, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(user)
    return client


def page(model: str, row: int | None = None) -> str:
    name = f"admin:payouts_{model}"
    return reverse(f"{name}_changelist") if row is None else reverse(f"{name}_change", args=[row])


def action(model: str, name: str, row: int | None = None) -> str:
    return reverse(f"admin:payouts_{model}_{name}", args=[] if row is None else [row])


def submit(client: Client, url: str, **fields: Any) -> Any:
    return client.post(url, {"_form_submitted": "True", **fields})


def owed_batch(desk: Desk, *codes: str, approved: tuple[str, ...] = ()) -> PayoutBatch:
    now = timezone.now()
    payees = [(payouts.approved_payee if code in approved else payouts.payee)(desk, code, at=now) for code in codes]
    return payouts.batch(desk, [payouts.payable(desk, payee, at=now) for payee in payees], at=now)


def test_the_queue_shows_what_is_to_decide_and_leaves_out_what_is_open(desk: Desk) -> None:
    now = timezone.now()
    payouts.approved_payee(desk, "anna", at=now)
    bert = payouts.payee(desk, "bert", at=now)
    payouts.payable(desk, bert, "1250.00", at=now)
    queue = signed_in(desk.ops).get(page("gatecheck"))
    assert queue.status_code == 200
    shown = queue.content.decode()
    assert "Bert Example" in shown
    assert "1,250.00 EUR" in shown
    assert "Anna Example" not in shown
    everything = signed_in(desk.ops).get(page("gatecheck"), {"state": "all"}).content.decode()
    assert "Anna Example" in everything
    assert signed_in(desk.ops).get(page("gatecheck"), {"state": "nonsense"}).status_code in {200, 302}


def test_the_most_urgent_gate_stands_first(desk: Desk) -> None:
    now = timezone.now()
    for code in ("late", "soon", "fresh", "open"):
        payouts.payee(desk, code, at=now - timedelta(days=50))
    before = now - timedelta(days=40)
    for code, days in (("late", -1), ("soon", 5), ("open", 90)):
        check = GateCheck.objects.get(payee__code=code, kind="kyc")
        payouts.decide(check, "approve", desk=desk, expires_at=now + timedelta(days=days), at=before)
    payouts.decide(GateCheck.objects.get(payee__code="fresh", kind="aml"), "review", desk=desk, at=before)
    answer = signed_in(desk.ops).get(page("gatecheck"))
    rows = [(check.payee.code, check.kind, str(check.view.state)) for check in answer.context["cl"].result_list]
    assert rows[:3] == [("fresh", "aml", "needs_review"), ("late", "kyc", "expired"), ("soon", "kyc", "expiring")]
    assert {state for _, _, state in rows[3:]} == {"not_started"}


def test_the_queue_asks_a_fixed_number_of_questions(desk: Desk) -> None:
    client, counts = signed_in(desk.ops), []
    for size in (1, 12):
        for number in range(size):
            payouts.payee(desk, f"p{size}-{number}", at=timezone.now())
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page("gatecheck")).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_an_approval_in_the_dialog_holds_through_its_last_day(desk: Desk) -> None:
    check = GateCheck.objects.filter(payee=payouts.payee(desk, at=timezone.now())).first()
    assert check is not None
    client = signed_in(desk.ops)
    url = action("gatecheck", "approve_gate", check.pk)
    assert "Open this gate" in client.get(url).content.decode()
    last_day = (timezone.now() + timedelta(days=400)).date()
    answer = submit(client, url, reason="passport seen", evidence="passport", last_day=last_day.isoformat())
    assert answer["HX-Redirect"] == page("gatecheck", check.pk)
    check.refresh_from_db()
    assert check.state == "approved"
    assert check.expires_at is not None
    assert check.expires_at.date() == last_day + timedelta(days=1)
    shown = client.get(page("gatecheck", check.pk)).content.decode()
    assert "passport seen" in shown
    assert GateDecision.objects.get().audit_entry.reference in shown


def test_a_refusal_stays_in_the_dialog_with_what_was_typed(desk: Desk) -> None:
    check = GateCheck.objects.filter(payee=payouts.payee(desk, at=timezone.now())).first()
    assert check is not None
    answer = submit(signed_in(desk.ops), action("gatecheck", "approve_gate", check.pk), reason="seen the papers")
    shown = answer.content.decode()
    assert "seen the papers" in shown
    assert "Say what was looked at, or add the document first." in shown
    assert not GateDecision.objects.exists()


def test_only_ops_get_the_buttons_and_the_doors_behind_them(desk: Desk) -> None:
    check = GateCheck.objects.filter(payee=payouts.payee(desk, at=timezone.now())).first()
    assert check is not None
    for role in ("finance", "product", "engineering", "auditor"):
        client = signed_in(payouts.person(f"a-{role}", role))
        shown = client.get(page("gatecheck", check.pk))
        assert shown.status_code == 200
        assert "approve_gate" not in shown.content.decode()
        for name in ACTIONS:
            url = action("gatecheck", name, check.pk)
            assert submit(client, url, reason="because", evidence="none").status_code == 403
    superuser = User.objects.create_superuser("root")
    url = action("gatecheck", "approve_gate", check.pk)
    assert submit(signed_in(superuser), url, reason="because", evidence="x").status_code == 403
    assert not GateDecision.objects.exists()


def test_a_decision_needs_the_csrf_token(desk: Desk) -> None:
    check = GateCheck.objects.filter(payee=payouts.payee(desk, at=timezone.now())).first()
    assert check is not None
    client = signed_in(desk.ops, csrf=True)
    url = action("gatecheck", "approve_gate", check.pk)
    assert submit(client, url, reason="passport seen", evidence="x").status_code == 403
    upload = reverse("admin:payouts_gatecheck_evidence", args=[check.pk])
    assert client.post(upload, {"document": SimpleUploadedFile("a.pdf", b"%PDF-1.7")}).status_code == 403
    assert client.get(action("gatecheck", "approve_gate", check.pk)).status_code == 200
    assert not GateDecision.objects.exists()


def test_documents_are_stored_and_read_by_those_who_may(desk: Desk) -> None:
    check = GateCheck.objects.filter(payee=payouts.payee(desk, at=timezone.now())).first()
    assert check is not None
    url = reverse("admin:payouts_gatecheck_evidence", args=[check.pk])
    client = signed_in(desk.ops)
    assert client.get(url).status_code == 405
    client.post(url, {"document": SimpleUploadedFile("passport.pdf", b"%PDF-1.7 proof")})
    client.post(url, {"document": SimpleUploadedFile("virus.pdf", b"<script>")})
    client.post(url, {})
    signed_in(desk.finance).post(url, {"document": SimpleUploadedFile("mine.pdf", b"%PDF-1.7 mine")})
    file = EvidenceFile.objects.get()
    assert (file.name, file.added_by) == ("passport.pdf", desk.ops)
    stored = reverse("admin:payouts_gatecheck_file", args=[check.pk, file.pk])
    assert client.get(stored).content == b"%PDF-1.7 proof"
    assert signed_in(payouts.person("audrey", "auditor")).get(stored).status_code == 200
    assert signed_in(desk.finance).get(stored).status_code == 403
    assert client.get(reverse("admin:payouts_gatecheck_file", args=[check.pk, 999])).status_code == 404


def test_the_batch_page_tells_what_would_happen_and_the_dialog_makes_it_so(desk: Desk) -> None:
    batch = owed_batch(desk, "anna", "bert", approved=("anna",))
    client = signed_in(desk.other_ops)
    before = client.get(page("payoutbatch", batch.pk)).content.decode()
    assert "Would be released" in before
    assert "KYC: not started" in before
    dialog = client.get(action("payoutbatch", "release_now", batch.pk)).content.decode()
    assert "1 payable would be released" in dialog
    assert "1 would be blocked" in dialog
    unchecked = submit(client, action("payoutbatch", "release_now", batch.pk))
    assert unchecked.status_code == 200
    assert not Payout.objects.exists()
    answer = submit(client, action("payoutbatch", "release_now", batch.pk), is_checked="on")
    assert answer["HX-Redirect"] == page("payoutbatch", batch.pk)
    assert Payout.objects.get().payable.payee.code == "anna"
    after = client.get(page("payoutbatch", batch.pk)).content.decode()
    for decision in ReleaseDecision.objects.select_related("audit_entry"):
        assert decision.audit_entry.reference in after


def test_the_maker_of_a_batch_gets_no_button_and_no_way_round_it(desk: Desk) -> None:
    both = payouts.person("both", "finance", "ops")
    payee = payouts.approved_payee(desk, at=timezone.now())
    owed = payouts.payable(desk, payee, at=timezone.now())
    client = signed_in(both)
    made = client.post(page("payable"), {"action": "put_into_batch", "_selected_action": [owed.pk]})
    batch = PayoutBatch.objects.get()
    assert made["Location"] == page("payoutbatch", batch.pk)
    assert batch.created_by == both
    assert "You made this batch." in client.get(page("payoutbatch", batch.pk)).content.decode()
    release = action("payoutbatch", "release_now", batch.pk)
    for refused in (client, signed_in(desk.finance)):
        assert submit(refused, release, is_checked="on").status_code == 403
    assert not Payout.objects.exists()


def test_only_finance_puts_payables_into_batches(desk: Desk) -> None:
    owed = payouts.payable(desk, payouts.payee(desk, at=timezone.now()), at=timezone.now())
    signed_in(desk.ops).post(page("payable"), {"action": "put_into_batch", "_selected_action": [owed.pk]})
    assert not PayoutBatch.objects.exists()
    finance = signed_in(desk.finance)
    for _ in range(2):
        finance.post(page("payable"), {"action": "put_into_batch", "_selected_action": [owed.pk]})
    assert PayoutBatch.objects.count() == 1


def test_payees_payables_and_requirements_are_entered_in_dialogs(desk: Desk) -> None:
    finance, ops = signed_in(desk.finance), signed_in(desk.ops)
    fields = {
        "code": "carla",
        "legal_name": "Carla Example",
        "kind": "person",
        "program": "marketplace",
        "market": "EU",
        "country": "DE",
        "email": "",
    }
    submit(finance, action("payee", "new_payee"), **fields)
    again = submit(finance, action("payee", "new_payee"), **fields)
    assert "is taken" in again.content.decode()
    carla = Payee.objects.get()
    owed = {"payee": "carla", "reference": "ORDER-9", "amount": "12.50", "currency": "EUR"}
    submit(finance, action("payable", "new_payable"), **owed)
    bad = submit(finance, action("payable", "new_payable"), **{**owed, "reference": "X", "amount": "0.001"})
    assert "EUR has 2 decimals" in bad.content.decode()
    payable = Payable.objects.get()
    submit(finance, action("payable", "withdraw", payable.pk), reason="entered twice")
    submit(finance, action("payee", "change_contact", carla.pk), email="carla@example.com")
    requirement = {"program": "referral", "market": "US", "payee_kind": "company", "gates": ["kyb"], "reason": "launch"}
    submit(ops, action("gaterequirement", "new_version"), **requirement)
    assert submit(finance, action("gaterequirement", "new_version"), **requirement).status_code == 403
    payable.refresh_from_db()
    carla.refresh_from_db()
    assert payable.withdrawn_by == desk.finance
    assert carla.email == "carla@example.com"
    assert GateRequirement.objects.filter(program="referral").count() == 1


def test_every_page_opens_for_an_auditor_and_for_nobody_without_a_role(desk: Desk) -> None:
    batch = owed_batch(desk, "anna")
    payable = Payable.objects.get()
    check = GateCheck.objects.first()
    assert check is not None
    urls = [page(model) for model in ("gatecheck", "payee", "payable", "payoutbatch", "gaterequirement")]
    urls += [page("gatecheck", check.pk), page("payee", payable.payee_id), page("payable", payable.pk)]
    urls += [page("payoutbatch", batch.pk), reverse("admin:payouts_payee_history", args=[payable.payee_id])]
    auditor = signed_in(payouts.person("audrey", "auditor"))
    assert [auditor.get(url).status_code for url in urls] == [200] * len(urls)
    nobody = signed_in(User.objects.create_superuser("root"))
    assert {nobody.get(url).status_code for url in urls} == {403}
    assert {Client().get(url).status_code for url in urls} == {302}


@pytest.mark.parametrize("row", ["0", "999999", "abc", "1e3", "9" * 30])
def test_an_address_that_names_nothing_is_no_accident(desk: Desk, row: str) -> None:
    client = signed_in(desk.ops)
    for model, name in (("gatecheck", "approve_gate"), ("payoutbatch", "release_now"), ("payee", "change_contact")):
        url = f"{page(model)}{row}/{name}/"
        assert client.get(url).status_code in {200, 302, 403, 404}
        assert submit(client, url, reason="x" * 9, evidence="x", is_checked="on").status_code in {200, 302, 403, 404}
    assert client.get(f"{page('gatecheck')}{row}/change/").status_code in {302, 404}
