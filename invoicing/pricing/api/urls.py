"""Paths under /api/v1/."""

from django.urls import path

from invoicing.pricing.api import fee_programs, invoice_terms, plans, prices, subscriptions

urlpatterns = [
    path("plans", plans.PlanListView.as_view()),
    path("plans/<str:code>", plans.PlanView.as_view()),
    path("plans/<str:code>/charges", plans.ChargeListView.as_view()),
    path("plans/<str:code>/versions", plans.PlanVersionListView.as_view()),
    path("plans/<str:code>/versions/<int:version>/approve", plans.ApprovePlanVersionView.as_view()),
    path("plans/<str:code>/versions/<int:version>/withdraw", plans.WithdrawPlanVersionView.as_view()),
    path("price-versions", prices.PriceVersionListView.as_view()),
    path("price-versions/<int:price_id>", prices.PriceVersionView.as_view()),
    path("price-versions/<int:price_id>/approve", prices.ApprovePriceView.as_view()),
    path("price-versions/<int:price_id>/withdraw", prices.WithdrawPriceView.as_view()),
    path("fee-programs", fee_programs.ProgramListView.as_view()),
    path("fee-programs/<str:code>/versions", fee_programs.ProgramVersionListView.as_view()),
    path("fee-programs/<str:code>/versions/<int:version>/approve", fee_programs.ApproveProgramVersionView.as_view()),
    path("fee-programs/<str:code>/versions/<int:version>/withdraw", fee_programs.WithdrawProgramVersionView.as_view()),
    path("invoice-terms", invoice_terms.TermListView.as_view()),
    path("invoice-terms/<int:term_id>/approve", invoice_terms.ApproveTermView.as_view()),
    path("invoice-terms/<int:term_id>/withdraw", invoice_terms.WithdrawTermView.as_view()),
    path("tax-rates", prices.TaxRateListView.as_view()),
    path("tax-rates/<int:rate_id>", prices.TaxRateView.as_view()),
    path("subscriptions", subscriptions.SubscriptionListView.as_view()),
    path("subscriptions/<int:subscription_id>", subscriptions.SubscriptionView.as_view()),
    path("subscriptions/<int:subscription_id>/change-plan", subscriptions.ChangePlanView.as_view()),
    path("subscriptions/<int:subscription_id>/quantities", subscriptions.QuantityView.as_view()),
    path("subscriptions/<int:subscription_id>/kept-prices", subscriptions.KeptPricesView.as_view()),
    path(
        "subscriptions/<int:subscription_id>/kept-prices/<int:kept_id>/release",
        subscriptions.ReleasePricesView.as_view(),
    ),
    path("subscriptions/<int:subscription_id>/end", subscriptions.EndView.as_view()),
]
