"""The launch checklist: what has to be proved before a program goes live or its prices change much."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as registry
from django.db.models.signals import post_migrate
from django.utils import timezone

from compliance.launch.rules import checklist


class LaunchConfig(AppConfig):
    name = "compliance.launch"
    label = "launch"
    verbose_name = "Launch"

    def ready(self) -> None:
        from compliance.launch import guards  # noqa: PLC0415  needs the models, which are there by now

        post_migrate.connect(make_first_checklist, sender=self)
        guards.register()


def make_first_checklist(*, using: str, apps: Any = None, **_: Any) -> None:
    """The version that comes with the product, wherever there is none; what people agreed on since stays."""
    try:
        versions = (apps or registry).get_model("launch", "ChecklistVersion").objects.using(using)
    except LookupError:  # migrated back to before there was a checklist
        return
    if not versions.exists():
        terms = checklist.write_checklist(checklist.USUAL)
        versions.create(version=1, terms=terms, reason="comes with the product", proposed_at=timezone.now())
