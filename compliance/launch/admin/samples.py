"""Sample accounts: walked by somebody, looked at and accepted by product, finance and ops."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts import roles, validators
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from accounts.roles import Role
from compliance.launch import samples
from compliance.launch.models import SampleWalk
from compliance.launch.models.samples import ROLES

ACCEPTERS = (Role.PRODUCT, Role.FINANCE, Role.OPS)


class WalkForm(BaseDialogForm):
    """Which document, and what it is to show; those that do are suggested."""

    program = forms.CharField(
        max_length=60,
        initial="standard",
        validators=[validators.CODE],
        widget=UnfoldAdminTextInputWidget(),
        help_text="For whose launch it is looked at.",
    )
    kind = forms.ChoiceField(label="Shows", choices=SampleWalk.Kind.choices, widget=UnfoldAdminSelectWidget())
    invoice = forms.CharField(max_length=60, label="Document", widget=UnfoldAdminTextInputWidget())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {kind.label: samples.suggest(kind) for kind in SampleWalk.Kind}
        said = [
            f"{label}: {', '.join(one.number or str(one.pk) for one in found) or 'no document yet'}."
            for label, found in known.items()
        ]
        self.fields["invoice"].help_text = f"Its number or id. {' '.join(said)}"


class AcceptForm(BaseDialogForm):
    """In which role, and the proof that stands on the page."""

    role = forms.ChoiceField(choices=ROLES, widget=UnfoldAdminSelectWidget())
    proof_hash = forms.CharField(
        max_length=64,
        label="SHA-256 of the proof that you looked at",
        widget=UnfoldAdminTextInputWidget(attrs={"readonly": True}),
    )
    comment = forms.CharField(max_length=2000, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = str(self.object_id)
        sample = SampleWalk.objects.filter(pk=int(text)).first() if text.isdecimal() else None
        if sample is not None:
            self.initial = {"proof_hash": sample.proof_hash}


@admin.register(SampleWalk)
class SampleWalkAdmin(BackOfficeAdmin):
    """Read only; accepted by its proof."""

    list_display = ("__str__", "program", "invoice", "made_by", "made_at", "waits_for")
    list_filter = ("program", "kind")
    list_select_related = ("invoice", "made_by")
    fields: ClassVar[list[str]] = []
    change_form_template = "launch/sample.html"
    actions_list: ClassVar[list[str]] = ["walk_another"]
    actions_detail: ClassVar[list[str]] = ["accept_it"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SampleWalk]:
        return super().get_queryset(request).prefetch_related("acceptances")

    @display(description="Waits for")
    def waits_for(self, sample: SampleWalk) -> str:
        return ", ".join(samples.missing_roles(sample)) or "nobody: accepted"

    def has_walk_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return roles.has_role(request.user, samples.WALKERS)

    def has_accept_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        sample = SampleWalk.objects.filter(pk=object_id or 0).first()
        waits = sample is not None and bool(samples.missing_roles(sample))
        return waits and roles.has_role(request.user, ACCEPTERS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What was walked, step by step, and who accepted it."""
        sample = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if sample is not None:
            accepted = sample.acceptances.select_related("person", "audit_entry")
            context = {"sample": sample, "accepted": accepted, "missing": samples.missing_roles(sample)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})

    @action(
        description="Walk a sample",
        permissions=["walk"],
        variant=ActionVariant.PRIMARY,
        icon="footprint",
        dialog={
            "title": "Walk a sample account",
            "description": "Every step of every line is done again now; product, finance and ops then look at it.",
            "form_class": WalkForm,
            "form_submit_text": "Walk it",
        },
    )
    def walk_another(self, request: HttpRequest, form: WalkForm) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("program", "kind", "invoice")}
        return answer_dialog(
            request,
            call=lambda: samples.walk_sample(**given, actor=request.user, at=timezone.now()),
            success="Every step arrives at what the books say. Product, finance and ops have to accept it.",
            back_to=reverse("admin:launch_samplewalk_changelist"),
        )

    @action(
        description="Accept",
        permissions=["accept"],
        variant=ActionVariant.PRIMARY,
        icon="signature",
        dialog={
            "title": "Accept this sample",
            "description": "You accept what this page shows. It takes three people, one each of product, finance, ops.",
            "form_class": AcceptForm,
            "form_submit_text": "Accept",
        },
    )
    def accept_it(self, request: HttpRequest, form: AcceptForm, object_id: str) -> HttpResponse:
        given = {name: form.cleaned_data[name] for name in ("role", "proof_hash", "comment")}
        return answer_dialog(
            request,
            call=lambda: samples.accept_sample(
                sample_id=int(object_id), **given, actor=request.user, at=timezone.now()
            ),
            success="Your acceptance is kept.",
            back_to=reverse("admin:launch_samplewalk_change", args=[object_id]),
        )
