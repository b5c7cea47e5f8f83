"""What may be done about a dispute: each a dialog whose fields are the arguments of one stage function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.dataclasses import ActionDialog
from unfold.decorators import action
from unfold.enums import ActionVariant

from accounts.backoffice import answer_in_dialog
from compliance.disputes import decide, fixing, keeping, rebuild, talk
from compliance.disputes.admin import forms


@dataclass(frozen=True, kw_only=True)
class Button:
    """How one of them is offered; `permission` is the middle of a `has_…_permission`."""

    label: str
    icon: str
    permission: str
    is_primary: bool = False


def _deed(name: str, button: Button, *, dialog: ActionDialog, call: Callable[..., object], success: str) -> Any:
    """An action of the desk under this name, which makes one call with what the dialog was given."""

    def act(_desk: Any, request: HttpRequest, form: forms.StageForm, object_id: str) -> HttpResponse:
        return answer_in_dialog(
            request,
            form,
            dialog=dialog,
            call=lambda: call(dispute_id=int(object_id), **form.arguments(), actor=request.user, at=timezone.now()),
            success=success,
            back_to=lambda _made: reverse("admin:disputes_dispute_change", args=[object_id]),
        )

    act.__name__ = name
    return action(
        description=button.label,
        permissions=[button.permission],
        variant=ActionVariant.PRIMARY if button.is_primary else ActionVariant.DEFAULT,
        icon=button.icon,
        dialog=dialog,
    )(act)


class DisputeActions:
    """Mix in before the base."""

    uphold = _deed(
        "uphold",
        Button(label="Uphold", icon="thumb_up", permission="uphold", is_primary=True),
        dialog={
            "title": "Uphold: the customer is right",
            "description": (
                "A letter is written, for download with the pack. The correction follows by the usual paths: at the "
                "source event, or by a credit note with its delta report. Link it here."
            ),
            "form_class": forms.AnswerForm,
            "form_submit_text": "Uphold",
        },
        call=decide.uphold,
        success="Upheld. Link what corrects it.",
    )
    reject = _deed(
        "reject",
        Button(label="Reject", icon="gavel", permission="reject"),
        dialog={
            "title": "Reject: the bill stands",
            "description": "A letter is written, for download with the pack. This closes the dispute.",
            "form_class": forms.AnswerForm,
            "form_submit_text": "Reject",
        },
        call=decide.reject,
        success="Rejected. The letter is being written.",
    )
    write_update = _deed(
        "write_update",
        Button(label="Update the customer", icon="forum", permission="update"),
        dialog={
            "title": "Tell the customer how it stands",
            "description": "They see it in the portal. The next update is due from now.",
            "form_class": forms.UpdateForm,
            "form_submit_text": "Tell",
        },
        call=talk.write_update,
        success="The customer is told.",
    )
    write_remark = _deed(
        "write_remark",
        Button(label="Internal remark", icon="sticky_note_2", permission="remark"),
        dialog={
            "title": "A remark for colleagues",
            "description": "The customer never sees it.",
            "form_class": forms.RemarkForm,
            "form_submit_text": "Keep",
        },
        call=talk.write_remark,
        success="Kept.",
    )
    link_fix = _deed(
        "link_fix",
        Button(label="Link the correction", icon="link", permission="fix", is_primary=True),
        dialog={
            "title": "What corrects it?",
            "description": "Either a document or a delta report. The dispute closes once a document of it is issued.",
            "form_class": forms.FixForm,
            "form_submit_text": "Link",
        },
        call=fixing.link_fix,
        success="Linked.",
    )
    rebuild = _deed(
        "rebuild",
        Button(label="Rebuild evidence", icon="replay", permission="rebuild"),
        dialog={
            "title": "Rebuild the evidence",
            "description": "After a repair, or because of something new. The rule decides the path again.",
            "form_class": forms.WhyForm,
            "form_submit_text": "Rebuild",
        },
        call=rebuild.ask_again,
        success="The evidence is being rebuilt.",
    )
    assign = _deed(
        "assign",
        Button(label="Assign", icon="person", permission="assign"),
        dialog={
            "title": "Who has this step?",
            "description": "Somebody in the role that owns it; whoever takes it is answerable for the due time.",
            "form_class": forms.AssignForm,
            "form_submit_text": "Assign",
        },
        call=keeping.assign,
        success="Assigned.",
    )
    hold_collection = _deed(
        "hold_collection",
        Button(label="Hold collection", icon="pause_circle", permission="hold"),
        dialog={
            "title": "Do not collect this invoice for now",
            "description": (
                "What is owed stays owed, and the invoice stays what it is. The customer is told. The hold ends when "
                "the last dispute that asked for it closes, unless somebody says then why it stays."
            ),
            "form_class": forms.WhyForm,
            "form_submit_text": "Hold collection",
        },
        call=keeping.hold_collection,
        success="On hold for collection.",
    )
    lift_collection = _deed(
        "lift_collection",
        Button(label="Collect again", icon="play_circle", permission="lift"),
        dialog={
            "title": "Collect this invoice again",
            "description": "The hold ends for every dispute that asked for it. The customer is told.",
            "form_class": forms.WhyForm,
            "form_submit_text": "Collect again",
        },
        call=keeping.lift_collection,
        success="Collected as usual.",
    )
    withdraw = _deed(
        "withdraw",
        Button(label="Withdraw", icon="undo", permission="withdraw"),
        dialog={
            "title": "The customer takes it back",
            "description": "This closes the dispute without a letter.",
            "form_class": forms.WithdrawForm,
            "form_submit_text": "Withdraw",
        },
        call=decide.withdraw,
        success="Withdrawn.",
    )
