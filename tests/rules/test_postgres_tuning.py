"""The embedded database's settings follow the machine within bounds."""

import pytest

from core import postgres_tuning

GIB = 1024**3


def test_a_large_machine_gets_large_buffers_and_rare_checkpoints() -> None:
    found = postgres_tuning.tuned_settings(memory_bytes=24 * GIB, free_disk_bytes=500 * GIB)
    assert found["shared_buffers"] == "4096MB"
    assert found["work_mem"] == "64MB"
    assert found["max_wal_size"] == "16384MB"
    assert found["checkpoint_timeout"] == "15min"


def test_a_small_machine_gets_modest_shares() -> None:
    found = postgres_tuning.tuned_settings(memory_bytes=1 * GIB, free_disk_bytes=20 * GIB)
    assert found["shared_buffers"] == "170MB"
    assert found["work_mem"] == "4MB"
    assert found["max_wal_size"] == "682MB"


def test_a_nearly_full_disk_bounds_the_log() -> None:
    found = postgres_tuning.tuned_settings(memory_bytes=24 * GIB, free_disk_bytes=5 * GIB)
    assert found["max_wal_size"] == "1024MB"


@pytest.mark.parametrize("free_disk_bytes", [0, 1, GIB // 4])
def test_no_setting_falls_below_what_the_server_needs(free_disk_bytes: int) -> None:
    found = postgres_tuning.tuned_settings(memory_bytes=0, free_disk_bytes=free_disk_bytes)
    assert found["shared_buffers"] == "64MB"
    assert found["max_wal_size"] == "256MB"


def test_durability_is_not_among_what_is_tuned() -> None:
    found = postgres_tuning.tuned_settings(memory_bytes=GIB, free_disk_bytes=GIB)
    assert not {"fsync", "synchronous_commit", "full_page_writes", "wal_level"} & found.keys()
