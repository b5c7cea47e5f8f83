"""The HTTP API of payees, gates, payables and payout batches."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts import keys
from compliance.payouts.models import GateDecision, Payable, Payee, Payout
from tests.builders import payouts
from tests.builders.payouts import Desk

pytestmark = pytest.mark.django_db
API = "/api/v1/"
PDF = b"%PDF-1.7\nproof"
PAYEE = {
    "code": "anna",
    "legal_name": "Anna Example",
    "kind": "person",
    "program": "marketplace",
    "market": "EU",
    "country": "DE",
}


class Caller:
    """One person with an API key."""

    def __init__(self, user: User, scopes: list[str] | None = None) -> None:
        _, key = keys.new_key(name="test", user=user, scopes=scopes or ["read", "write"], at=timezone.now())
        self.headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str, **query: str) -> Any:
        return Client().get(API + path, query, headers=self.headers)

    def post(self, path: str, body: object | None = None, **headers: str) -> Any:
        return self._send("post", path, body, headers)

    def patch(self, path: str, body: object) -> Any:
        return self._send("patch", path, body, {})

    def _send(self, method: str, path: str, body: object | None, headers: dict[str, str]) -> Any:
        call = getattr(Client(raise_request_exception=True), method)
        return call(API + path, body or {}, content_type="application/json", headers={**self.headers, **headers})


@pytest.fixture
def desk() -> Desk:
    return payouts.open_desk(at=timezone.now())


@pytest.fixture
def finance(desk: Desk) -> Caller:
    return Caller(desk.finance)


@pytest.fixture
def ops(desk: Desk) -> Caller:
    return Caller(desk.ops)


@pytest.fixture
def releaser(desk: Desk) -> Caller:
    return Caller(desk.other_ops)


def approve_all(ops: Caller, payee: str) -> None:
    for check in ops.get("gate-checks", payee=payee).json()["results"]:
        answer = ops.post(f"gate-checks/{check['id']}/approve", {"reason": "papers seen", "evidence": "passport"})
        assert answer.status_code == 200, answer.json()


def batch_of(finance: Caller, *payees: str) -> int:
    payables = []
    for code in payees:
        body = {"payee": code, "reference": "ORDER-1", "amount": "12.50", "currency": "EUR"}
        payables.append(finance.post("payables", body).json()["id"])
    made = finance.post("payout-batches", {"reference": "WEEK-10", "payables": payables})
    assert made.status_code == 201, made.json()
    return int(made.json()["id"])


def test_from_payee_to_release_over_http(finance: Caller, ops: Caller, releaser: Caller) -> None:
    assert finance.post("payees", PAYEE).status_code == 201
    assert finance.post("payees", {**PAYEE, "code": "bert", "legal_name": "Bert Example"}).status_code == 201
    approve_all(ops, "anna")
    batch = batch_of(finance, "anna", "bert")

    before = releaser.get(f"payout-batches/{batch}").json()
    assert (before["payables"], before["unpaid"]) == (2, 2)
    assert [(item["payee"], item["outcome"], item["is_decided"]) for item in before["items"]] == [
        ("anna", "released", False),
        ("bert", "blocked", False),
    ]

    answer = releaser.post(f"payout-batches/{batch}/release")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["id"], told["reference"], told["released"], told["blocked"]) == (batch, "WEEK-10", 1, 1)
    anna, bert = told["items"]
    assert (anna["payee"], anna["amount"], anna["currency"], anna["outcome"]) == ("anna", "12.50", "EUR", "released")
    assert [(gate["gate"], gate["state"], gate["passed"]) for gate in anna["gates"]] == [
        ("kyc", "approved", True),
        ("aml", "approved", True),
        ("tax_form", "approved", True),
    ]
    assert bert["outcome"] == "blocked"
    assert bert["reasons"] == ["KYC: not started", "AML: not started", "Tax form: not started"]
    assert anna["audit_reference"].startswith("AUD-")
    assert anna["audit_reference"] != bert["audit_reference"]

    after = releaser.get(f"payout-batches/{batch}").json()
    assert after["unpaid"] == 1
    assert after["items"][0]["status"] == "paid"
    assert after["items"][0]["audit_reference"] == anna["audit_reference"]
    assert releaser.get("payables", status="paid").json()["results"][0]["payee"] == "anna"
    assert [found["id"] for found in finance.get("payout-batches").json()["results"]] == [batch]


def test_a_second_release_pays_only_what_was_blocked(finance: Caller, ops: Caller, releaser: Caller) -> None:
    for code in ("anna", "bert"):
        finance.post("payees", {**PAYEE, "code": code})
    approve_all(ops, "anna")
    batch = batch_of(finance, "anna", "bert")
    first = releaser.post(f"payout-batches/{batch}/release").json()
    approve_all(ops, "bert")
    second = releaser.post(f"payout-batches/{batch}/release").json()
    assert (second["released"], second["blocked"]) == (2, 0)
    assert second["items"][0] == first["items"][0]
    assert Payout.objects.count() == 2


def test_a_payee_shows_its_gates_and_what_stands_in_its_way(finance: Caller, ops: Caller) -> None:
    finance.post("payees", PAYEE)
    approve_all(ops, "anna")
    kyc = ops.get("gate-checks", payee="anna", gate="kyc").json()["results"][0]
    ops.post(f"gate-checks/{kyc['id']}/suspend", {"reason": "alert from the register"})
    shown = finance.get("payees/anna").json()
    assert (shown["outcome"], shown["reasons"]) == ("blocked", ["KYC: suspended"])
    assert [gate["state"] for gate in shown["gates"]] == ["suspended", "approved", "approved"]


def test_contact_details_change_and_identity_does_not(finance: Caller) -> None:
    finance.post("payees", PAYEE)
    answer = finance.patch("payees/anna", {"email": "anna@example.com", "legal_name": "Mallory", "kind": "company"})
    assert answer.status_code == 200
    assert answer.json()["email"] == "anna@example.com"
    stored = Payee.objects.get()
    assert (stored.legal_name, stored.kind) == ("Anna Example", "person")
    assert apps.get_model("payouts", "HistoricalPayee").objects.first().history_user.username == "fina"


def test_the_queue_tells_what_waits_for_each_gate(finance: Caller, ops: Caller) -> None:
    finance.post("payees", PAYEE)
    finance.post("payables", {"payee": "anna", "reference": "A", "amount": "10.00", "currency": "EUR"})
    finance.post("payables", {"payee": "anna", "reference": "B", "amount": "5.50", "currency": "EUR"})
    finance.post("payables", {"payee": "anna", "reference": "C", "amount": "300", "currency": "JPY"})
    listed = ops.get("gate-checks", state="not_started", gate="aml").json()["results"]
    assert len(listed) == 1
    assert listed[0]["is_required"] is True
    assert listed[0]["waiting"] == [{"currency": "EUR", "amount": "15.50"}, {"currency": "JPY", "amount": "300"}]


@pytest.mark.parametrize(
    ("verdict", "state"),
    [("request", "pending"), ("review", "needs_review"), ("approve", "approved"), ("reject", "rejected")],
)
def test_every_verdict_has_its_door(finance: Caller, ops: Caller, verdict: str, state: str) -> None:
    finance.post("payees", PAYEE)
    check = ops.get("gate-checks", payee="anna", gate="kyc").json()["results"][0]
    answer = ops.post(f"gate-checks/{check['id']}/{verdict}", {"reason": "papers seen", "evidence": "passport"})
    assert answer.status_code == 200
    assert answer.json()["state"] == state
    [decision] = answer.json()["decisions"]
    assert (decision["verdict"], decision["from_state"], decision["actor"]) == (verdict, "not_started", "opal")
    assert decision["audit_reference"].startswith("AUD-")


def test_an_approval_near_its_end_reads_as_expiring(finance: Caller, ops: Caller) -> None:
    finance.post("payees", PAYEE)
    check = ops.get("gate-checks", payee="anna", gate="kyc").json()["results"][0]
    ends = (timezone.now() + timedelta(days=10, hours=1)).isoformat()
    body = {"reason": "papers seen", "evidence": "passport", "expires_at": ends}
    answer = ops.post(f"gate-checks/{check['id']}/approve", body).json()
    assert (answer["state"], answer["days_left"]) == ("expiring", 10)
    assert [found["id"] for found in ops.get("gate-checks", state="expiring").json()["results"]] == [check["id"]]


def test_a_document_is_stored_once_and_handed_out_as_a_download(finance: Caller, ops: Caller) -> None:
    finance.post("payees", PAYEE)
    check = ops.get("gate-checks", payee="anna", gate="kyc").json()["results"][0]["id"]
    body = {"name": "passport.pdf", "content": base64.b64encode(PDF).decode()}
    stored = ops.post(f"gate-checks/{check}/evidence", body)
    assert stored.status_code == 201
    path = f"gate-checks/{check}/evidence/{stored.json()['id']}"
    answer = ops.get(path)
    assert answer.content == PDF
    assert answer["Content-Disposition"] == 'attachment; filename="passport.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert finance.get(path).status_code == 403
    assert ops.get(f"gate-checks/{check + 1}/evidence/{stored.json()['id']}").status_code == 404
    detail = finance.get(f"gate-checks/{check}").json()
    assert [file["name"] for file in detail["evidence_files"]] == ["passport.pdf"]
    # With the document on the gate, the approval needs no words about it.
    approved = ops.post(f"gate-checks/{check}/approve", {"reason": "papers seen"})
    assert approved.json()["decisions"][0]["evidence_files"][0]["name"] == "passport.pdf"


def test_a_repeated_key_decides_once(finance: Caller, ops: Caller) -> None:
    finance.post("payees", PAYEE)
    check = ops.get("gate-checks", payee="anna", gate="kyc").json()["results"][0]["id"]
    body = {"reason": "papers seen", "evidence": "passport"}
    answers = [ops.post(f"gate-checks/{check}/approve", body, **{"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert GateDecision.objects.count() == 1


def test_requirements_are_versions(ops: Caller, finance: Caller) -> None:
    body = {
        "program": "referral",
        "market": "US",
        "payee_kind": "company",
        "gates": ["kyb", "tax_form"],
        "reason": "go",
    }
    made = ops.post("gate-requirements", body)
    assert made.status_code == 201
    assert made.json()["gates"] == ["kyb", "tax_form"]
    assert finance.post("gate-requirements", body).status_code == 403
    past = ops.post("gate-requirements", {**body, "effective_at": "2020-01-01T00:00:00Z"})
    assert past.status_code == 422
    assert past.json()["errors"][0]["pointer"] == "/effective_at"


@pytest.mark.parametrize(
    ("path", "body", "status", "pointer"),
    [
        ("payees", {}, 422, "/code"),
        ("payees", {**PAYEE, "code": "no spaces"}, 422, "/code"),
        ("payees", {**PAYEE, "country": "XX"}, 422, "/country"),
        ("payees", {**PAYEE, "kind": "robot"}, 422, "/kind"),
        ("payees", {**PAYEE, "customer": "nobody"}, 422, "/customer"),
        ("payees", {**PAYEE, "legal_name": "x" * 201}, 422, "/legal_name"),
        ("payables", {"payee": "nobody", "reference": "A", "amount": "1", "currency": "EUR"}, 422, "/payee"),
        ("payables", {"payee": "p", "reference": "A", "amount": 1.5, "currency": "EUR"}, 422, "/amount"),
        ("payables", {"payee": "p", "reference": "A", "amount": "1e3", "currency": "EUR"}, 422, "/amount"),
        ("payables", {"payee": "p", "reference": "A", "amount": "NaN", "currency": "EUR"}, 422, "/amount"),
        ("payables", {"payee": "p", "reference": "A", "amount": " 5 ", "currency": "EUR"}, 422, "/amount"),
        ("payables", {"payee": "p", "reference": "A", "amount": "0.001", "currency": "EUR"}, 422, "/amount"),
        ("payables", {"payee": "p", "reference": "A", "amount": "-1", "currency": "EUR"}, 422, "/amount"),
        ("payables", {"payee": "p", "reference": "A", "amount": "1", "currency": "eur"}, 422, "/currency"),
        ("payout-batches", {"reference": "W", "payables": []}, 422, "/payables"),
        ("payout-batches", {"reference": "W", "payables": [10**30]}, 422, "/payables/0"),
        ("payout-batches", {"reference": "W", "payables": ["x"]}, 422, "/payables/0"),
        ("payout-batches", {"reference": "W", "payables": [2**62]}, 422, "/payables"),
    ],
)
def test_bad_fields_are_named(finance: Caller, path: str, body: object, status: int, pointer: str) -> None:
    finance.post("payees", {**PAYEE, "code": "p"})
    answer = finance.post(path, body)
    assert answer.status_code == status, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("content", "code"), [("%%%", "base64"), (5, "base64"), (base64.b64encode(b"<html>").decode(), "invalid")]
)
def test_bad_documents_are_refused(finance: Caller, ops: Caller, content: object, code: str) -> None:
    finance.post("payees", PAYEE)
    check = ops.get("gate-checks", payee="anna", gate="kyc").json()["results"][0]["id"]
    answer = ops.post(f"gate-checks/{check}/evidence", {"name": "a.pdf", "content": content})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == code


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"state": "nonsense"}, 422),
        ({"gate": "horoscope"}, 422),
        ({"payee": "nobody"}, 200),
        ({"payee": "a\x00b"}, 400),
        ({"cursor": "garbage"}, 400),
    ],
)
def test_bad_questions_get_an_answer(ops: Caller, query: dict[str, str], status: int) -> None:
    assert ops.get("gate-checks", **query).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "payees/nobody",
        "gate-checks/999999",
        f"gate-checks/{10**30}",
        "gate-checks/abc",
        "payables/999999",
        f"payables/{10**30}",
        "payout-batches/999999",
        f"payout-batches/{10**30}",
    ],
)
def test_what_does_not_exist_is_not_found(ops: Caller, path: str) -> None:
    assert ops.get(path).status_code == 404


@pytest.mark.parametrize("path", ["payout-batches/999999/release", "gate-checks/999999/approve"])
def test_deciding_about_nothing_is_not_found(ops: Caller, path: str) -> None:
    assert ops.post(path, {"reason": "papers seen", "evidence": "x"}).status_code == 404


def test_four_eyes_are_a_403_with_their_own_code(desk: Desk, ops: Caller) -> None:
    both = Caller(payouts.person("both", "finance", "ops"))
    both.post("payees", PAYEE)
    check = ops.get("gate-checks", payee="anna", gate="kyc").json()["results"][0]["id"]
    own = both.post(f"gate-checks/{check}/approve", {"reason": "papers seen", "evidence": "x"})
    assert (own.status_code, own.json()["code"]) == (403, "four_eyes")
    batch = batch_of(both, "anna")
    release = both.post(f"payout-batches/{batch}/release")
    assert (release.status_code, release.json()["code"]) == (403, "four_eyes")
    assert not Payout.objects.exists()


def test_a_verdict_that_does_not_follow_is_a_conflict(finance: Caller, ops: Caller) -> None:
    finance.post("payees", PAYEE)
    check = ops.get("gate-checks", payee="anna", gate="kyc").json()["results"][0]["id"]
    ops.post(f"gate-checks/{check}/reject", {"reason": "no answer"})
    answer = ops.post(f"gate-checks/{check}/approve", {"reason": "papers seen", "evidence": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "gate_move")


def test_a_withdrawn_payable_says_so(finance: Caller, ops: Caller) -> None:
    finance.post("payees", PAYEE)
    body = {"payee": "anna", "reference": "A", "amount": "10.00", "currency": "EUR"}
    owed = finance.post("payables", body).json()["id"]
    assert ops.post(f"payables/{owed}/withdraw", {"reason": "mistake"}).status_code == 403
    answer = finance.post(f"payables/{owed}/withdraw", {"reason": "mistake"})
    assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
    assert finance.post(f"payables/{owed}/withdraw", {"reason": "mistake"}).status_code == 409
    assert finance.post("payables", body).json()["code"] == "payable_exists"
    assert Payable.objects.get().withdrawal_reason == "mistake"


def test_nobody_decides_with_a_read_key_or_the_wrong_role(desk: Desk, finance: Caller, ops: Caller) -> None:
    finance.post("payees", PAYEE)
    check = ops.get("gate-checks", payee="anna", gate="kyc").json()["results"][0]["id"]
    body = {"reason": "papers seen", "evidence": "x"}
    reader = Caller(desk.ops, scopes=["read"])
    auditor = Caller(payouts.person("audrey", "auditor"))
    for caller in (reader, auditor, finance):
        assert caller.post(f"gate-checks/{check}/approve", body).status_code == 403
        assert caller.get(f"gate-checks/{check}").status_code == 200
    assert not GateDecision.objects.exists()
