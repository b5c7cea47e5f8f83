"""Trigger policies over HTTP and in the back office."""

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse

from invoicing.policy.admin.forms import ProposalForm
from invoicing.policy.models import TriggerPolicy
from tests.builders import billing, people
from tests.builders.people import ApiClient

pytestmark = pytest.mark.django_db
NEXT = {
    "program": "standard",
    "effective_at": "2100-01-01T00:00:00Z",
    "terms": {"late_usage": {"grace_hours": "24"}},
    "reason": "events of the last day come late",
}


def api_as(role: str) -> ApiClient:
    return ApiClient(people.key_for(person_as(role)))


def person_as(role: str) -> User:
    return User.objects.filter(username=f"the-{role}").first() or people.make_staff(f"the-{role}", role)


def submitted(fields: dict[str, str]) -> dict[str, str]:
    """As a dialog of the back office sends them."""
    return {"_form_submitted": "True", **fields}


def desk_as(role: str) -> Client:
    client = Client()
    client.force_login(person_as(role))
    return client


def test_a_policy_is_proposed_and_signed_by_three() -> None:
    proposed = api_as("engineering").post("trigger-policies", NEXT).json()
    assert proposed["missing_roles"] == ["product", "finance", "ops"]
    assert proposed["terms"]["late_usage"] == {"correction": "next_invoice", "grace_hours": "24"}
    assert proposed["terms"]["cadence"] == {"model": "cycle"}
    address = f"trigger-policies/{proposed['id']}"
    for role in ("ops", "finance", "product"):
        body = {"role": role, "content_hash": proposed["content_hash"]}
        answer = api_as(role).post(f"{address}/sign", body)
        assert answer.status_code == 200
    signed = api_as("auditor").get(address).json()
    assert (signed["status"], signed["missing_roles"]) == ("signed", [])
    assert [one["role"] for one in signed["sign_offs"]] == ["ops", "finance", "product"]
    listed = api_as("auditor").get("trigger-policies?program=standard").json()
    assert [one["version"] for one in listed["results"]] == [1]


