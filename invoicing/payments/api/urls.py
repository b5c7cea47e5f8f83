"""Paths under /api/v1/."""

from django.urls import path

from invoicing.payments.api import stripe, views

urlpatterns = [
    path("payments", views.PaymentListView.as_view()),
    path("payments/<int:payment_id>", views.PaymentView.as_view()),
    path("payments/<int:payment_id>/steps", views.PaymentStepView.as_view()),
    path("payments/<int:payment_id>/refund", views.RefundView.as_view()),
    path("refund-requests/<int:request_id>/confirm", views.ConfirmRefundView.as_view()),
    path("refund-requests/<int:request_id>/withdraw", views.WithdrawRefundView.as_view()),
    path("gateway-events", views.GatewayEventListView.as_view()),
    path("webhooks/stripe", stripe.StripeWebhookView.as_view(), name="stripe-webhook"),
]
