"""Trigger policies: what is in force, what waits for whose signature, what a version changes."""

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import backoffice, roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from accounts.roles import Role
from invoicing.policy import fitting, propose, queries, sign
from invoicing.policy.admin.forms import ProposalForm, SignatureForm, WithdrawalForm
from invoicing.policy.models import PolicyBeginning, TriggerPolicy
from invoicing.policy.rules import signing, wording
from invoicing.policy.rules import terms as policy_terms
from invoicing.policy.rules.signing import Signature

TONES = {
    "in force": "success",
    "signed": "info",
    "replaced": "none",
    "proposed": "warning",
    "withdrawn": "none",
    "lapsed": "danger",
}
WORDS = {
    "in force": "In force",
    "signed": "Signed, begins later",
    "replaced": "Replaced",
    "proposed": "Waiting for signatures",
    "withdrawn": "Withdrawn",
    "lapsed": "Lapsed: a signer had lost the role when it was to begin",
}


@admin.register(TriggerPolicy)
class TriggerPolicyAdmin(BackOfficeAdmin):
    """Read only; a version is proposed, signed by three, and followed by the next one."""

    list_display = ("program", "version", "state", "effective_at", "waits_for", "proposed_by")
    list_filter = ("program", "status")
    search_fields = ("program",)
    list_select_related = ("proposed_by",)
    fields: ClassVar[list[str]] = []
    change_form_template = "policy/policy.html"
    actions_list: ClassVar[list[str]] = ["propose_next"]
    actions_detail: ClassVar[list[str]] = ["sign_it", "withdraw_it"]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        policy = self.get_object(request, object_id)
        context = {} if policy is None else page_context(policy)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @display(description="State", label=TONES)
    def state(self, policy: TriggerPolicy) -> tuple[str, str]:
        found = state_of(policy)
        return found, WORDS[found]

    @display(description="Waits for")
    def waits_for(self, policy: TriggerPolicy) -> str:
        return ", ".join(missing(policy)) if policy.status == TriggerPolicy.Status.PROPOSED else "—"

    def has_propose_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, propose.PROPOSERS)

    def has_withdraw_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, propose.PROPOSERS) and is_open(object_id)

    def has_sign_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, [Role.PRODUCT, Role.FINANCE, Role.OPS]) and is_open(object_id)

    @action(
        description="Propose the next version",
        permissions=["propose"],
        variant=ActionVariant.PRIMARY,
        icon="edit_document",
        dialog={
            "title": "Propose a trigger policy",
            "description": "It decides nothing until product, finance and ops have signed it, three people, not you.",
            "form_class": ProposalForm,
            "form_submit_text": "Propose",
        },
    )
    def propose_next(self, request: HttpRequest, form: ProposalForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("program", "effective_at", "terms", "reason")}
        return answer_dialog(
            request,
            call=lambda: propose.propose_policy(**given, actor=request.user, at=timezone.now()),
            success="The version is proposed and waits for three signatures.",
            back_to=reverse("admin:policy_triggerpolicy_changelist"),
        )

    @action(
        description="Sign",
        permissions=["sign"],
        variant=ActionVariant.PRIMARY,
        icon="signature",
        dialog={
            "title": "Sign this policy",
            "description": "You sign what this page shows. With the third signature it counts.",
            "form_class": SignatureForm,
            "form_submit_text": "Sign",
        },
    )
    def sign_it(self, request: HttpRequest, form: SignatureForm, object_id: str) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("role", "content_hash")}
        return answer_dialog(
            request,
            call=lambda: sign.sign_policy(policy_id=int(object_id), **given, actor=request.user, at=timezone.now()),
            success="Your signature is kept.",
            back_to=reverse("admin:policy_triggerpolicy_change", args=[object_id]),
        )

    @action(
        description="Withdraw",
        permissions=["withdraw"],
        icon="undo",
        dialog={
            "title": "Withdraw this proposal",
            "description": "It stays on record. A new version can be proposed at any time.",
            "form_class": WithdrawalForm,
            "form_submit_text": "Withdraw",
        },
    )
    def withdraw_it(self, request: HttpRequest, form: WithdrawalForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        return answer_dialog(
            request,
            call=lambda: propose.withdraw_policy(
                policy_id=int(object_id), reason=reason, actor=request.user, at=timezone.now()
            ),
            success="The proposal is withdrawn.",
            back_to=reverse("admin:policy_triggerpolicy_change", args=[object_id]),
        )


def is_open(object_id: str | None) -> bool:
    """Whether the page is about a proposal that waits for signatures."""
    text = str(object_id)
    waiting = TriggerPolicy.objects.filter(status=TriggerPolicy.Status.PROPOSED)
    return text.isdecimal() and waiting.filter(pk=int(text)).exists()


def state_of(policy: TriggerPolicy) -> str:
    """In force, signed for later, lapsed or replaced, for a signed version; else its status."""
    if policy.status != TriggerPolicy.Status.SIGNED:
        return str(policy.status)
    if PolicyBeginning.objects.filter(policy=policy, holds=False).exists():
        return "lapsed"
    in_force = queries.policies_in_force([policy.program], at=timezone.now()).get(policy.program)
    if in_force is not None and in_force.pk == policy.pk:
        return "in force"
    return "replaced" if in_force and in_force.effective_at > policy.effective_at else "signed"


def missing(policy: TriggerPolicy) -> list[str]:
    live = policy.sign_offs.filter(voided_at=None)
    return signing.missing_roles(Signature(one.role, one.person_id) for one in live)


def page_context(policy: TriggerPolicy) -> dict[str, Any]:
    """The terms, what they change against the version before, and every signature."""
    before = TriggerPolicy.objects.filter(
        program=policy.program, version__lt=policy.version, status=TriggerPolicy.Status.SIGNED
    ).first()
    state, terms = state_of(policy), policy_terms.parse_terms(policy.terms)
    waits = state in ("proposed", "signed")
    return {
        "policy": policy,
        "state": WORDS[state],
        "tone": TONES[state],
        "terms": json.dumps(policy.terms, indent=2),
        "decisions": wording.decisions(terms),
        "before": before,
        "changes": [] if before is None else wording.compare(policy_terms.parse_terms(before.terms), terms),
        "misfits": fitting.find_misfits(program=policy.program, terms=terms, at=timezone.now()),
        "sign_offs": policy.sign_offs.select_related("person", "audit_entry"),
        "in_the_way": backoffice.in_the_way(policy, at=timezone.now()) if waits else "",
        "missing": missing(policy) if policy.status == TriggerPolicy.Status.PROPOSED else [],
    }
