"""What the dialogs on plans, tax rates and subscriptions ask for."""

import json
from typing import Any

from django import forms
from django.shortcuts import get_object_or_404
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import validators
from accounts.models import Customer
from core.http import parsing
from invoicing.pricing.models import (
    Charge,
    InvoiceTerm,
    KeptPrices,
    Plan,
    PlanVersion,
    PriceVersion,
    Subscription,
    TaxRate,
)
from invoicing.pricing.rules import params as price_params
from metering.models import Meter

EXAMPLES = {
    "flat": {"amount": "29.00"},
    "standard": {"unit_amount": "0.002"},
    "graduated": {
        "tiers": [
            {"up_to": "1000", "unit_amount": "0.01", "flat_amount": "0"},
            {"up_to": None, "unit_amount": "0.008", "flat_amount": "0"},
        ]
    },
    "volume": {"tiers": [{"up_to": "1000", "unit_amount": "0.01"}, {"up_to": None, "unit_amount": "0.008"}]},
    "package": {"package_amount": "5.00", "package_size": "1000", "free_units": "100"},
    "graduated_package": {
        "tiers": [
            {"up_to": "10000", "package_size": "1000", "package_amount": "5.00"},
            {"up_to": None, "package_size": "1000", "package_amount": "4.00"},
        ]
    },
    "volume_package": {"tiers": [{"up_to": None, "package_size": "1000", "package_amount": "4.00"}]},
    "percentage": {
        "rate_percent": "2.9",
        "fixed_amount_per_event": "0.30",
        "free_events": 3,
        "per_transaction_max": "12.00",
    },
    "graduated_percentage": {"tiers": [{"up_to": "1000", "rate_percent": "2"}, {"up_to": None, "rate_percent": "1.5"}]},
    "dynamic": {"price_from": "event amount", "amount_property": "price", "multiplier": "1.2"},
    "bucketed": {"inner": "standard", "unit_amount": "0.10", "bucket": "hour", "included_quantity": "5"},
    "dimensional": {
        "inner": "standard",
        "prices": [{"match": {"region": "eu"}, "params": {"unit_amount": "0.08"}}],
        "default": {"unit_amount": "0.12"},
    },
    "fee_program": {
        "program": "stripe-connect",
        "amount": "amount",
        "account": "account",
        "country": "country",
        "home_country": "US",
        "flags": [{"surcharge": "international", "property": "international", "equals": "true"}],
    },
    "commitment": {"minimum_amount": "100.00"},
    "plan_discount": {"discount_percent": "10"},
    "prepaid_credits": {"opening_balance": "50", "credit_rate": "1"},
}
WITH_MODIFIERS = {
    "unit_amount": "0.002",
    "unit_conversion": {"operation": "divide", "factor": "1000", "rounding": "ceiling"},
    "included_quantity": "100",
    "discount_percent": "10",
    "minimum_amount": "20.00",
    "maximum_amount": "500.00",
}


def instant_field(label: str, *, help_text: str = "") -> forms.DateTimeField:
    """An instant in UTC."""
    widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "1"})
    return forms.DateTimeField(label=f"{label} (UTC)", widget=widget, help_text=help_text)


def zone_field() -> forms.CharField:
    """A time zone, or none."""
    return forms.CharField(
        label="Days are counted in",
        required=False,
        max_length=60,
        validators=[validators.check_time_zone],
        help_text="A time zone such as Europe/Berlin; empty: each subscription's own.",
        widget=UnfoldAdminTextInputWidget(),
    )


def examples() -> SafeString:
    """The shape of each model's parameters, to copy from."""
    shown = {**EXAMPLES, "standard, with modifiers": WITH_MODIFIERS}
    rows = format_html_join("", "<p><b>{}</b> <code>{}</code></p>", ((k, json.dumps(v)) for k, v in shown.items()))
    return format_html('<div class="bo-mono">{}</div>', rows)


