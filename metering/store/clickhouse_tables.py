"""The tables of the ClickHouse store, for one server and for a cluster sharded by customer."""

from metering.store.protocol import COLUMNS

Settings = dict[str, str | int]
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
# A block may touch as many months as it likes: an import of old usage touches many.
_ANY_MONTHS: Settings = {"max_partitions_per_insert_block": 0}
# An insert is answered only when its rows lie on most replicas of a shard, for what was counted there leaves
# PostgreSQL; and a replica that lacks such rows answers with an error, never with fewer rows. Both ask the same replica
# first.
_ON_CLUSTER: Settings = {"insert_quorum": "auto", "insert_quorum_parallel": 0, "load_balancing": "in_order"}
_FROM_CLUSTER: Settings = {
    "select_sequential_consistency": 1,
    "skip_unavailable_shards": 0,
    "load_balancing": "in_order",
}
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


def clearing(*, cluster: str = "") -> str:
    """Forget every row, on each server that holds some."""
    if not cluster:
        return f"TRUNCATE TABLE IF EXISTS {TABLE}"
    return f"TRUNCATE TABLE IF EXISTS {LOCAL} ON CLUSTER {_quoted(cluster)} SYNC"


def local_table(*, cluster: str) -> str:
    """Each server's share, replicated within its shard; two installations on one cluster are two databases."""
    path = f"/clickhouse/tables/{{shard}}/{{database}}/{LOCAL}"
    return (
        f"CREATE TABLE IF NOT EXISTS {LOCAL} ON CLUSTER {_quoted(cluster)} (\n    {_COLUMNS}\n)\n"
        f"ENGINE = ReplicatedReplacingMergeTree('{path}', '{{replica}}')\n{_ORDER}\n"
        f"SETTINGS replicated_deduplication_window = {_WINDOW}"
    )


def distributed_table(*, cluster: str, everywhere: bool) -> str:
    """The name that we use: it sends each customer's events to one shard, and asks all of them."""
    where = f" ON CLUSTER {_quoted(cluster)}" if everywhere else ""
    return (
        f"CREATE TABLE IF NOT EXISTS {TABLE}{where} (\n    {_COLUMNS}\n)\n"
        f"ENGINE = Distributed({_quoted(cluster)}, currentDatabase(), {LOCAL}, cityHash64(customer_id))"
    )


def insert_settings(*, cluster: str = "") -> Settings:
    """Give what an insert needs so that its rows are there, and safe, when it is answered."""
    rows_are_there: Settings = {"async_insert": 0, "distributed_foreground_insert": 1}
    return rows_are_there | _ANY_MONTHS | (_ON_CLUSTER if cluster else {})


def read_settings(*, cluster: str = "") -> Settings:
    """Give what a question needs so that no row is missing from its answer."""
    return dict(_FROM_CLUSTER) if cluster else {}


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
