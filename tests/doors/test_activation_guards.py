"""What guards refuse is refused at every door, in their words, and nothing has changed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from core import activation
from invoicing.cycle.models import Invoice
from invoicing.policy import begin, propose, queries
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing import invoice_terms
from metering import contracts
from metering.rules.drafting import ContractDraft
from tests.builders import agreements, billing, fees, people
from tests.builders.objections import OBJECTION, objecting_to
from tests.builders.people import ApiClient

pytestmark = pytest.mark.django_db
WORDS = "The replay of “spring” differs in 3 lines. Look at its report and run it again."


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Something that waits for its last decision: who takes it, where, and how it then stands."""

    thing: Model
    role: str
    address: str
    action: str
    fields: dict[str, Any]
    then: str


def price() -> Waiting:
    proposed = agreements.propose_price(agreements.plan(), meter=agreements.meter())
    return Waiting(
        thing=proposed,
        role="finance",
        address=f"price-versions/{proposed.pk}/approve",
        action="pricing_priceversion_approve",
        fields={},
        then="approved",
    )


def plan_terms() -> Waiting:
    proposed = agreements.proposed_plan("basic").versions.get()
    return Waiting(
        thing=proposed,
        role="finance",
        address="plans/basic/versions/1/approve",
        action="pricing_planversion_approve",
        fields={},
        then="approved",
    )


def invoice_term() -> Waiting:
    proposed = invoice_terms.propose_invoice_term(
        subject=agreements.plan(),
        code="partner",
        kind="allowance",
        reason="partner discount",
        percent=billing.Decimal(5),
        effective_at=agreements.BEFORE,
        actor=agreements.author(),
        at=agreements.BEFORE,
    )
    return Waiting(
        thing=proposed,
        role="finance",
        address=f"invoice-terms/{proposed.pk}/approve",
        action="pricing_invoiceterm_approve",
        fields={},
        then="approved",
    )


def fee_table() -> Waiting:
    fees.approve_shipped()
    program = fees.FeeProgram.objects.order_by("code")[0]
    proposed = program.versions.get()
    return Waiting(
        thing=proposed,
        role="finance",
        address=f"fee-programs/{program.code}/versions/{proposed.version}/approve",
        action="pricing_feeprogramversion_approve",
        fields={},
        then="approved",
    )


def contract() -> Waiting:
    draft = ContractDraft(
        schema={"properties": {"units": {"type": "integer"}}},
        billing_fields=["units"],
        valid_examples=[{"units": 1}],
        invalid_examples=[{"data": {}, "code": "billing_field_missing", "pointer": "/data/units"}],
    )
    opened = contracts.open_contract(
        event_type="usage", description="Use.", draft=draft, actor=agreements.author(), at=agreements.BEFORE
    )
    return Waiting(
        thing=opened.versions.get(),
        role="engineering",
        address="contracts/usage/versions/1/activate",
        action="metering_eventcontractversion_put_in_force",
        fields={},
        then="active",
    )


def policy() -> Waiting:
    proposed = propose_policy()
    for role in ("product", "ops"):
        billing.sign.sign_policy(
            policy_id=proposed.pk,
            content_hash=proposed.content_hash,
            role=role,
            actor=billing.person(f"signs-for-{role}", role),
            at=billing.LONG_AGO,
        )
    return Waiting(
        thing=proposed,
        role="finance",
        address=f"trigger-policies/{proposed.pk}/sign",
        action="policy_triggerpolicy_sign_it",
        fields={"role": "finance", "content_hash": proposed.content_hash},
        then="signed",
    )


def propose_policy(*, begins: Any = billing.LONG_AGO) -> TriggerPolicy:
    return propose.propose_policy(
        program="standard",
        terms={},
        effective_at=begins,
        reason="how we bill",
        actor=billing.person("olaf", "engineering"),
        at=billing.LONG_AGO,
    )


def invoice() -> Waiting:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.close_october()
    approved = billing.approve_by(company.finance, Invoice.objects.get())
    return Waiting(
        thing=approved,
        role="finance",
        address=f"invoices/{approved.pk}/finalize",
        action="cycle_invoice_finalize_now",
        fields={},
        then="final",
    )


