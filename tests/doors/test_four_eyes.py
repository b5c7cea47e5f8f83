"""Nobody decides alone about what they made: eight ways to try it, on invoices, policies, prices and gates.

UI, admin, API, job, shell role, superuser, second account, and the name of a colleague in the body.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.roles import Role
from compliance.payouts import gates
from compliance.payouts.models import GateCheck, GateDecision
from core.errors import DomainError
from invoicing.cycle import finalize
from invoicing.cycle.models import Invoice, InvoiceApproval
from invoicing.policy import propose, sign
from invoicing.policy.models import SignOff, TriggerPolicy
from invoicing.pricing import prices
from invoicing.pricing.models import PriceVersion
from tests.builders import billing, guards, payouts, people
from tests.builders.billing import CLOSING, LONG_AGO

pytestmark = pytest.mark.django_db
REFUSED = (302, 403, 404, 405, 409, 422)
EVERY_ROLE = tuple(Role)
OTHERS = (
    "approver",
    "approved_by",
    "approved_by_id",
    "actor",
    "person",
    "person_id",
    "decided_by",
    "signed_by",
    "user",
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something that its author tries to decide about, and how one would."""

    author: User
    colleague: User
    dialog: str
    dialog_data: dict[str, Any]
    page: str
    page_data: dict[str, Any]
    api: str
    body: dict[str, Any]
    job: Callable[[], object]
    sql: Sequence[tuple[str, Sequence[int]]]
    is_decided: Callable[[], bool]
    more_dialogs: Sequence[tuple[str, dict[str, Any]]] = field(default=())


def an_author() -> User:
    """Somebody with every role, so that only the rule of two persons stands in the way."""
    author = billing.person("pat", *EVERY_ROLE)
    author.email = "pat@lumen.example"
    author.save()
    return author


def an_invoice() -> Case:
    """Drafted by who wants to approve it."""
    company, author = billing.open_company(), an_author()
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.close_october(actor=author)
    draft = Invoice.objects.get()
    approve = (
        "UPDATE cycle_invoice SET revision = revision + 1, status = 'approved', approved_by_id = %s,"
        " approved_at = now(), approved_hash = content_hash WHERE id = %s"
    )
    give = (
        "INSERT INTO cycle_invoiceapproval"
        " (invoice_id, revision, person_id, content_hash, people_needed, given_at, audit_entry_id)"
        " SELECT id, revision, %s, content_hash, 1, now(), (SELECT min(id) FROM core_auditentry)"
        " FROM cycle_invoice WHERE id = %s"
    )
    ticked = f"{draft.pk}:{draft.content_hash}"

    def job() -> None:
        call_command("finalize_invoices")
        finalize.finalize_invoice(invoice_id=draft.pk, actor=None, at=CLOSING)

    return Case(
        author=author,
        colleague=company.finance,
        dialog=reverse("admin:cycle_invoice_approve_figures", args=[draft.pk]),
        dialog_data={"content_hash": draft.content_hash},
        more_dialogs=[(reverse("admin:cycle_invoice_decide"), {"action": "approve", "invoice": ticked})],
        page=reverse("admin:cycle_invoice_change", args=[draft.pk]),
        page_data={"status": "approved"},
        api=f"invoices/{draft.pk}/approve",
        body={"content_hash": draft.content_hash},
        job=job,
        sql=[
            (approve, [author.pk, draft.pk]),
            (approve, [company.finance.pk, draft.pk]),
            (give, [author.pk, draft.pk]),
            (give, [company.finance.pk, draft.pk]),
            ("UPDATE cycle_invoice SET drafted_by_id = NULL WHERE id = %s", [draft.pk]),
        ],
        is_decided=lambda: Invoice.objects.get().status != "draft" or InvoiceApproval.objects.exists(),
    )


