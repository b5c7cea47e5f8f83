"""Customers and the issuing company."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from accounts import external_ids
from accounts.backoffice import HistoryAdmin
from accounts.models import Customer, ExternalId, Seller
from accounts.roles import Role


@admin.register(Customer)
class CustomerAdmin(HistoryAdmin):
    """Plans keep their currency and subscriptions their zone: a change here counts for new agreements only."""

    change_roles: ClassVar[frozenset[Role]] = frozenset({Role.FINANCE, Role.OPS})
    list_display = ("code", "legal_name", "country", "currency", "time_zone", "payment_terms_days", "email")
    search_fields = ("code", "legal_name", "tax_id", "email")
    list_filter = ("program", "currency", "country")
    change_form_before_template = "accounts/customer_policy.html"
    fieldsets = (
        ("Who", {"fields": ("code", "legal_name", "address", "country", "tax_id", "email")}),
        ("Billing", {"fields": ("program", "currency", "time_zone", "payment_terms_days", "tax_rate_code")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()


@admin.register(ExternalId)
class ExternalIdAdmin(HistoryAdmin):
    """What other systems call customers: events in their forms name the customer so. Taken back through the API."""

    add_roles: ClassVar[frozenset[Role] | None] = frozenset({Role.FINANCE, Role.OPS, Role.ENGINEERING})
    list_display = ("external_id", "system", "customer", "created_at")
    list_filter = ("system",)
    list_select_related = ("customer",)
    search_fields = ("external_id", "customer__code", "customer__legal_name")
    fields = ("customer", "system", "external_id")

    def save_model(self, request: HttpRequest, obj: ExternalId, form: Any, change: bool) -> None:  # noqa: FBT001  as in Django
        made = external_ids.add_external_id(
            customer_code=obj.customer.code,
            system=obj.system,
            external_id=obj.external_id,
            actor=request.user,
            at=timezone.now(),
        )
        obj.pk = made.pk


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
