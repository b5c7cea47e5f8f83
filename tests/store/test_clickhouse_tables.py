"""The tables of a cluster: what this engine can run of them is run, the rest is at least parsed by it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from metering.store import clickhouse, clickhouse_tables
from tests.builders.stores import needs_chdb

CLUSTER = "billing"
pytestmark = needs_chdb


@pytest.fixture
def client(server: str, settings: Any) -> Any:
    settings.CLICKHOUSE_URL = server
    return clickhouse


@pytest.mark.parametrize("statement", clickhouse_tables.statements(cluster=CLUSTER))
def test_the_statements_for_a_cluster_are_clickhouse_s_own_language(client: Any, statement: str) -> None:
    literal = statement.replace("\\", "\\\\").replace("'", "\\'")
    (formatted,) = client.ask(f"SELECT formatQuerySingleLine('{literal}')")
    assert formatted[0].startswith("CREATE TABLE IF NOT EXISTS")


def test_the_statement_that_clears_a_cluster_is_clickhouse_s_own_language(client: Any) -> None:
    (formatted,) = client.ask(f"SELECT formatQuerySingleLine('{clickhouse_tables.clearing(cluster=CLUSTER)}')")
    assert formatted[0] == "TRUNCATE TABLE IF EXISTS usage_event_local ON CLUSTER billing SYNC"


def test_an_insert_waits_for_most_replicas_and_no_replica_answers_with_fewer_rows() -> None:
    assert clickhouse_tables.insert_settings(cluster=CLUSTER) == {
        "async_insert": 0,
        "distributed_foreground_insert": 1,
        "max_partitions_per_insert_block": 0,
        "insert_quorum": "auto",
        "insert_quorum_parallel": 0,
        "load_balancing": "in_order",
    }
    assert clickhouse_tables.read_settings(cluster=CLUSTER) == {
        "select_sequential_consistency": 1,
        "skip_unavailable_shards": 0,
        "load_balancing": "in_order",
    }
    assert clickhouse_tables.read_settings() == {}


@pytest.mark.parametrize(
    "setting",
    [
        "insert_quorum",
        "insert_quorum_parallel",
        "max_partitions_per_insert_block",
        "load_balancing",
        "select_sequential_consistency",
        "skip_unavailable_shards",
        "distributed_foreground_insert",
    ],
)
def test_the_engine_knows_each_of_these_settings(client: Any, setting: str) -> None:
    assert client.ask("SELECT count() FROM system.settings WHERE name = {name:String}", name=setting) == [(1,)]


def test_each_share_is_replicated_and_each_customer_has_one_shard() -> None:
    local, distributed = clickhouse_tables.statements(cluster=CLUSTER)
    assert (
        "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/usage_event_local', '{replica}')" in local
    )
    assert "PARTITION BY toYYYYMM(occurred_at)" in local
    assert "Distributed(`billing`, currentDatabase(), usage_event_local, cityHash64(customer_id))" in distributed
    assert all("ON CLUSTER `billing`" in statement for statement in (local, distributed))


def test_the_distributed_table_is_made_over_a_cluster_of_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.xml"
    config.write_text(
        "<clickhouse><remote_servers><billing><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard>"
        "<shard><replica><host>127.0.0.2</host><port>9000</port></replica></shard></billing></remote_servers>"
        "</clickhouse>"
    )
    script = (
        "import clickhouse_connect, sys\n"
        "options = {'config-file': sys.argv[2]}\n"
        "client = clickhouse_connect.get_client(dsn='chdb://' + sys.argv[1], chdb_options=options)\n"
        "client.command(sys.argv[3])\n"
        "print(client.query('SELECT engine_full FROM system.tables WHERE name = %(n)s',"
        " parameters={'n': 'usage_event'}).result_rows[0][0])\n"
    )
    statement = clickhouse_tables.distributed_table(cluster=CLUSTER, everywhere=False)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "data"), str(config), statement],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Distributed('billing', " in done.stdout, done.stderr
