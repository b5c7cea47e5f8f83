"""Every address of metering below `api/v1/`."""

from django.urls import URLPattern, path

from metering.api import contracts, events, health, lago, meter_versions, meters, quarantine, usage, webhooks

urlpatterns: list[URLPattern] = [
    path("events", events.EventsView.as_view()),
    path("events/batch", lago.LagoBatchView.as_view()),
    path("events/<path:identity>", events.EventView.as_view()),
    path("quarantine", quarantine.QuarantineListView.as_view()),
    path("quarantine/<int:quarantine_id>", quarantine.QuarantinedEventView.as_view()),
    path("quarantine/<int:quarantine_id>/release", quarantine.ReleaseView.as_view()),
    path("quarantine/<int:quarantine_id>/discard", quarantine.DiscardView.as_view()),
    path("contracts", contracts.ContractListView.as_view()),
    path("contracts/<str:event_type>", contracts.ContractView.as_view()),
    path("contracts/<str:event_type>/try", contracts.TryView.as_view()),
    path("contracts/<str:event_type>/versions", contracts.VersionListView.as_view()),
    path("contracts/<str:event_type>/versions/<int:version>", contracts.VersionView.as_view()),
    path("contracts/<str:event_type>/versions/<int:version>/activate", contracts.ActivateView.as_view()),
    path("meters", meters.MeterListView.as_view()),
    path("meters/<str:code>", meters.MeterView.as_view()),
    path("meters/<str:code>/owner", meter_versions.MeterOwnerView.as_view()),
    path("meters/<str:code>/versions", meter_versions.MeterVersionListView.as_view()),
    path("meters/<str:code>/versions/<int:version>", meter_versions.MeterVersionView.as_view()),
    path("meters/<str:code>/versions/<int:version>/approve", meter_versions.MeterVersionApprovalView.as_view()),
    path("meters/<str:code>/versions/<int:version>/reject", meter_versions.MeterVersionRejectionView.as_view()),
    path("meters/<str:code>/versions/<int:version>/comparison", meter_versions.MeterVersionComparisonView.as_view()),
    path("usage", usage.UsageView.as_view()),
    path("metering/health", health.HealthView.as_view()),
    path("webhook-sources", webhooks.WebhookSourceListView.as_view()),
    path("webhook-sources/<str:code>", webhooks.WebhookSourceView.as_view()),
    path("webhook-sources/<str:code>/rotate", webhooks.RotateView.as_view()),
    path("webhook-sources/<str:code>/close", webhooks.CloseSourceView.as_view()),
    path("capture/webhooks/<str:code>", webhooks.CaptureWebhookView.as_view(), name="capture-webhook"),
]
