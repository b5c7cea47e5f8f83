"""Which store holds the raw events of this installation: a fact in the database, not a setting of one process."""

from metering.models import Shipment, Store, StoreSwitch
from metering.store.clickhouse import ClickHouseStore
from metering.store.postgres_rows import PostgresStore
from metering.store.protocol import EventStore

_STORES: dict[str, EventStore] = {Store.POSTGRES: PostgresStore(), Store.CLICKHOUSE: ClickHouseStore()}


def find_name() -> str:
    """Give the store that was switched to last."""
    last = StoreSwitch.objects.order_by("-pk").values_list("store", flat=True).first()
    return last or Store.POSTGRES.value


def store_of(name: str) -> EventStore:
    return _STORES[name]


def find_shipped_seq() -> int:
    """Give the number up to which every event is in the store that was switched to last."""
    switch = StoreSwitch.objects.order_by("-pk").first()
    shipped = Shipment.objects.exclude(shipped_at=None).order_by("-last_seq").first()
    return max(0 if switch is None else switch.up_to_seq, 0 if shipped is None else shipped.last_seq)
