"""Names the project's own admin site as the default one."""

from django.contrib.admin import apps as admin_apps


class BackOfficeAdminConfig(admin_apps.AdminConfig):
    default = False  # settings name it beside the project's own app, which shares this module
    default_site = "billing_ops.admin_site.BackOfficeSite"
