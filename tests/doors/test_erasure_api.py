"""Erasure over HTTP: ops asks, finance decides, and what forbids it is said in the answer."""

from typing import Any

import pytest

from accounts.models import Customer
from tests.builders import billing, dumps, people

pytestmark = pytest.mark.django_db
ASKED = {"kind": "customer", "code": "c-17", "ground": "asked", "reference": "TICKET-9"}


@pytest.fixture
def ops() -> people.ApiClient:
    return people.ApiClient(people.key_for(people.make_staff("olivia", "ops")))


@pytest.fixture
def finance() -> people.ApiClient:
    return people.ApiClient(people.key_for(people.make_staff("finn", "finance")))


@pytest.fixture
def erika() -> Customer:
    return people.make_customer("c-17", legal_name="Erika Mustermann")


def ask(ops: people.ApiClient, **changes: Any) -> Any:
    return ops.post("erasure-requests", {**ASKED, **changes})


def test_it_is_asked_looked_at_and_erased_by_another(
    erika: Customer, ops: people.ApiClient, finance: people.ApiClient
) -> None:
    asked = ask(ops)
    assert asked.status_code == 201, asked.json()
    made = asked.json()
    assert (made["who"], made["status"], made["asked_by"]) == ("c-17", "asked", "olivia")
    assert (made["plan"]["forbids"], made["plan"]["kept"], made["proofs"]) == ([], [], [])
    assert made["plan"]["goes"][0].startswith("Name, address, tax id and e-mail")
    address = f"erasure-requests/{made['id']}"
    wrong = finance.post(f"{address}/approve", {"confirm": made["id"] + 1})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/confirm")
    assert Customer.objects.get(code="c-17").legal_name == "Erika Mustermann"
    done = finance.post(f"{address}/approve", {"confirm": made["id"]}).json()
    assert (done["status"], done["decided_by"], done["plan"]) == ("erased", "finn", None)
    [proof] = done["proofs"]
    assert (len(proof["keys"]), proof["kept_documents"], proof["audit_reference"][:4]) == (1, 0, "AUD-")
    assert dumps.find_words(["Mustermann"]) == []
    assert finance.get(address).json() == done
    again = finance.post(f"{address}/approve", {"confirm": made["id"]})
    assert (again.status_code, again.json()["code"]) == (409, "erasure_decided")


def test_whoever_asked_does_not_decide_and_a_refusal_is_a_word(erika: Customer, finance: people.ApiClient) -> None:
    both = people.ApiClient(people.key_for(people.make_staff("bea", "ops", "finance")))
    made = ask(both).json()
    address = f"erasure-requests/{made['id']}"
    own = both.post(f"{address}/approve", {"confirm": made["id"]})
    assert (own.status_code, own.json()["code"]) == (403, "not_allowed")
    free = finance.post(f"{address}/refuse", {"refusal": "Erika Mustermann is not sure"})
    assert free.status_code == 422
    assert dumps.find_words(["Mustermann"]) == [], "not even in an answer that is kept"
    refused = finance.post(f"{address}/refuse", {"refusal": "not_the_person"}).json()
    assert (refused["status"], refused["refusal"], refused["proofs"]) == ("refused", "not_the_person", [])
    assert ask(both).status_code == 201


def test_what_forbids_it_is_said(ops: people.ApiClient, finance: people.ApiClient) -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("c-17"))
    made = ask(ops).json()
    running = "Subscriptions that still run: 1. End them first."
    assert made["plan"]["forbids"] == [running]
    answer = finance.post(f"erasure-requests/{made['id']}/approve", {"confirm": made["id"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "erasure_forbidden")
    assert running in answer.json()["detail"]


def test_requests_are_listed_by_what_they_are(
    erika: Customer, ops: people.ApiClient, finance: people.ApiClient
) -> None:
    people.make_portal_user(erika, "erika.m")
    first = ask(ops).json()
    second = ask(ops, kind="portal_user", code="erika.m", reference="TICKET-10").json()
    assert "erika.m" not in str(second)

    def listed(query: str) -> list[int]:
        return [one["id"] for one in finance.get(f"erasure-requests{query}").json()["results"]]

    assert listed("") == [second["id"], first["id"]]
    assert listed("?kind=customer") == listed("?code=c-17") == listed("?reference=TICKET-9") == [first["id"]]
    assert listed("?status=erased") == []
    assert finance.get("erasure-requests?status=gone").status_code == 422
    taken, nobody = ask(ops), ask(ops, code="nobody")
    assert (taken.status_code, taken.json()["code"]) == (409, "erasure_already_asked")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not_found")
    assert ask(ops, reference="Erika Mustermann").status_code == 422
    assert finance.get("erasure-requests/987654").status_code == 404


def test_retention_rules_are_read(finance: people.ApiClient) -> None:
    rules = finance.get("retention-rules").json()["results"]
    assert {(one["country"], one["years"], one["created_by"]) for one in rules} == {("", 10, None), ("DE", 8, None)}
