"""What customers contest, and what came of it."""

from django.apps import AppConfig


class DisputesConfig(AppConfig):
    name = "compliance.disputes"
    label = "disputes"

    def ready(self) -> None:
        from compliance.disputes import in_packs  # noqa: PLC0415  needs the models, which are there by now

        in_packs.register()
