"""The tables of the ClickHouse store, for one server and for a cluster sharded by customer."""

from metering.store.protocol import COLUMNS

TABLE = "usage_event"
LOCAL = "usage_event_local"
TYPES = (
    "Int64",
    "String",
    "String",
    "DateTime64(6, 'UTC')",
    "DateTime64(6, 'UTC')",
    "String",
    "String",
    "Nullable(String)",
    "Int64",
    "Int64",
    "Int64",
    "Int64",
)
_CODECS = {"seq": "CODEC(Delta, ZSTD)", "data": "CODEC(ZSTD)", "received_at": "CODEC(Delta, ZSTD)"}
_COLUMNS = ",\n    ".join(
    f"{name} {kind} {_CODECS.get(name, '')}".rstrip() for name, kind in zip(COLUMNS, TYPES, strict=True)
)
# A month of events is one partition, as in PostgreSQL; a customer's events of a contract lie side by side.
_ORDER = "PARTITION BY toYYYYMM(occurred_at)\nORDER BY (customer_id, contract_id, occurred_at, seq)"
_WINDOW = 10_000  # how many blocks are remembered, so that one sent again adds nothing


def statements(*, cluster: str = "") -> list[str]:
    """Give the statements that make what is missing; with a cluster on each of its servers."""
    if not cluster:
        return [single_table()]
    return [local_table(cluster=cluster), distributed_table(cluster=cluster, everywhere=True)]


def single_table() -> str:
    """Everything on one server."""
    return (
        f"CREATE TABLE IF NOT EXISTS {TABLE} (\n    {_COLUMNS}\n)\nENGINE = ReplacingMergeTree\n{_ORDER}\n"
        f"SETTINGS non_replicated_deduplication_window = {_WINDOW}"
    )


def local_table(*, cluster: str) -> str:
    """Each server's share, replicated within its shard."""
    return (
        f"CREATE TABLE IF NOT EXISTS {LOCAL} ON CLUSTER {_quoted(cluster)} (\n    {_COLUMNS}\n)\n"
        f"ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{{shard}}/{LOCAL}', '{{replica}}')\n{_ORDER}\n"
        f"SETTINGS replicated_deduplication_window = {_WINDOW}"
    )


def distributed_table(*, cluster: str, everywhere: bool) -> str:
    """The name that we use: it sends each customer's events to one shard, and asks all of them."""
    where = f" ON CLUSTER {_quoted(cluster)}" if everywhere else ""
    return (
        f"CREATE TABLE IF NOT EXISTS {TABLE}{where} (\n    {_COLUMNS}\n)\n"
        f"ENGINE = Distributed({_quoted(cluster)}, currentDatabase(), {LOCAL}, cityHash64(customer_id))"
    )


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
