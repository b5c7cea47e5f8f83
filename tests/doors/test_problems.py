"""Errors that no view answers: problem documents below /api/, pages elsewhere."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from tests.builders import people, problem_documents

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def document_of(response: Any) -> dict[str, Any]:
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert problem_documents.flaws_of(document) == []
    assert document["status"] == response.status_code
    assert document["type"] == "about:blank"
    return document


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/customers",
        "/api/v1/customers/",
        "/v1/billing/meters",
        "/v2/core/events",
        "/openmeter/api/v1/meters",
    ],
)
def test_an_unknown_address_where_programs_call_is_a_problem_document(client: Client, path: str) -> None:
    assert document_of(client.get(path))["code"] == "not_found"


def test_an_unknown_address_elsewhere_is_a_page(client: Client) -> None:
    response = client.get("/nothing")
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_host_that_is_not_ours_is_refused(client: Client) -> None:
    assert document_of(client.get("/api/v1/nothing", headers={"Host": "evil.example"}))["status"] in (400, 404)
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code in (200, 400)


@pytest.mark.parametrize("address", ["/api/v1/customers/%00", "/api/v1/customers?cursor=%00", "/api/%00"])
def test_nul_in_an_address_is_malformed(client: Client, address: str) -> None:
    assert document_of(client.get(address))["code"] == "malformed"
    assert client.get(address.replace("/api/v1/customers", "/portal/")).status_code == 400


def test_a_fault_of_ours_is_a_problem_document_that_tells_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("accounts.customers.get_customer", fail)
    client.force_login(people.make_staff("fiona", "finance"))
    response = client.get("/api/v1/customers/acme")
    assert (response.status_code, document_of(response)["code"]) == (500, "internal")
    assert b"hunter2" not in response.content


def test_a_busy_database_asks_to_come_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(**_: object) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr("accounts.customers.get_customer", wait)
    client.force_login(people.make_staff("fiona", "finance"))
    response = client.get("/api/v1/customers/acme")
    assert (response.status_code, document_of(response)["code"], response["Retry-After"]) == (503, "busy", "5")


def test_a_bad_key_is_named_as_such(client: Client) -> None:
    good = people.key_for(people.make_staff("fiona", "finance"))["Authorization"]
    for text in ("Bearer", "Bearer ", "Bearer x", f"{good}0", good.replace("bo_", "xx_"), "Bearer bo_ü_y", "Bearer \t"):
        response = client.get("/api/v1/customers", headers={"Authorization": text})
        assert (response.status_code, document_of(response)["code"]) == (401, "authentication_failed"), text
    assert client.get("/api/v1/customers", headers={"Authorization": good}).status_code == 200
    assert client.get("/api/v1/customers", headers={"Authorization": good.lower()}).status_code == 200
