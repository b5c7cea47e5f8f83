"""The back office: one admin site with the project's dashboard and the pages that stand for no table."""

from django.urls import URLPattern, URLResolver, path
from unfold.sites import UnfoldAdminSite


class BackOfficeSite(UnfoldAdminSite):
    site_header = "Billing Ops"
    site_title = "Billing Ops"
    index_title = "Today"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from compliance.evidence import document_pages, pack_pages, pages  # noqa: PLC0415  the site is made before the models are

        own = [
            ("evidence/trace/<int:line_id>/", pages.trace_page, "evidence_trace"),
            ("evidence/trace/<int:line_id>/events.<str:form>", pages.events_file, "evidence_events"),
            ("evidence/document/<int:invoice_id>/", document_pages.document_page, "evidence_document"),
            ("evidence/credit/<int:line_id>/", document_pages.credit_page, "evidence_credit"),
            ("evidence/snapshot/<int:snapshot_id>/", pages.snapshot_page, "evidence_snapshot"),
            ("evidence/event/", pages.event_page, "evidence_event"),
            ("evidence/invoice/<int:invoice_id>/", pack_pages.packs_page, "evidence_packs"),
            ("evidence/pack/<int:pack_id>/", pack_pages.pack_file, "evidence_pack_file"),
        ]
        return [*(path(route, self.admin_view(view), name=name) for route, view, name in own), *super().get_urls()]