def rounding_field() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label="Rounded once is",
        choices=PlanVersion.RoundingLevel.choices,
        required=False,
        empty_value=PlanVersion.RoundingLevel.LINE,
        help_text="Together: the exact sum of what an invoice rates is rounded, and its lines add up to that.",
        widget=UnfoldAdminSelectWidget(),
    )


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes none at run time
    """A new plan with the terms of its first version."""

    interval_count = forms.IntegerField(
        label="Intervals in a billing period",
        required=False,
        min_value=1,
        max_value=366,
        help_text="Empty: one. 30 of a day each make a period of 30 days.",
        widget=UnfoldAdminTextInputWidget(),
    )

    proration_unit = forms.ChoiceField(
        label="A part of a period is charged",
        choices=PlanVersion.ProrationUnit.choices,
        widget=UnfoldAdminSelectWidget(),
    )
    proration_zone = zone_field()
    rounding_level = rounding_field()

    class Meta:
        model = Plan
        fields = ("code", "name", "description", "currency", "interval", "interval_count")

    def clean_interval_count(self) -> int:
        return self.cleaned_data.get("interval_count") or 1


class PlanVersionForm(BaseDialogForm):
    """The next terms of a plan."""

    proration_unit = forms.ChoiceField(
        label="A part of a period is charged",
        choices=PlanVersion.ProrationUnit.choices,
        widget=UnfoldAdminSelectWidget(),
    )
    proration_zone = zone_field()
    rounding_level = rounding_field()
    effective_at = instant_field(
        "In force from", help_text="Periods that are billed already keep their terms, also where this lies in the past."
    )


class ChargeForm(BaseDialogForm):
    """A charge for a meter, or a flat fee."""

    code = forms.CharField(max_length=60, validators=[validators.CODE], widget=UnfoldAdminTextInputWidget())
    name = forms.CharField(
        max_length=120, help_text="Printed on the invoice line.", widget=UnfoldAdminTextInputWidget()
    )
    meter = forms.ModelChoiceField(
        Meter.objects.all(), required=False, empty_label="None: a flat fee", widget=UnfoldAdminSelectWidget()
    )


class PriceForm(BaseDialogForm):
    """The next price of one of the plan's charges."""

    charge = forms.ModelChoiceField(Charge.objects.none(), widget=UnfoldAdminSelectWidget())
    model = forms.ChoiceField(choices=PriceVersion.ModelName.choices, widget=UnfoldAdminSelectWidget())
    params = forms.CharField(
        label="Parameters",
        max_length=200_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8, "spellcheck": "false"}),
    )
    effective_at = instant_field(
        "In force from", help_text="Periods that are billed already keep their price, also where this lies in the past."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        charges: Any = self.fields["charge"]
        self.fields["params"].help_text = examples()
        charges.queryset = Charge.objects.filter(plan=self.object_id).select_related("plan")

    def clean(self) -> dict[str, Any]:
        """Say what is wrong with the parameters where they were typed."""
        cleaned = super().clean() or {}
        if {"model", "params"} <= cleaned.keys():
            try:
                cleaned["params"] = parsing.read_strict_json(cleaned["params"].encode())
                price_params.parse_stored_params(model=cleaned["model"], params=cleaned["params"])
            except price_params.ParamsError as error:
                self.add_error("params", [f"{each.pointer}: {each.detail}" for each in error.found[:10]])
            except ValueError as error:
                self.add_error("params", f"This is not JSON: {error}.")
        return cleaned


class InvoiceTermForm(BaseDialogForm):
    """A discount, charge, rounding or payment in advance on the invoices of a plan or of one subscription."""

    plan = forms.ModelChoiceField(Plan.objects.all(), required=False, empty_label="—", widget=UnfoldAdminSelectWidget())
    subscription = forms.ModelChoiceField(
        Subscription.objects.select_related("customer"),
        required=False,
        empty_label="—",
        help_text="Supersedes the plan's term of the same code.",
        widget=UnfoldAdminSelectWidget(),
    )
    code = forms.CharField(max_length=60, validators=[validators.CODE], widget=UnfoldAdminTextInputWidget())
    kind = forms.ChoiceField(choices=InvoiceTerm.Kind.choices, widget=UnfoldAdminSelectWidget())
    reason = forms.CharField(
        max_length=120,
        help_text="Printed on the invoice, such as Partner discount.",
        widget=UnfoldAdminTextInputWidget(),
    )
    percent = forms.DecimalField(
        required=False, min_value=0, max_value=100, max_digits=7, decimal_places=4, widget=UnfoldAdminTextInputWidget()
    )
    amount = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=16,
        decimal_places=4,
        help_text="On each invoice; for a rounding the multiple to round to, such as 1 or 0.05; of a payment in advance"
        " all that this subscription has paid so far.",
        widget=UnfoldAdminTextInputWidget(),
    )
    effective_at = instant_field("In force from")

    def clean(self) -> dict[str, Any]:
        """One of plan and subscription."""
        cleaned = super().clean() or {}
        if bool(cleaned.get("plan")) == bool(cleaned.get("subscription")):
            self.add_error("plan", "Choose either a plan or a subscription.")
        return cleaned


