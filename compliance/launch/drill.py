"""Restore a backup into a scratch database, look at what is there, and keep what was found."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import psycopg
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from compliance.launch.models import RestoreDrill
from core import audit, database_copies, scratch
from core.database_copies import Server
from core.models import AuditEntry

BLOCK = 1 << 20
TABLES = (
    "accounts_customer",
    "core_auditentry",
    "cycle_invoice",
    "cycle_invoiceline",
    "ledger_journalentry",
    "metering_eventkey",
    "metering_usageevent",
    "payouts_payout",
    "pricing_subscription",
)
# The anchors of the live chain may be younger than the backup; they say nothing about it.
NO_ANCHORS = {"AUDIT_ANCHOR_FILE": "", "AUDIT_ANCHOR_EMAIL": "", "AUDIT_ANCHOR_URL": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found in the restored database."""

    rows: dict[str, int]
    last_entry: tuple[int, str] | None
    invariants: list[dict[str, Any]]


def run_drill(*, file: Path | None, made_by: str, now: Callable[[], datetime]) -> RestoreDrill:
    """Take a backup, or take the given file, restore it beside the live database, and keep the outcome.

    A backup that cannot be restored raises DatabaseCopyError and is no drill. The live database is only read; the
    scratch database needs as much room again, and is dropped.
    """
    began_at, server = now(), database_copies.configured_server()
    with TemporaryDirectory() as folder:
        copy = file or Path(folder) / "backup.dump"
        if file is None:
            database_copies.backup_database(file=copy, server=server)
        seen = _restore(copy, server=server)
        return _keep(copy, seen, is_fresh=file is None, made_by=made_by, began_at=began_at, at=now())


def _restore(copy: Path, *, server: Server) -> Seen:
    with scratch.scratch_database(purpose="drill") as environment:
        name = environment["PGDATABASE"]
        beside = Server(settings={**server.settings, "NAME": name}, major=server.major)
        database_copies.restore_database(file=copy, server=beside)
        rows, last_entry = _count(name)
        return Seen(rows=rows, last_entry=last_entry, invariants=_search(environment))


def _count(name: str) -> tuple[dict[str, int], tuple[int, str] | None]:
    wanted = ("host", "port", "user", "password", "sslmode", "sslrootcert")
    parameters = {key: value for key, value in connection.get_connection_params().items() if key in wanted}
    with psycopg.connect(dbname=name, **parameters) as beside:
        rows = {table: _rows_of(beside, table) for table in TABLES}
        last = beside.execute("SELECT id, entry_hash FROM core_auditentry ORDER BY id DESC LIMIT 1").fetchone()
    return rows, last


def _rows_of(beside: psycopg.Connection[Any], table: str) -> int:
    found = beside.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return 0 if found is None else int(found[0])


def _search(environment: dict[str, str]) -> list[dict[str, Any]]:
    """`check_invariants` as a process of its own, which knows no other database."""
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "check_invariants", "--json"]
    # Events that live in ClickHouse are looked for there, and read only.
    store = {name: getattr(settings, name) for name in ("CLICKHOUSE_URL", "CLICKHOUSE_CLUSTER")}
    own = {**environment, **NO_ANCHORS, **store, "SECRET_KEY": settings.SECRET_KEY}
    result = subprocess.run(command, capture_output=True, check=False, env=own)
    try:
        found: list[dict[str, Any]] = orjson.loads(result.stdout)
    except orjson.JSONDecodeError as error:
        said = [line for line in result.stderr.decode(errors="replace").splitlines() if "Error" in line]
        why = said[-1] if said else f"check_invariants ended with {result.returncode}"
        raise database_copies.DatabaseCopyError(f"the restored database cannot be searched: {why}") from error
    return found


@transaction.atomic
def _keep(copy: Path, seen: Seen, *, is_fresh: bool, made_by: str, began_at: datetime, at: datetime) -> RestoreDrill:
    live = {table: _live_rows(table) for table in TABLES}
    figures = {table: [seen.rows[table], live[table]] for table in TABLES}
    flaws, digest = list(find_flaws(seen)), _digest(copy)
    facts = {"file": copy.name, "sha256": digest, "flaws": flaws, "made_by": made_by}
    entry = audit.append_entry(
        action="launch.restore_drill", subject=f"backup:{digest[:16]}", actor=None, facts=facts, at=at
    )
    return RestoreDrill.objects.create(
        made_by=made_by,
        began_at=began_at,
        ended_at=at,
        is_fresh=is_fresh,
        file_name=copy.name,
        size=copy.stat().st_size,
        sha256=digest,
        figures=figures,
        invariants=seen.invariants,
        flaws=flaws,
        audit_entry=entry,
    )


def find_flaws(seen: Seen) -> list[str]:
    """Why this copy could not take the place of the live database, in sentences; none where it could."""
    broken = [one["name"] for one in seen.invariants if one["count"]]
    flaws = [f"In the restored database an invariant does not hold: {name}." for name in broken]
    if seen.last_entry is None:
        return [*flaws, "The restored database has no audit chain."]
    number, entry_hash = seen.last_entry
    if not AuditEntry.objects.filter(pk=number, entry_hash=entry_hash).exists():
        flaws.append(f"Entry {number} of the restored audit chain is not that of the live one.")
    return flaws


def _live_rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)).as_string(connection.connection)
        )
        return int(cursor.fetchone()[0])


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
