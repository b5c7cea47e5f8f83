"""The back office: one admin site with the project's dashboard."""

from unfold.sites import UnfoldAdminSite


class BackOfficeSite(UnfoldAdminSite):
    site_header = "Billing Ops"
    site_title = "Billing Ops"
    index_title = "Today"