def test_bad_terms_are_named_by_pointer() -> None:
    answer = api_as("product").post("trigger-policies", {**NEXT, "terms": {"late_usage": {"grace_hours": "soon"}}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/terms/late_usage/grace_hours"


def test_a_code_of_nobody_is_named_by_pointer() -> None:
    billing.make_customer("acme", program="partners")
    eligible = {"customers": ["acme"], "plans": ["gone"], "meters": ["none"]}
    amount = {"kind": "unbilled_amount", "currency": "EUR", "amount": "500.00"}
    terms = {"cadence": {"model": "hybrid"}, "off_cycle": {"eligible": eligible, "triggers": [amount]}}
    answer = api_as("product").post("trigger-policies", {**NEXT, "terms": terms})
    assert answer.status_code == 422
    assert [(one["pointer"], one["detail"]) for one in answer.json()["errors"]] == [
        ("/terms/off_cycle/eligible/customers/0", "There is no customer of the program standard with the code acme."),
        ("/terms/off_cycle/eligible/plans/0", "There is no plan with the code gone."),
        ("/terms/off_cycle/eligible/meters/0", "There is no meter with the code none."),
    ]


def test_who_signs_is_who_calls_whatever_the_body_says() -> None:
    proposed = api_as("finance").post("trigger-policies", NEXT).json()
    body = {"role": "ops", "content_hash": proposed["content_hash"], "person": "the-ops", "approver": "the-ops"}
    answer = api_as("product").post(f"trigger-policies/{proposed['id']}/sign", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    own = api_as("finance").post(f"trigger-policies/{proposed['id']}/sign", {**body, "role": "finance"})
    assert own.status_code == 403
    assert "proposed" in own.json()["detail"]


def test_a_withdrawn_proposal_is_not_signed() -> None:
    proposed = api_as("finance").post("trigger-policies", NEXT).json()
    address = f"trigger-policies/{proposed['id']}"
    assert api_as("ops").post(f"{address}/withdraw", {"reason": "too long"}).json()["status"] == "withdrawn"
    answer = api_as("ops").post(f"{address}/sign", {"role": "ops", "content_hash": proposed["content_hash"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "policy_decided")
    assert api_as("ops").get("trigger-policies/999999").status_code == 404


def test_the_desk_proposes_signs_and_shows_what_changes() -> None:
    billing.sign_a_policy(author=billing.person("olaf", "engineering"))
    listing = "/admin/policy/triggerpolicy/"
    form = filled_in({"grace_hours": "6", "second_person_above": "EUR 10000.00"})
    answer = desk_as("finance").post(reverse("admin:policy_triggerpolicy_propose_next"), submitted(form))
    assert "HX-Redirect" in answer, answer.content.decode()
    policy = TriggerPolicy.objects.get(version=2)
    address = f"{listing}{policy.pk}/change/"
    page = desk_as("ops").get(address).content.decode()
    assert "beside version 1" in page
    assert "After its end a period waits 6 hours for usage on its way" in page
    assert "Above 10000.00 EUR two people in finance approve an invoice." in page
    assert "not signed yet" in page
    for role in ("ops", "product"):
        body = {"role": role, "content_hash": policy.content_hash}
        desk_as(role).post(reverse("admin:policy_triggerpolicy_sign_it", args=[policy.pk]), submitted(body))
    assert policy.sign_offs.count() == 2
    page = desk_as("auditor").get(listing).content.decode()
    assert "Waiting for signatures" in page
    assert "In force" in page


def filled_in(fields: dict[str, str]) -> dict[str, str]:
    """The dialog as it opens over a silent policy, with these fields filled in."""
    opened = ProposalForm(request=RequestFactory().get("/"), object_id=None).initial
    shown = {name: str(value) for name, value in opened.items() if value not in (False, None)}
    return {**shown, "effective_at": "", "reason": "why", **fields}


def test_the_desk_names_a_problem_at_its_field() -> None:
    billing.sign_a_policy(author=billing.person("olaf", "engineering"))
    form = filled_in({"cadence": "hybrid", "amounts": "EUR 5.001", "charge_controls": "credit_exposure EUR"})
    page = desk_as("finance").post(reverse("admin:policy_triggerpolicy_propose_next"), submitted(form))
    assert "Line 1: EUR is not name=value." in page.content.decode()
    form["charge_controls"] = ""
    page = desk_as("finance").post(reverse("admin:policy_triggerpolicy_propose_next"), submitted(form))
    assert "At most 2 decimals are kept" in page.content.decode()
    assert not TriggerPolicy.objects.filter(version=2).exists()


def test_the_desk_opens_with_what_the_latest_version_says() -> None:
    amount = {"kind": "unbilled_amount", "currency": "EUR", "amount": "500.00"}
    control = {"kind": "credit_exposure", "currency": "EUR", "amount": "5000.00", "action": "hold_usage"}
    terms = {"cadence": {"model": "threshold"}, "off_cycle": {"triggers": [amount]}, "charge_controls": [control]}
    before = billing.sign_a_policy(author=billing.person("olaf", "engineering"), terms=terms)
    desk_as("finance").post(reverse("admin:policy_triggerpolicy_propose_next"), submitted(filled_in({})))
    assert TriggerPolicy.objects.get(version=2).terms == before.terms


def test_a_customers_page_says_which_policy_decides_or_that_none_does() -> None:
    finance, customer = desk_as("finance"), billing.make_customer("acme", program="partners")
    address = f"/admin/accounts/customer/{customer.pk}/change/"
    assert "No policy, no invoice." in finance.get(address).content.decode()
    billing.sign_a_policy(author=billing.person("olaf", "engineering"), program="partners")
    page = finance.get(address).content.decode()
    assert "partners v1" in page
    assert "No policy, no invoice." not in page


def test_the_first_page_says_when_nothing_can_be_invoiced() -> None:
    person = desk_as("finance")
    billing.make_customer("acme", program="partners")
    assert "No policy, no invoice." in person.get("/admin/").content.decode()
    billing.sign_a_policy(author=billing.person("olaf", "engineering"), program="partners")
    assert "No policy, no invoice." not in person.get("/admin/").content.decode()
