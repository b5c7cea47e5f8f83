"""What the back office looks like: title, colours, side menu and the dashboard behind it."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

OWN_PAGES = ("queue/", "month/", "desk/", "board/")  # entries that lead to something else than the list of their model


def _visible(model: str) -> Callable[[HttpRequest], bool]:
    """A menu entry shows where the page behind it may be seen."""

    def may_view(request: HttpRequest) -> bool:
        from django.contrib import admin  # noqa: PLC0415  settings import this module before there are models

        model_admin = admin.site._registry.get(apps.get_model(model))  # noqa: SLF001  the registry has no public reader
        return model_admin is not None and model_admin.has_view_permission(request)

    return may_view


def _stands_on(link: Any, page: str) -> Callable[[HttpRequest], bool]:
    """Whether the reader is on the page of an entry; the list of a model is not where a page of its own is."""

    def is_there(request: HttpRequest) -> bool:
        others = [own for own in OWN_PAGES if own != page]
        elsewhere = any(request.path.startswith(f"{link}{own}") for own in others)
        return request.path.startswith(f"{link}{page}") and not elsewhere

    return is_there


def _entry(title: str, icon: str, model: str, query: str = "") -> dict[str, Any]:
    app_label, name = model.split(".")
    link: Any = reverse_lazy(f"admin:{app_label}_{name.lower()}_changelist")
    return {
        "title": title,
        "icon": icon,
        "link": (lambda _request: f"{link}{query}") if query else link,
        "active": _stands_on(link, query.partition("?")[0]),
        "permission": _visible(model),
    }


def _group(title: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "collapsible": False, "items": list(entries)}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Billing Ops",
    "SITE_HEADER": "Billing Ops",
    "SITE_SUBHEADER": "Usage in, invoice out",
    "SITE_SYMBOL": "receipt_long",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "STYLES": [lambda _request: static("billing_ops/backoffice.css")],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("billing_ops/favicon.svg")}
    ],
    "LOGIN": {"form": "accounts.forms.BackOfficeSignInForm"},
    "DASHBOARD_CALLBACK": "billing_ops.dashboard.add_to_context",
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .013 236)",
            "100": "oklch(94.5% .028 235)",
            "200": "oklch(89.5% .055 233)",
            "300": "oklch(82% .1 231)",
            "400": "oklch(73% .13 236)",
            "500": "oklch(63% .14 240)",
            "600": "oklch(54% .13 243)",
            "700": "oklch(47% .115 245)",
            "800": "oklch(41% .095 246)",
            "900": "oklch(36% .08 248)",
            "950": "oklch(28% .06 250)",
        }
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {"items": [{"title": "Today", "icon": "today", "link": reverse_lazy("admin:index")}]},
            _group(
                "Invoicing",
                _entry("Review queue", "checklist", "cycle.Invoice", "queue/"),
                _entry("Decisions over many", "done_all", "cycle.BulkReview"),
                _entry("Month-end", "event_available", "cycle.BillingCycle", "month/"),
                _entry("Invoices", "receipt_long", "cycle.Invoice"),
                _entry("Changes to what was billed", "compare_arrows", "cycle.DeltaReport", "?status__exact=proposed"),
                _entry("Billing cycles", "event_repeat", "cycle.BillingCycle"),
                _entry("Breaks", "difference", "cycle.Break", "?closed_at__isempty=1"),
                _entry("Closes", "event_available", "cycle.CloseRun"),
                _entry("Parked customers", "local_parking", "cycle.ParkedCustomer", "?left_at__isempty=1"),
                _entry(
                    "Interim drafts that failed", "running_with_errors", "cycle.StoppedInterim", "?left_at__isempty=1"
                ),
                _entry("Offences", "gavel", "cycle.Offence", "?cleared_at__isempty=1"),
                _entry("Hold reasons", "pause_circle", "cycle.HoldReason"),
                _entry("Subscriptions", "autorenew", "pricing.Subscription"),
                _entry("Plans and prices", "sell", "pricing.Plan"),
                _entry("Fee programs", "account_balance", "pricing.FeeProgram"),
                _entry("Moves of subscriptions", "move_group", "effects.PlanMove"),
                _entry("Effects of changes", "query_stats", "effects.EffectRun"),
                _entry("Invoice terms", "percent_discount", "pricing.InvoiceTerm"),
                _entry("Tax rates", "percent", "pricing.TaxRate"),
                _entry("Trigger policies", "policy", "policy.TriggerPolicy"),
                _entry("Replay sets", "replay", "replay.ReplaySet"),
                _entry("Replay runs", "slow_motion_video", "replay.ReplayRun"),
            ),
            _group(
                "Triggers",
                _entry("Exposures", "account_balance_wallet", "exposure.Exposure"),
                _entry("Alerts", "notifications_active", "alerts.AlertFiring"),
                _entry("Access", "lock", "charge_controls.AccessState", "?status__exact=held"),
                _entry("Charge controls", "front_hand", "charge_controls.ControlFiring"),
                _entry("Credit reviews", "plagiarism", "charge_controls.CreditReview", "?status__exact=open"),
                _entry("Credit limits", "credit_score", "charge_controls.CreditLimit"),
                _entry("Cost of fee programs", "trending_up", "exposure.ProgramCost"),
                _entry("Notices", "send", "notices.Delivery"),
                _entry("Endpoints", "webhook", "notices.Endpoint"),
                _entry("Addresses", "alternate_email", "notices.Address"),
            ),
            _group(
                "Books",
                _entry("Payments", "payments", "payments.Payment"),
                _entry("What gateways told", "sync_alt", "payments.GatewayEvent"),
                _entry("Journal", "menu_book", "ledger.JournalEntry"),
                _entry("General ledger numbers", "tag", "ledger.GeneralLedgerNumber"),
            ),
            _group(
                "Metering",
                _entry("Quarantine", "gpp_maybe", "metering.QuarantinedEvent", "desk/"),
                _entry("Health", "monitor_heart", "metering.ArrivalMinute"),
                _entry("Review items", "flag", "metering.ReviewItem", "?status__exact=open"),
                _entry("Backfills", "history", "metering.Backfill"),
                _entry("Health policy", "tune", "metering.HealthPolicy"),
                _entry("Meters", "speed", "metering.Meter"),
                _entry("Versions of meters", "difference", "metering.MeterVersion", "?status__exact=proposed"),
                _entry("Event contracts", "fact_check", "metering.EventContract"),
                _entry("Webhook sources", "webhook", "metering.WebhookSource"),
                _entry("Events", "database", "metering.UsageEvent"),
                _entry("Snapshots", "photo_camera", "metering.AggregationSnapshot"),
            ),
            _group(
                "Disputes",
                _entry("Disputes", "balance", "disputes.Dispute"),
                _entry("Dispute policy", "tune", "disputes.DisputePolicy"),
                _entry("Drills", "fitness_center", "disputes.DisputeDrill"),
            ),
            _group(
                "Payouts",
                _entry("Gate checks", "how_to_reg", "payouts.GateCheck"),
                _entry("Payout batches", "outbox", "payouts.PayoutBatch"),
                _entry("Payables", "request_quote", "payouts.Payable"),
                _entry("Payees", "group", "payouts.Payee"),
                _entry("Gate requirements", "rule", "payouts.GateRequirement"),
            ),
            _group(
                "Launch",
                _entry("Launch checklist", "rocket_launch", "launch.LaunchCheck", "board/"),
                _entry("Launch checks", "checklist_rtl", "launch.LaunchCheck"),
                _entry("Go-live decisions", "flag_circle", "launch.GoLiveDecision"),
                _entry("Exceptions", "gavel", "launch.LaunchException"),
                _entry("Sample accounts", "footprint", "launch.SampleWalk"),
                _entry("Restore drills", "settings_backup_restore", "launch.RestoreDrill"),
                _entry("Rules of the checklist", "rule_settings", "launch.ChecklistVersion"),
            ),
            _group(
                "Accounts",
                _entry("Customers", "business", "accounts.Customer"),
                _entry("Ids in other systems", "link", "accounts.ExternalId"),
                _entry("Seller", "storefront", "accounts.Seller"),
                _entry("API keys", "key", "accounts.ApiKey"),
                _entry("Portal users", "badge", "accounts.PortalUser"),
                _entry("People", "manage_accounts", "auth.User"),
                _entry("Erasures", "person_remove", "erasure.ErasureRequest"),
                _entry("Retention", "history_toggle_off", "erasure.RetentionRule"),
            ),
            _group(
                "Record",
                _entry("Audit chain", "link", "core.AuditEntry"),
                _entry("Anchors of the chain", "anchor", "core.AuditAnchor"),
                _entry("Background work", "pending_actions", "core.Job"),
            ),
        ],
    },
}
