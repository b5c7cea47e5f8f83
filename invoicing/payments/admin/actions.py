"""What may be recorded of a payment: each a dialog that makes one call."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import answer_in_dialog
from accounts.roles import Role
from invoicing.payments import record, refund
from invoicing.payments.admin import forms
from invoicing.payments.models import Payment, RefundRequest
from invoicing.payments.rules import lifecycle
from invoicing.payments.rules.lifecycle import Step


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One of them: how it is offered, what it asks, and what it says afterwards."""

    label: str
    icon: str
    permission: str
    title: str
    description: str
    form: type[Any]
    success: str
    is_primary: bool = False


def find(object_id: Any) -> Payment | None:
    text = str(object_id)
    found = Payment.objects.select_related("invoice__seller")
    return found.filter(pk=int(text)).first() if text.isdecimal() else None


def deed(name: str, one: Deed, *, call: Callable[..., object]) -> Any:
    """An action of the page of a payment under this name."""
    dialog = {
        "title": one.title,
        "description": one.description,
        "form_class": one.form,
        "form_submit_text": one.label,
    }

    def act(_page: Any, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        payment = Payment.objects.select_related("invoice__seller").get(pk=int(object_id))
        return answer_in_dialog(
            request,
            form,
            dialog=dialog,
            call=lambda: call(payment=payment, form=form, actor=request.user, at=timezone.now()),
            success=one.success,
            back_to=lambda _made: reverse("admin:payments_payment_change", args=[object_id]),
        )

    act.__name__ = name
    return action(
        description=one.label,
        permissions=[one.permission],
        variant=ActionVariant.PRIMARY if one.is_primary else ActionVariant.DEFAULT,
        icon=one.icon,
        dialog=dialog,
    )(act)


def _step(step: Step, *, payment: Payment, form: Any, actor: Any, at: Any) -> object:
    return record.record_step(payment_id=payment.pk, step=step, **form.arguments(payment), actor=actor, at=at)


def _refund(*, payment: Payment, form: Any, actor: Any, at: Any) -> object:
    return refund.refund_payment(payment_id=payment.pk, **form.arguments(payment), actor=actor, at=at)


def _confirm(*, payment: Payment, actor: Any, at: Any, **_asked: Any) -> object:
    return refund.confirm_refund(request_id=_open(payment).pk, actor=actor, at=at)


def _withdraw(*, payment: Payment, actor: Any, at: Any, **_asked: Any) -> object:
    return refund.withdraw_refund(request_id=_open(payment).pk, actor=actor, at=at)


def _open(payment: Payment) -> RefundRequest:
    waiting = payment.refund_requests.filter(decision="").first()
    if waiting is None:
        raise refund.RefundDecidedError("No refund of this payment waits.")
    return waiting


class PaymentActions:
    """Mix in before the base."""

    settle = deed(
        "settle",
        Deed(
            label="Came in",
            icon="check_circle",
            permission="settle",
            title="The money came in",
            description="All of it. What is more than is due stands in the customer's favour.",
            form=forms.FeeForm,
            success="Settled.",
            is_primary=True,
        ),
        call=partial(_step, Step.SETTLED),
    )
    fail = deed(
        "fail",
        Deed(
            label="Failed",
            icon="error",
            permission="fail",
            title="It did not come in",
            description="The invoice stays open; a later attempt can still settle this payment.",
            form=forms.StepForm,
            success="Recorded as failed.",
        ),
        call=partial(_step, Step.FAILED),
    )
    give_back = deed(
        "give_back",
        Deed(
            label="Refund",
            icon="undo",
            permission="refund",
            title="Money went back",
            description=(
                "What the customer has in their favour goes first; the rest is due again. Above the amount of the"
                " invoice's policy a colleague confirms it before anything is booked."
            ),
            form=forms.AmountForm,
            success="Recorded.",
        ),
        call=_refund,
    )
    charge_back = deed(
        "charge_back",
        Deed(
            label="Charged back",
            icon="gavel",
            permission="dispute",
            title="The customer's bank took it back",
            description="It is a claim until the dispute is decided.",
            form=forms.AmountForm,
            success="Recorded as charged back.",
        ),
        call=partial(_step, Step.DISPUTED),
    )
    win = deed(
        "win",
        Deed(
            label="Dispute won",
            icon="thumb_up",
            permission="decide",
            title="The dispute was won",
            description="The money is ours again.",
            form=forms.StepForm,
            success="Settled again.",
        ),
        call=partial(_step, Step.WON),
    )
    lose = deed(
        "lose",
        Deed(
            label="Dispute lost",
            icon="thumb_down",
            permission="decide",
            title="The dispute was lost",
            description="The money stays with the customer. This cannot be taken back.",
            form=forms.StepForm,
            success="Recorded as lost.",
        ),
        call=partial(_step, Step.LOST),
    )
    confirm_refund = deed(
        "confirm_refund",
        Deed(
            label="Confirm refund",
            icon="verified",
            permission="confirm",
            title="Confirm this refund",
            description="A colleague asked for it. Now it is booked.",
            form=forms.NothingForm,
            success="Confirmed and booked.",
            is_primary=True,
        ),
        call=_confirm,
    )
    withdraw_refund = deed(
        "withdraw_refund",
        Deed(
            label="Withdraw refund",
            icon="block",
            permission="withdraw",
            title="Withdraw this refund",
            description="Nothing is booked.",
            form=forms.NothingForm,
            success="Withdrawn.",
        ),
        call=_withdraw,
    )

    def has_record_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, [Role.FINANCE])

    def has_settle_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may(request, object_id, Step.SETTLED)

    def has_fail_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may(request, object_id, Step.FAILED)

    def has_refund_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        found = find(object_id)
        is_open = found is not None and found.kept > found.contested + found.lost
        return is_open and not _waits(found) and _may(request, object_id, Step.REFUNDED)

    def has_dispute_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may(request, object_id, Step.DISPUTED)

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        found = find(object_id)
        return found is not None and found.contested > 0 and _may(request, object_id, Step.WON)

    def has_confirm_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        others = RefundRequest.objects.filter(payment=find(object_id), decision="").exclude(asked_by=request.user.pk)
        return others.exists() and roles.has_role(request.user, [Role.FINANCE])

    def has_withdraw_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _waits(find(object_id)) and roles.has_role(request.user, [Role.FINANCE])


def _waits(payment: Payment | None) -> bool:
    return RefundRequest.objects.filter(payment=payment, decision="").exists()


def _may(request: HttpRequest, object_id: str | None, step: Step) -> bool:
    """What a gateway tells is not recorded by hand; the stages ask all of it again."""
    found = find(object_id)
    is_open = found is not None and not found.gateway and lifecycle.is_allowed(found.status, step)
    return is_open and roles.has_role(request.user, [Role.FINANCE])