def a_policy() -> Case:
    """Proposed by who wants to sign it."""
    author = an_author()
    policy = propose.propose_policy(
        program="standard", terms={}, effective_at=LONG_AGO, reason="how we bill", actor=author, at=LONG_AGO
    )
    signature = (
        "INSERT INTO policy_signoff (policy_id, role, person_id, content_hash, signed_at, audit_entry_id)"
        " SELECT id, 'finance', %s, content_hash, now(), (SELECT min(id) FROM core_auditentry)"
        " FROM policy_triggerpolicy WHERE id = %s"
    )
    in_force = "UPDATE policy_triggerpolicy SET status = 'signed', decided_at = now() WHERE id = %s"
    given = {"role": "finance", "content_hash": policy.content_hash}
    return Case(
        author=author,
        colleague=billing.person("fiona", "finance"),
        dialog=reverse("admin:policy_triggerpolicy_sign_it", args=[policy.pk]),
        dialog_data=given,
        page=reverse("admin:policy_triggerpolicy_change", args=[policy.pk]),
        page_data={"status": "signed"},
        api=f"trigger-policies/{policy.pk}/sign",
        body=given,
        job=lambda: sign.sign_policy(policy_id=policy.pk, **given, actor=None, at=CLOSING),
        sql=[
            (signature, [author.pk, policy.pk]),
            (in_force, [policy.pk]),
            ("UPDATE policy_triggerpolicy SET proposed_by_id = %s", [billing.person("fiona", "finance").pk]),
        ],
        is_decided=lambda: SignOff.objects.exists() or TriggerPolicy.objects.get().status != "proposed",
    )


def a_price() -> Case:
    """Proposed by who wants to approve it."""
    company, author = billing.open_company(), an_author()
    price = prices.propose_price_version(
        charge=company.plan.charges.get(meter=None),
        model="flat",
        params={"amount": "1"},
        effective_at=billing.DECEMBER,
        actor=author,
        at=LONG_AGO,
    )
    approve = (
        "UPDATE pricing_priceversion SET status = 'approved', decided_by_id = %s, decided_at = now() WHERE id = %s"
    )
    return Case(
        author=author,
        colleague=company.finance,
        dialog=reverse("admin:pricing_priceversion_approve", args=[price.pk]),
        dialog_data={},
        page=reverse("admin:pricing_priceversion_change", args=[price.pk]),
        page_data={"status": "approved"},
        api=f"price-versions/{price.pk}/approve",
        body={},
        job=lambda: prices.approve_price_version(pk=price.pk, actor=None, at=CLOSING),
        sql=[
            (approve, [author.pk, price.pk]),
            ("UPDATE pricing_priceversion SET created_by_id = %s WHERE id = %s", [company.finance.pk, price.pk]),
            ("UPDATE pricing_priceversion SET status = 'approved' WHERE id = %s", [price.pk]),
        ],
        is_decided=lambda: PriceVersion.objects.get(pk=price.pk).status != "proposed",
    )


def a_gate() -> Case:
    """Of a payee that was entered by who wants to open it."""
    desk, author = payouts.open_desk(), an_author()
    payee = payouts.payee(payouts.Desk(finance=author, ops=desk.ops, other_ops=desk.other_ops))
    check = payouts.check_of(payee, "kyc")
    given = {"reason": "looked at the papers", "evidence": "passport"}
    decision = (
        "INSERT INTO payouts_gatedecision (gate_check_id, verdict, from_state, to_state, reason, evidence,"
        " evidence_files, actor_id, decided_at, audit_entry_id)"
        " SELECT %s, 'approve', 'not_started', 'approved', 'x', 'x', '[]', %s, now(), min(id) FROM core_auditentry"
    )
    return Case(
        author=author,
        colleague=desk.ops,
        dialog=reverse("admin:payouts_gatecheck_approve_gate", args=[check.pk]),
        dialog_data=given,
        page=reverse("admin:payouts_gatecheck_change", args=[check.pk]),
        page_data={"state": "approved"},
        api=f"gate-checks/{check.pk}/approve",
        body=given,
        job=lambda: gates.decide_gate(
            check_id=check.pk, verdict="approve", **given, expires_at=None, actor=None, at=payouts.NOON
        ),
        sql=[
            (decision, [check.pk, author.pk]),
            ("UPDATE payouts_gatecheck SET state = 'approved' WHERE id = %s", [check.pk]),
            ("UPDATE payouts_payee SET created_by_id = %s WHERE id = %s", [desk.ops.pk, payee.pk]),
        ],
        is_decided=lambda: GateCheck.objects.get(pk=check.pk).state != "not_started" or GateDecision.objects.exists(),
    )


