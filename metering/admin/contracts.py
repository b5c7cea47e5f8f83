"""Event contracts and their versions: drafted in a dialog, put in force only when their examples prove them."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import backoffice, roles
from accounts.backoffice import BackOfficeAdmin, HistoryAdmin, answer_dialog
from accounts.roles import Role
from core.errors import DomainError
from metering import contracts
from metering.admin import contract_page
from metering.admin.forms import ConfirmForm, NewVersionForm
from metering.contracts import NotProvedError
from metering.models import EventContract, EventContractVersion
from metering.rules import exact_json

FLAWS_SHOWN = 10
KEEPERS = frozenset({Role.ENGINEERING})
SHOWN = ("for_engineers", "all_versions")
STATUS_TONES = {"draft": "info", "active": "success", "retired": ""}


@admin.register(EventContract)
class EventContractAdmin(HistoryAdmin):
    """The description may be edited; what events look like changes by versions."""

    change_roles = KEEPERS
    list_display = ("event_type", "description", "in_force", "owner", "for_engineers")
    search_fields = ("event_type", "description")
    list_select_related = ("owner",)
    actions_detail: ClassVar[list[str]] = ["new_version"]

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(contract_page.show_page)
        return [path("<int:object_id>/page/", page, name="metering_eventcontract_page"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventContract]:
        return super().get_queryset(request).prefetch_related("versions")

    def get_fields(self, request: HttpRequest, obj: EventContract | None = None) -> list[Any]:
        return ["event_type", "description"] if obj is None else ["event_type", "description", "owner", *SHOWN]

    def get_readonly_fields(self, request: HttpRequest, obj: EventContract | None = None) -> list[Any]:
        return [] if obj is None else ["event_type", "owner", *SHOWN]

    def save_model(self, request: HttpRequest, obj: EventContract, form: Any, change: Any) -> None:
        if change:
            contracts.describe_contract(contract=obj, description=obj.description, actor=request.user)
            return
        obj.pk = contracts.open_contract(
            event_type=obj.event_type, description=obj.description, actor=request.user, at=timezone.now()
        ).pk

    @display(description="For engineers")
    def for_engineers(self, contract: EventContract) -> SafeString:
        """Fields, examples, a command to paste, and a box to try an event."""
        url = reverse("admin:metering_eventcontract_page", args=[contract.pk])
        return format_html('<a href="{}">How to send it, and try it</a>', url)

    @display(description="In force")
    def in_force(self, contract: EventContract) -> str:
        active = [one.version for one in contract.versions.all() if one.status == EventContractVersion.Status.ACTIVE]
        return f"version {active[0]}" if active else "none: events are quarantined"

    @display(description="Versions")
    def all_versions(self, contract: EventContract) -> SafeString:
        rows = [
            (version, exact_json.write_indented(version.schema))
            for version in contract.versions.select_related("activated_by", "later_sealing")
        ]
        return render_to_string("metering/contract_versions.html", {"rows": rows})

    @action(
        description="New version",
        permissions=["change"],
        variant=ActionVariant.PRIMARY,
        icon="note_add",
        dialog={
            "title": "New version",
            "description": "It is a draft until it is put in force; until then events are held to the present one.",
            "form_class": NewVersionForm,
            "form_submit_text": "Save as draft",
        },
    )
    def new_version(self, request: HttpRequest, form: NewVersionForm, object_id: str) -> HttpResponse:
        contract = EventContract.objects.get(pk=object_id)
        return answer_dialog(
            request,
            call=lambda: contracts.draft_version(
                contract=contract, draft=form.draft(), actor=request.user, at=timezone.now()
            ),
            success="The version is drafted. Put it in force from its own page.",
            back_to=reverse("admin:metering_eventcontract_change", args=[object_id]),
        )


@admin.register(EventContractVersion)
class EventContractVersionAdmin(BackOfficeAdmin):
    """Read only, with one decision: put a draft in force."""

    list_display = ("__str__", "status_label", "created_by", "activated_at")
    list_filter: ClassVar[list[str]] = ["status", "contract"]
    list_select_related = ("contract", "created_by")
    fields = (
        "contract",
        "version",
        "status",
        "in_the_way",
        "written",
        "accepts_past_days",
        "accepts_future_seconds",
        "created_by",
        "created_at",
        "activated_by",
        "activated_at",
    )
    readonly_fields = fields
    actions_detail: ClassVar[list[str]] = ["put_in_force"]

    def has_activate_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        is_draft = EventContractVersion.objects.filter(
            pk=int(object_id or 0), status=EventContractVersion.Status.DRAFT
        ).exists()
        return is_draft and roles.has_role(request.user, KEEPERS)

    @display(description="Status", label=STATUS_TONES)
    def status_label(self, version: EventContractVersion) -> tuple[str, str]:
        return version.status, version.get_status_display()

    @display(description="What stands in the way")
    def in_the_way(self, version: EventContractVersion) -> SafeString | str:
        """What would be refused if it were put in force now, apart from its examples."""
        is_open = version.status == EventContractVersion.Status.DRAFT
        return backoffice.in_the_way(version, at=timezone.now()) if is_open else "—"

    @display(description="Content")
    def written(self, version: EventContractVersion) -> SafeString:
        parts = ("schema", "billing_fields", "context_fields", "valid_examples", "invalid_examples")
        rows = [
            (name.replace("_", " ").capitalize(), exact_json.write_indented(getattr(version, name))) for name in parts
        ]
        return render_to_string("metering/contract_content.html", {"rows": rows})

    @action(
        description="Put in force",
        permissions=["activate"],
        variant=ActionVariant.PRIMARY,
        icon="verified",
        dialog={
            "title": "Put this version in force",
            "description": "Its examples are checked now: the valid must pass, the invalid fail for their reason.",
            "form_class": ConfirmForm,
            "form_submit_text": "Put in force",
        },
    )
    def put_in_force(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        back_to = reverse("admin:metering_eventcontractversion_change", args=[object_id])
        try:
            contracts.activate_version(version_id=int(object_id), actor=request.user, at=timezone.now())
        except NotProvedError as error:
            for flaw in error.flaws[:FLAWS_SHOWN]:
                messages.error(request, f"{flaw.detail} ({flaw.pointer})")
        except DomainError as error:
            backoffice.tell_refusal(request, error)
        else:
            messages.success(request, "In force. Events are held to it from now on.")
        return HttpResponse(headers={"HX-Redirect": back_to})