class TaxRateForm(BaseDialogForm):
    """The next percentage of a tax."""

    code = forms.CharField(max_length=40, validators=[validators.CODE], widget=UnfoldAdminTextInputWidget())
    name = forms.CharField(max_length=80, help_text="Such as VAT.", widget=UnfoldAdminTextInputWidget())
    category = forms.ChoiceField(choices=TaxRate.Category.choices, widget=UnfoldAdminSelectWidget())
    percent = forms.DecimalField(
        min_value=0, max_value=100, max_digits=7, decimal_places=4, widget=UnfoldAdminTextInputWidget()
    )
    effective_at = instant_field("In force from")
    note = forms.CharField(
        max_length=200,
        required=False,
        help_text="Reason of an exemption or reverse charge.",
        widget=UnfoldAdminTextInputWidget(),
    )


class StartForm(BaseDialogForm):
    """Puts a customer on a plan."""

    customer = forms.ModelChoiceField(Customer.objects.all(), widget=UnfoldAdminSelectWidget())
    plan = forms.ModelChoiceField(Plan.objects.all(), widget=UnfoldAdminSelectWidget())
    starts_at = instant_field("Starts")
    anchor_date = forms.DateField(
        required=False,
        help_text="Periods count from this local day; empty: from the day it starts.",
        widget=UnfoldAdminSingleDateWidget(attrs={"type": "date"}),
    )


class ChangePlanForm(BaseDialogForm):
    """The next plan, and from when."""

    plan = forms.ModelChoiceField(Plan.objects.none(), widget=UnfoldAdminSelectWidget())
    effective_at = instant_field("From", help_text="Usage exactly on this instant is the new plan's.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans: Any = self.fields["plan"]
        subscription = get_object_or_404(Subscription, pk=self.object_id)
        last = subscription.phases.select_related("plan").latest("starts_at").plan
        plans.queryset = Plan.objects.filter(
            currency=last.currency, interval=last.interval, interval_count=last.interval_count
        ).exclude(pk=last.pk)


class QuantityForm(BaseDialogForm):
    """How many of a charge without a meter."""

    charge_code = forms.ChoiceField(label="Charge", widget=UnfoldAdminSelectWidget())
    quantity = forms.DecimalField(
        min_value=0, max_digits=33, decimal_places=18, help_text="Such as seats.", widget=UnfoldAdminTextInputWidget()
    )
    effective_at = instant_field("From", help_text="The fee is split and prorated at this instant.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        charge_code: Any = self.fields["charge_code"]
        plans = get_object_or_404(Subscription, pk=self.object_id).phases.values("plan")
        counted = Charge.objects.filter(plan__in=plans, meter=None).order_by("code")
        charge_code.choices = list(dict(counted.values_list("code", "name")).items())


class KeepPricesForm(BaseDialogForm):
    """Which prices stay, and for how long."""

    since = instant_field("Prices of", help_text="The terms and prices in force at this instant stay.")
    until = instant_field("Until", help_text="From this instant on the prices then in force count.")


class ReleasePricesForm(BaseDialogForm):
    """Which kept prices end, from when on, and why."""

    kept = forms.ModelChoiceField(KeptPrices.objects.none(), label="Kept prices", widget=UnfoldAdminSelectWidget())
    ends_at = instant_field("Until", help_text="From this instant on the prices then in force count.")
    reason = forms.CharField(
        min_length=5,
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Such as what was agreed with the customer, and when.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept: Any = self.fields["kept"]
        kept.queryset = KeptPrices.objects.filter(subscription=self.object_id).select_related("plan")


class EndForm(BaseDialogForm):
    """When the subscription ends."""

    ends_at = instant_field("Ends", help_text="Usage exactly on this instant is not billed any more.")
