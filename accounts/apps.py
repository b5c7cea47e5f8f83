"""Who we bill, and who works here."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        post_migrate.connect(make_role_groups, sender=self)


def make_role_groups(*, using: str, **_: Any) -> None:
    """Every role is a group from the first migration on; one that an administrator deleted comes back empty."""
    from django.contrib.auth.models import Group  # noqa: PLC0415  models are not loaded when this module is

    from accounts.roles import Role  # noqa: PLC0415  as above

    known = set(Group.objects.using(using).values_list("name", flat=True))
    Group.objects.using(using).bulk_create(Group(name=role) for role in Role if role not in known)
