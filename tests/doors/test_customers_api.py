"""`/api/v1/customers`: who may keep them, and what is refused."""

from base64 import b64encode
from typing import Any

import pytest

from accounts.models import Customer
from core.models import IdempotentAnswer
from tests.builders.people import ApiClient, key_for, make_customer, make_staff

pytestmark = pytest.mark.django_db
ACME = {
    "code": "acme",
    "legal_name": "Acme Robotics GmbH",
    "address": "Werkstraße 7\n80331 München",
    "country": "DE",
    "tax_id": "DE129273398",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "payment_terms_days": 14,
    "email": "accounts@acme.example",
    "tax_rate_code": "de-vat",
}


@pytest.fixture
def finance() -> ApiClient:
    return ApiClient(key_for(make_staff("fiona", "finance")))


def errors(response: Any) -> list[tuple[str, str]]:
    assert response["Content-Type"] == "application/problem+json"
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


def test_a_customer_is_made_and_read_back(finance: ApiClient) -> None:
    made = finance.post("customers", ACME)
    assert made.status_code == 201
    assert {name: made.json()[name] for name in ACME} == ACME
    assert finance.get("customers/acme").json() == made.json()


def test_the_history_names_who_made_and_changed_it(finance: ApiClient) -> None:
    finance.post("customers", ACME)
    changed = finance.call("PATCH", "customers/acme", {"payment_terms_days": 30})
    assert (changed.status_code, changed.json()["payment_terms_days"]) == (200, 30)
    history = Customer.objects.get().history.order_by("history_id")
    assert [(row.history_type, row.history_user.username, row.payment_terms_days) for row in history] == [
        ("+", "fiona", 14),
        ("~", "fiona", 30),
    ]


def test_a_change_that_changes_nothing_leaves_no_history(finance: ApiClient) -> None:
    finance.post("customers", ACME)
    assert finance.call("PATCH", "customers/acme", {"payment_terms_days": 14}).status_code == 200
    assert Customer.objects.get().history.count() == 1


def test_the_list_pages_by_cursor_newest_first(finance: ApiClient) -> None:
    for number in range(3):
        make_customer(f"c{number}")
    first = finance.get("customers?page_size=2").json()
    assert [row["code"] for row in first["results"]] == ["c2", "c1"]
    rest = finance.client.get(first["next"], headers=finance.headers).json()
    assert [row["code"] for row in rest["results"]] == ["c0"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "has space"),
        ("code", "ünicode"),
        ("code", "x" * 61),
        ("currency", "EURO"),
        ("currency", "ZZZ"),
        ("country", "XX"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("payment_terms_days", -1),
        ("payment_terms_days", 366),
        ("payment_terms_days", 10**30),
        ("payment_terms_days", 1.5),
        ("payment_terms_days", True),
        ("email", "nobody"),
        ("legal_name", ""),
        ("legal_name", None),
        ("legal_name", ["a", "list"]),
        ("legal_name", "x" * 201),
    ],
)
def test_a_value_that_cannot_be_used_is_pointed_at(finance: ApiClient, field: str, value: object) -> None:
    response = finance.post("customers", {**ACME, field: value})
    assert response.status_code == 422
    assert {pointer for pointer, _ in errors(response)} == {f"/{field}"}
    assert not Customer.objects.exists()


def test_every_missing_field_is_named(finance: ApiClient) -> None:
    assert errors(finance.post("customers", {})) == [
        ("/code", "required"),
        ("/legal_name", "required"),
        ("/currency", "required"),
    ]


def test_an_unknown_field_is_a_mistake_to_report(finance: ApiClient) -> None:
    assert errors(finance.post("customers", {**ACME, "curency": "EUR"})) == [("/curency", "unknown_field")]


def test_read_only_fields_may_be_sent_back_and_change_nothing(finance: ApiClient) -> None:
    read = finance.post("customers", ACME).json()
    sent = {**read, "code": "other", "created_at": "1999-01-01T00:00:00Z", "email": "new@acme.example"}
    changed = finance.call("PATCH", "customers/acme", sent)
    assert changed.status_code == 200
    assert changed.json() == {**read, "email": "new@acme.example"}


def test_a_code_is_given_once(finance: ApiClient) -> None:
    finance.post("customers", ACME)
    response = finance.post("customers", ACME)
    assert (response.status_code, errors(response)) == (422, [("/code", "unique")])


