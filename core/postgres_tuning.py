"""The embedded PostgreSQL's settings, scaled to memory and disk; durability is never traded for speed."""

import os
from pathlib import Path

MIB = 1024 * 1024
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def tuned_settings(*, memory_bytes: int, free_disk_bytes: int) -> dict[str, str]:
    """Large buffers and rare checkpoints keep full-page images out of the WAL; small machines get modest shares."""
    memory, disk = memory_bytes // MIB, free_disk_bytes // MIB
    return {
        "shared_buffers": megabytes(memory // 6, lowest=64, highest=4096),
        "effective_cache_size": megabytes(memory // 2, lowest=256, highest=65536),
        "work_mem": megabytes(memory // 384, lowest=4, highest=64),
        "maintenance_work_mem": megabytes(memory // 24, lowest=64, highest=1024),
        "max_wal_size": megabytes(min(memory * 2 // 3, disk // 5), lowest=256, highest=16384),
        "checkpoint_timeout": "15min",
        "jit": "off",
        "random_page_cost": "1.1",
        "max_connections": "200",
    }


def megabytes(wanted: int, *, lowest: int, highest: int) -> str:
    return f"{max(lowest, min(wanted, highest))}MB"


def memory_of_machine() -> int:
    """Give the memory this process may use: the machine's, or its container's where that is less."""
    installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(installed, int(CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):  # no cgroup, or its limit is the word "max"
        return installed
