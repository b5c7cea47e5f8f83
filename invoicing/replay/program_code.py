"""Which program runs: the sources of the pipeline and the migrations of its database, each as one hash."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder

PIPELINE = ("core", "accounts", "metering", "invoicing")


@dataclass(frozen=True, slots=True)
class ProgramState:
    """A run with another one says nothing about this one."""

    code_version: str
    migration_state: str


def read_state() -> ProgramState:
    return ProgramState(code_version=hash_sources(), migration_state=hash_migrations())


@lru_cache(maxsize=1)
def hash_sources() -> str:
    """SHA-256 over the names and texts of all Python files of the pipeline, as they were when this process asked first.

    A process that was started before a file changed runs the older text, so it is read once.
    """
    digest = hashlib.sha256()
    for file in sorted(file for room in PIPELINE for file in (Path(settings.BASE_DIR) / room).rglob("*.py")):
        digest.update(f"{file.relative_to(settings.BASE_DIR)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def hash_migrations() -> str:
    """SHA-256 over the names of the applied migrations."""
    applied = MigrationRecorder.Migration.objects.order_by("app", "name").values_list("app", "name")
    text = "\n".join(f"{app}.{name}" for app, name in applied)
    return hashlib.sha256(text.encode()).hexdigest()
