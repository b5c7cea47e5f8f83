"""Customers and the issuing company."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action

from accounts import external_ids, roles
from accounts.admin.forms import MoveExternalIdForm
from accounts.backoffice import HistoryAdmin, answer_dialog
from accounts.models import Customer, ExternalId, Seller
from accounts.roles import Role
from core.errors import NotFoundError


@admin.register(Customer)
class CustomerAdmin(HistoryAdmin):
    """Plans keep their currency and subscriptions their zone: a change here counts for new agreements only."""

    change_roles: ClassVar[frozenset[Role]] = frozenset({Role.FINANCE, Role.OPS})
    list_display = ("code", "legal_name", "country", "currency", "time_zone", "payment_terms_days", "email")
    search_fields = ("code", "legal_name", "tax_id", "email")
    search_help_text = "A part of the code, or words of name, tax id or e-mail, three letters or more of each."
    sortable_by = ("code", "country", "currency", "time_zone", "payment_terms_days")
    list_filter = ("program", "currency", "country")
    change_form_before_template = "accounts/customer_policy.html"
    fieldsets = (
        ("Who", {"fields": ("code", "legal_name", "address", "country", "tax_id", "email")}),
        ("Billing", {"fields": ("program", "currency", "time_zone", "payment_terms_days", "tax_rate_code")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """Whoever was erased is only read."""
        is_erased = obj is not None and obj.personal_key is not None and obj.personal_key.destroyed_at is not None
        return not is_erased and super().has_change_permission(request, obj)


@admin.register(ExternalId)
class ExternalIdAdmin(HistoryAdmin):
    """What other systems call customers: events in their forms name them so. Moved here, taken back by the API."""

    add_roles: ClassVar[frozenset[Role] | None] = frozenset({Role.FINANCE, Role.OPS, Role.ENGINEERING})
    list_display = ("external_id", "system", "customer", "created_at")
    list_filter = ("system",)
    list_select_related = ("customer",)
    search_fields = ("external_id", "customer__code", "customer__legal_name")
    fields = ("customer", "system", "external_id")
    actions_detail: ClassVar[list[str]] = ["move"]

    def save_model(self, request: HttpRequest, obj: ExternalId, form: Any, change: bool) -> None:  # noqa: FBT001  as in Django
        made = external_ids.add_external_id(
            customer_code=obj.customer.code,
            system=obj.system,
            external_id=obj.external_id,
            actor=request.user,
            at=timezone.now(),
        )
        obj.pk = made.pk

    def has_move_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return roles.has_role(request.user, self.add_roles or ()) and bool(object_id)

    @action(
        description="Move to another customer",
        permissions=["move"],
        icon="move_item",
        dialog={
            "title": "Move this id to another customer",
            "description": "From now on events that name it are theirs. What was captured before stays where it is.",
            "form_class": MoveExternalIdForm,
            "form_submit_text": "Move",
        },
    )
    def move(self, request: HttpRequest, form: MoveExternalIdForm, object_id: str) -> HttpResponse:
        named = ExternalId.objects.select_related("customer").filter(pk=object_id).first()
        target = form.cleaned_data["customer"]

        def call() -> None:
            if named is None:
                raise NotFoundError("Somebody moved this id, or took it back, just now.")
            external_ids.move_external_id(
                customer_code=named.customer.code,
                system=named.system,
                external_id=named.external_id,
                to_customer=target.code,
                actor=request.user,
                at=timezone.now(),
            )

        back_to = reverse("admin:accounts_externalid_changelist")
        return answer_dialog(request, call=call, success=f"It names {target} from now on.", back_to=back_to)


@admin.register(Seller)
class SellerAdmin(HistoryAdmin):
    """The company in whose name invoices are issued."""

    change_roles: ClassVar[frozenset[Role]] = frozenset({Role.FINANCE})
    list_display = ("legal_name", "code", "country", "tax_id", "invoice_prefix")
    fieldsets = (
        ("Who", {"fields": ("code", "legal_name", "address", "country", "time_zone", "tax_id", "email")}),
        ("On the invoice", {"fields": ("invoice_prefix", "credit_note_prefix", "bank_details", "logo_svg")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()
