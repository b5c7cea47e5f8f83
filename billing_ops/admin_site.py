"""The back office: one admin site with the project's dashboard and the pages that stand for no table."""

from django.urls import URLPattern, URLResolver, path
from unfold.sites import UnfoldAdminSite


class BackOfficeSite(UnfoldAdminSite):
    site_header = "Billing Ops"
    site_title = "Billing Ops"
    index_title = "Today"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from compliance.evidence import pages  # noqa: PLC0415  the site is made before the models are

        trace = path("evidence/trace/<int:line_id>/", self.admin_view(pages.trace_page), name="evidence_trace")
        return [trace, *super().get_urls()]
