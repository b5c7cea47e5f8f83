"""Addresses of the portal."""

from django.urls import path

from invoicing.portal import views

app_name = "portal"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("login/", views.SignInView.as_view(), name="login"),
    path("logout/", views.SignOutView.as_view(), name="logout"),
    path("password/", views.password, name="password"),
    path("invoices/", views.invoices, name="invoices"),
    path("invoices/<int:invoice_id>/", views.invoice, name="invoice"),
    path("invoices/<int:invoice_id>/pdf", views.invoice_pdf, name="invoice_pdf"),
    path("invoices/<int:invoice_id>/lines.csv", views.invoice_lines, name="invoice_lines"),
]
