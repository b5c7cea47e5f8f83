"""Names the project's own admin site as the default one, and brings every app's background work to the registry."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.module_loading import autodiscover_modules


class BackOfficeAdminConfig(admin_apps.AdminConfig):
    default = False  # settings name it beside the project's own app, which shares this module
    default_site = "billing_ops.admin_site.BackOfficeSite"


class BillingOpsConfig(AppConfig):
    name = "billing_ops"

    def ready(self) -> None:
        autodiscover_modules("tasks")
