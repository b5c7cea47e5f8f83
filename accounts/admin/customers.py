"""Customers and the issuing company."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from accounts.backoffice import HistoryAdmin
from accounts.models import Customer, Seller
from accounts.roles import Role


@admin.register(Customer)
class CustomerAdmin(HistoryAdmin):
    """Plans keep their currency and subscriptions their zone: a change here counts for new agreements only."""

    change_roles: ClassVar[frozenset[Role]] = frozenset({Role.FINANCE, Role.OPS})
    list_display = ("code", "legal_name", "country", "currency", "time_zone", "payment_terms_days", "email")
    search_fields = ("code", "legal_name", "tax_id", "email")
    list_filter = ("currency", "country")
    fieldsets = (
        ("Who", {"fields": ("code", "legal_name", "address", "country", "tax_id", "email")}),
        ("Billing", {"fields": ("currency", "time_zone", "payment_terms_days", "tax_rate_code")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()


@admin.register(Seller)
class SellerAdmin(HistoryAdmin):
    """The company in whose name invoices are issued."""

    change_roles: ClassVar[frozenset[Role]] = frozenset({Role.FINANCE})
    list_display = ("legal_name", "code", "country", "tax_id", "invoice_prefix")
    fieldsets = (
        ("Who", {"fields": ("code", "legal_name", "address", "country", "time_zone", "tax_id", "email")}),
        ("On the invoice", {"fields": ("invoice_prefix", "bank_details", "logo_svg")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()
