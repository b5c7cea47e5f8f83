"""What a policy does about credit exposure."""

from django.apps import AppConfig


class ChargeControlsConfig(AppConfig):
    name = "invoicing.charge_controls"
    label = "charge_controls"
    verbose_name = "Charge controls"
