"""Names the project's own admin site as the default one."""

from django.contrib.admin.apps import AdminConfig


class BackOfficeAdminConfig(AdminConfig):
    default_site = "billing_ops.admin_site.BackOfficeSite"
