"""What customers paid, and what became of it."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "invoicing.payments"
    label = "payments"

    def ready(self) -> None:
        from invoicing.cycle import settlement  # noqa: PLC0415  models are there only now
        from invoicing.payments import told  # noqa: PLC0415  as above

        settlement.register_reader(told.read_settlements)
