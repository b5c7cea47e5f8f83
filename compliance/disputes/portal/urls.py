"""Addresses below `/portal/disputes/`."""

from django.urls import path

from compliance.disputes.portal import views

app_name = "portal_disputes"
urlpatterns = [
    path("", views.disputes, name="disputes"),
    path("invoice/<int:invoice_id>/", views.open_dispute, name="open"),
    path("<int:dispute_id>/", views.dispute, name="dispute"),
    path("<int:dispute_id>/letter.pdf", views.letter_pdf, name="letter_pdf"),
    path("<int:dispute_id>/letter.txt", views.letter_text, name="letter_text"),
    path("<int:dispute_id>/evidence.zip", views.evidence, name="evidence"),
]