CASES = {"invoice": an_invoice, "policy": a_policy, "price": a_price, "gate": a_gate}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def press_everything(case: Case, user: User) -> None:
    client = signed_in(user)
    for address, data in [(case.dialog, case.dialog_data), *case.more_dialogs]:
        client.post(address, {**data, "_form_submitted": "1"})


def test_a_colleague_may_so_the_cases_are_real(case: Case) -> None:
    if case.api.endswith("/sign") or case.api.startswith("invoices"):
        case.colleague.groups.add(Group.objects.get(name=Role.FINANCE))
    answer = people.ApiClient(people.key_for(case.colleague)).post(case.api, case.body)
    assert answer.status_code == 200, answer.content
    assert case.is_decided()


def test_1_by_the_dialogs_of_the_back_office(case: Case) -> None:
    press_everything(case, case.author)
    assert not case.is_decided()


def test_2_by_the_form_of_the_admin(case: Case) -> None:
    answer = signed_in(case.author).post(case.page, {**case.page_data, **dict.fromkeys(OTHERS, case.colleague.pk)})
    assert answer.status_code in REFUSED
    assert not case.is_decided()


def test_3_by_the_api(case: Case) -> None:
    answer = people.ApiClient(people.key_for(case.author)).post(case.api, case.body)
    assert answer.status_code == 403
    assert not case.is_decided()


def test_4_by_background_work_without_a_person(case: Case) -> None:
    with pytest.raises(DomainError):
        case.job()
    assert not case.is_decided()


def test_5_by_sql_under_the_role_of_the_application(case: Case) -> None:
    assert [statement for statement, values in case.sql if not guards.refuses(statement, values)] == []
    assert not case.is_decided()


def test_6_as_a_superuser(case: Case) -> None:
    case.author.is_superuser = True
    case.author.save()
    press_everything(case, case.author)
    signed_in(case.author).post(case.page, case.page_data)
    people.ApiClient(people.key_for(case.author)).post(case.api, case.body)
    stranger = people.make_staff("root", is_superuser=True)  # who holds no role at all
    press_everything(case, stranger)
    people.ApiClient(people.key_for(stranger)).post(case.api, case.body)
    assert not case.is_decided()


@pytest.mark.parametrize("mailbox", ["pat@lumen.example", "PAT@Lumen.example", "pat+2@lumen.example"])
def test_7_by_a_second_account_of_the_same_person(case: Case, mailbox: str) -> None:
    administrator = signed_in(people.make_staff("root", is_superuser=True))
    roles = [group.pk for group in Group.objects.all()]
    form = {"username": "pat2", "password1": people.PASSWORD, "password2": people.PASSWORD, "email": mailbox}
    for other in ({}, {"email": ""}):
        administrator.post(reverse("admin:auth_user_add"), {**form, **other, "is_staff": "on", "groups": roles})
        assert not User.objects.filter(username="pat2").exists()
    with pytest.raises(IntegrityError, match="accounts_one_account_per_mailbox"), transaction.atomic():
        User.objects.create(username="pat2", email=mailbox, is_staff=True)
    assert not case.is_decided()


def test_8_by_the_name_of_a_colleague_in_the_body(case: Case) -> None:
    author = people.ApiClient(people.key_for(case.author))
    for name in OTHERS:
        for value in (case.colleague.pk, case.colleague.username):
            author.post(case.api, {**case.body, name: value})
            signed_in(case.author).post(case.dialog, {**case.dialog_data, name: value, "_form_submitted": "1"})
    assert not case.is_decided()