KINDS = [price, plan_terms, invoice_term, fee_table, contract, policy, invoice]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_guard_is_asked_at_every_door_and_its_sentence_reaches_the_reader(make: Callable[[], Waiting]) -> None:
    waiting = make()
    person = people.make_staff("who-decides", waiting.role)
    api, desk = ApiClient(people.key_for(person)), Client()
    desk.force_login(person)
    before = waiting.thing.__class__.objects.get(pk=waiting.thing.pk).status  # type: ignore[attr-defined]

    with objecting_to(type(waiting.thing)) as asked:
        refused = api.post(waiting.address, waiting.fields)
        assert (refused.status_code, refused.json()["code"]) == (409, "activation_refused")
        assert refused.json()["detail"] == WORDS
        assert refused.json()["errors"] == [
            {"pointer": "/", "code": "replay_failed", "detail": WORDS, "link": "/admin/core/job/"}
        ]
        dialog = reverse(f"admin:{waiting.action}", args=[waiting.thing.pk])
        answer = desk.post(dialog, {"_form_submitted": "True", **waiting.fields})
        page = desk.get(answer["HX-Redirect"]).content.decode()
        assert WORDS in page
        assert 'href="/admin/core/job/"' in page
        assert waiting.thing in asked
        waiting.thing.refresh_from_db()
        assert waiting.thing.status == before  # type: ignore[attr-defined]

    assert api.post(waiting.address, waiting.fields).status_code == 200
    waiting.thing.refresh_from_db()
    assert waiting.thing.status == waiting.then  # type: ignore[attr-defined]


def test_a_policy_signed_ahead_waits_while_a_guard_refuses_and_the_one_before_goes_on() -> None:
    billing.sign_a_policy(author=billing.person("olaf", "engineering"))
    following = propose_policy(begins=billing.OCTOBER)
    for role in ("product", "finance", "ops"):
        billing.sign.sign_policy(
            policy_id=following.pk,
            content_hash=following.content_hash,
            role=role,
            actor=billing.person(f"signs-for-{role}", role),
            at=billing.LONG_AGO,
        )
    with objecting_to(TriggerPolicy):
        assert begin.begin_due_policies(at=billing.OCTOBER) == []
        assert queries.policies_in_force(["standard"], at=billing.OCTOBER)["standard"].version == 1
    later = billing.OCTOBER + timedelta(hours=1)
    assert [one.holds for one in begin.begin_due_policies(at=later)] == [True]
    assert queries.policies_in_force(["standard"], at=later)["standard"].version == 2


def test_the_page_says_beforehand_what_stands_in_the_way() -> None:
    waiting = price()
    desk = Client()
    desk.force_login(people.make_staff("reader", "auditor"))
    page = reverse("admin:pricing_priceversion_change", args=[waiting.thing.pk])
    with objecting_to(type(waiting.thing)):
        assert WORDS in desk.get(page).content.decode()
    assert WORDS not in desk.get(page).content.decode()


def test_the_page_of_an_approved_invoice_says_why_it_cannot_be_issued_yet() -> None:
    waiting = invoice()
    desk = Client()
    desk.force_login(people.make_staff("reader", "auditor"))
    page = reverse("admin:cycle_invoice_change", args=[waiting.thing.pk])
    with objecting_to(Invoice):
        text = desk.get(page).content.decode()
        assert "Cannot be issued yet." in text
        assert WORDS in text
    assert "Cannot be issued yet." not in desk.get(page).content.decode()


def test_a_guard_registers_once_and_is_asked_about_its_own_kind_only() -> None:
    waiting = plan_terms()
    with objecting_to(Invoice):
        assert activation.find_refusals(waiting.thing, at=billing.OCTOBER) == []
    with objecting_to():
        activation.register_guard(of=Invoice, guard=_says_no)
        with pytest.raises(ValueError, match="guards Invoice already"):
            activation.register_guard(of=Invoice, guard=_says_no)


def _says_no(_: Model, /, *, at: Any) -> list[activation.Refusal]:
    return [OBJECTION]


@pytest.mark.django_db(transaction=True)
def test_guards_are_asked_inside_a_transaction_only() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        activation.require_unopposed(Invoice(), at=billing.OCTOBER)
