"""What other rooms show of notices."""

from django.db.models import QuerySet

from invoicing.notices.models import Delivery


def deliveries_of(key: str) -> QuerySet[Delivery]:
    """How the notice with this key was told."""
    return Delivery.objects.filter(notice__key=key).select_related("endpoint").order_by("pk")
