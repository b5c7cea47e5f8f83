"""Addresses below `/api/v1/`."""

from django.urls import path

from invoicing.exposure.api import views

urlpatterns = [
    path("exposures", views.ExposureList.as_view()),
    path("program-costs", views.ProgramCostList.as_view()),
]
