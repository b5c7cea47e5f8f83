"""One price version: its parameters, and what it charges for some quantities."""

import json
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from core import money
from invoicing.pricing import prices
from invoicing.pricing.backoffice import DECISION, ProposalAdmin
from invoicing.pricing.models import PriceVersion
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules import words
from invoicing.pricing.rules.params import Params
from invoicing.pricing.rules.words import TIERED
from invoicing.rating import rules
from invoicing.rating.admin import tools
from invoicing.rating.rules.usage import Usage

QUANTITIES = tuple(Decimal(text) for text in ("0", "1", "10", "100", "1000", "10000", "100000", "1000000"))
BOUNDARIES_MAX = 5


@admin.register(PriceVersion)
class PriceVersionAdmin(ProposalAdmin):
    """Read only; new versions are proposed on the page of their plan."""

    approve_version = staticmethod(prices.approve_price_version)
    withdraw_version = staticmethod(prices.withdraw_price_version)
    list_display = ("charge", "version", "status_label", "model", "effective_at", "created_by", "decided_by")
    list_filter = ("status", "model", "charge__plan")
    list_select_related = ("charge__plan", "created_by", "decided_by")
    search_fields = ("charge__code", "charge__plan__code")
    change_form_outer_after_template = "rating/price_tools.html"
    fields = ("charge", "version", "model", "effective_at", "parameters", "examples", *DECISION)
    readonly_fields = fields

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Below stand the version before it side by side, a place to try it, and the question of its effect."""
        price = self.get_object(request, object_id)
        shown = {} if price is None else tools.tools_for(price, request=request)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    @display(description="Parameters")
    def parameters(self, price: PriceVersion) -> SafeString:
        return format_html('<pre class="bo-mono">{}</pre>', json.dumps(price.params, indent=2))

    @display(description="What it charges")
    def examples(self, price: PriceVersion) -> SafeString:
        parsed = price_params.parse_stored_params(model=price.model, params=price.params)
        if price.model in price_params.PLAN_MODELS or rules.breakdown_of(model=price.model, params=parsed) is not None:
            return _in_words(price, parsed)  # its amount does not follow from a quantity alone
        currency = price.charge.plan.currency
        rows = []
        for quantity in _quantities(parsed):
            try:
                exact = rules.compute(model=price.model, params=parsed, usage=Usage(quantity)).amount_exact
                amount = money.amount_text(exact, currency=currency)
            except rules.AmountTooLargeError:
                amount = "too large to bill"
            rows.append((money.plain(quantity), amount))
        meter = price.charge.meter
        context = {"rows": rows, "unit": meter.unit if meter else "period", "currency": currency}
        return render_to_string("rating/price_examples.html", context)


def _in_words(price: PriceVersion, parsed: Params) -> SafeString:
    charge = price.charge
    lines = words.price_in_words(parsed, currency=charge.plan.currency, unit=charge.meter.unit if charge.meter else "")
    return format_html_join("", "<p>{}</p>", ((line,) for line in lines))


def _quantities(parsed: Params) -> list[Decimal]:
    """Powers of ten, and both sides of the first tier boundaries."""
    if isinstance(parsed, price_params.FlatParams):
        return [Decimal(1)]
    bounds = [tier.up_to for tier in parsed.tiers if tier.up_to] if isinstance(parsed, TIERED) else []
    around = [value for bound in bounds[:BOUNDARIES_MAX] for value in (bound, bound + 1)]
    return sorted({*QUANTITIES, *around})
