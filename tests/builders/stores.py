"""Whether the engine of the other store is here."""

import importlib.util

import pytest

HAS_CHDB = importlib.util.find_spec("chdb") is not None and importlib.util.find_spec("clickhouse_connect") is not None
needs_chdb = pytest.mark.skipif(not HAS_CHDB, reason="ClickHouse's engine is not here: ./run test-clickhouse")