@pytest.mark.parametrize("path", ["customers/nobody", "customers/" + "9" * 5000, "customers/%ED%A0%80", "customers/.."])
def test_an_unknown_customer_is_not_found(finance: ApiClient, path: str) -> None:
    for method in ("GET", "PATCH"):
        response = finance.call(method, path, {})
        assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff", 400),
        (b'{"code": 1e400}', 400),
        (b'{"code": NaN}', 400),
        (b'{"code": "a", "code": "b"}', 400),
        (b'{"code": "a\\u0000"}', 400),
        (b'{"code": "\\ud800"}', 400),
        (b"[" * 100_000, 400),
        (b"9" * 5_000, 400),
        (b'"' + b"x" * 3_000_000 + b'"', 413),
        (b'"' + b"x" * 9_000_000 + b'"', 413),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
    ],
    ids=range(14),
)
def test_a_body_that_is_no_customer_is_refused(finance: ApiClient, body: bytes, status: int) -> None:
    response = finance.call("POST", "customers", body)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    keyed = finance.call("POST", "customers", body, Idempotency_Key="k")
    assert keyed.status_code == status


@pytest.mark.parametrize("position", ["p=abc", "p=" + "9" * 30, "o=x", "r=x"])
def test_a_cursor_that_the_list_did_not_give_is_refused(finance: ApiClient, position: str) -> None:
    cursor = b64encode(position.encode()).decode()
    assert finance.get(f"customers?cursor={cursor}").status_code == 400
    assert finance.get("customers?cursor=%F0%9F%92%A9").status_code == 400


@pytest.mark.parametrize("query", ["?page_size=abc", "?page_size=-1", "?page_size=999999999999", "?x[]=%FF"])
def test_a_strange_query_does_no_harm(finance: ApiClient, query: str) -> None:
    assert finance.get(f"customers{query}").status_code == 200


@pytest.mark.parametrize("path", ["customers?cursor=%00", "customers/a%00b", "customers?x=%00"])
def test_an_address_with_nul_is_malformed(finance: ApiClient, path: str) -> None:
    response = finance.get(path)
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_named_as_such(finance: ApiClient, method: str) -> None:
    response = finance.call(method, "customers", {})
    assert (response.status_code, response["Content-Type"]) == (405, "application/problem+json")


def test_only_json_is_taken_and_given(finance: ApiClient) -> None:
    taken = finance.client.post("/api/v1/customers", {"code": "acme"}, headers=finance.headers)
    assert taken.status_code == 415
    given = finance.client.get("/api/v1/customers", headers={**finance.headers, "Accept": "text/html"})
    assert given.status_code == 406


@pytest.mark.parametrize("role", ["product", "engineering", "auditor"])
def test_other_roles_read_only(role: str) -> None:
    make_customer()
    reader = ApiClient(key_for(make_staff("rita", role)))
    assert reader.get("customers/acme").status_code == 200
    assert reader.post("customers", ACME).status_code == 403
    assert reader.call("PATCH", "customers/acme", {"email": ""}).status_code == 403


def test_a_repeated_key_makes_one_customer_and_gets_the_same_answer(finance: ApiClient) -> None:
    first = finance.post("customers", ACME, Idempotency_Key="make-acme")
    again = finance.post("customers", ACME, Idempotency_Key='"make-acme"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotency-Replayed"] == "true"
    assert Customer.objects.count() == 1


def test_a_used_key_serves_no_other_request(finance: ApiClient) -> None:
    finance.post("customers", ACME, Idempotency_Key="k")
    other = finance.post("customers", {**ACME, "code": "other"}, Idempotency_Key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert "Idempotency-Replayed" not in other
    assert list(Customer.objects.values_list("code", flat=True)) == ["acme"]


def test_a_key_belongs_to_its_person(finance: ApiClient) -> None:
    finance.post("customers", ACME, Idempotency_Key="k")
    felix = ApiClient(key_for(make_staff("felix", "finance")))
    assert felix.post("customers", {**ACME, "code": "other"}, Idempotency_Key="k").status_code == 201


def test_a_refusal_is_replayed_too(finance: ApiClient) -> None:
    make_customer()
    first = finance.post("customers", ACME, Idempotency_Key="k")
    again = finance.post("customers", ACME, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (422, 422)
    assert again["Idempotency-Replayed"] == "true"
    assert again["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["", " ", '""', "x" * 256, "tab\there", "ü"])
def test_a_key_that_cannot_be_used_is_refused(finance: ApiClient, key: str) -> None:
    response = finance.post("customers", ACME, Idempotency_Key=key)
    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_invalid")


def test_a_call_that_fails_frees_its_key_and_leaves_nothing(
    finance: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_and_fail(**_: object) -> None:
        make_customer("half")
        raise RuntimeError("the disk is on fire")

    with monkeypatch.context() as patch:
        patch.setattr("accounts.customers.create_customer", make_and_fail)
        failed = finance.post("customers", ACME, Idempotency_Key="k")
    assert (failed.status_code, failed.json()["code"]) == (500, "internal")
    assert not Customer.objects.exists()
    assert not IdempotentAnswer.objects.exists()
    assert finance.post("customers", ACME, Idempotency_Key="k").status_code == 201
