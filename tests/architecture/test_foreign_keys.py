"""Foreign keys point downward only, as imports do."""

from django.apps import apps

# From the roof to the ground; a room may point to itself and to any below it.
FLOORS = [
    {"billing_ops"},
    {"launch", "erasure"},
    {"disputes"},
    {"evidence"},
    {"payouts"},
    {"replay"},
    {"portal"},
    {"alerts", "charge_controls"},
    {"exposure"},
    {"payments"},
    {"cycle", "effects"},
    {"policy"},
    {"documents", "rating", "ledger", "notices"},
    {"pricing"},
    {"metering"},
    {"accounts"},
    {"core"},
    {"auth", "contenttypes", "sessions", "admin", "django_q"},
]
FLOOR = {label: number for number, labels in enumerate(FLOORS) for label in labels}


def test_no_key_points_upward() -> None:
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model
        if FLOOR[field.related_model._meta.app_label] < FLOOR[model._meta.app_label]
        or (
            FLOOR[field.related_model._meta.app_label] == FLOOR[model._meta.app_label]
            and field.related_model._meta.app_label != model._meta.app_label
            and FLOOR[model._meta.app_label] < len(FLOORS) - 1
        )
    ]
    assert upward == []


def test_every_app_has_a_floor() -> None:
    homeless = {model._meta.app_label for model in apps.get_models()} - FLOOR.keys()
    assert homeless == set()
