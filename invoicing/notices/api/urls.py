"""Addresses below `/api/v1/`."""

from django.urls import path

from invoicing.notices.api import views

urlpatterns = [
    path("notice-endpoints", views.EndpointList.as_view()),
    path("notice-deliveries", views.DeliveryList.as_view()),
    path("notice-deliveries/<int:delivery_id>/send-again", views.SendAgainView.as_view()),
]
