"""From closed periods to final invoices."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as registry
from django.db.models.signals import post_migrate

USUAL_REASONS = [
    ("hold", "usage-in-question", "Usage to be checked with the customer"),
    ("hold", "price-in-question", "Price or contract to be checked"),
    ("hold", "usage-expected", "Usage is still expected"),
    ("hold", "details-in-question", "Address, tax or purchase order to be checked"),
    ("hold", "credit-in-question", "A credit is being agreed"),
    ("release", "checked-with-customer", "Checked with the customer"),
    ("release", "price-confirmed", "Prices confirmed against the contract"),
    ("release", "usage-complete", "Usage is complete"),
    ("release", "details-confirmed", "Details confirmed"),
    ("release", "held-by-mistake", "Held by mistake"),
]


class CycleConfig(AppConfig):
    name = "invoicing.cycle"
    label = "cycle"
    verbose_name = "Invoicing"

    def ready(self) -> None:
        post_migrate.connect(make_usual_reasons, sender=self)


def make_usual_reasons(*, using: str, apps: Any = None, **_: Any) -> None:
    """A list to begin with, wherever there is none; what finance made of it since is left as it is.

    A flush, as after each test with commits, sends no `apps` along: then it is the models of now.
    """
    try:
        reasons = (apps or registry).get_model("cycle", "HoldReason").objects.using(using)
    except LookupError:  # migrated back to before there was a list
        return
    if not reasons.exists():
        reasons.bulk_create(reasons.model(use=use, code=code, label=label) for use, code, label in USUAL_REASONS)
