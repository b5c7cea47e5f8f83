"""Addresses of other systems' clients, where these expect them; their base address is changed, nothing else."""

from django.urls import URLPattern, path

from metering.api import openmeter, stripe

urlpatterns: list[URLPattern] = [
    path("v1/billing/meter_events", stripe.MeterEventsView.as_view()),
    path("v1/billing/meter_event_adjustments", stripe.MeterEventAdjustmentsView.as_view()),
    path("v2/billing/meter_events", stripe.MeterEventsV2View.as_view()),
    path("v2/billing/meter_event_session", stripe.MeterEventSessionView.as_view()),
    path("v2/billing/meter_event_stream", stripe.MeterEventStreamView.as_view()),
    path("openmeter/api/v1/events", openmeter.OpenMeterEventsView.as_view()),
]
