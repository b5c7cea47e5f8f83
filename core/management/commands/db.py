"""`manage.py db`: start, stop and look at the embedded PostgreSQL; back up and restore whichever database is set."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from core import database_copies, embedded_postgres
from core.errors import DomainError


class Command(BaseCommand):
    help = "Start, stop or show the embedded PostgreSQL; back up or restore the database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("start", help="start the embedded PostgreSQL")
        verbs.add_parser("stop", help="stop the embedded PostgreSQL cleanly")
        verbs.add_parser("status", help="show whether it runs, and where; exit 1 if it does not")
        verbs.add_parser("backup", help="write a copy of the database").add_argument("file", type=Path)
        restore = verbs.add_parser("restore", help="replace the database by a copy")
        restore.add_argument("file", type=Path)
        restore.add_argument("--no-input", action="store_true", help="do not ask before replacing")

    def handle(self, *args: Any, **options: Any) -> None:
        verb = options["verb"]
        if verb in {"start", "stop", "status"} and "DATABASE_URL" in os.environ:
            raise CommandError("DATABASE_URL is set: that server is not ours to start, stop or watch")
        try:
            getattr(self, verb)(options)
        except DomainError as error:
            raise CommandError(error.message) from error

    def start(self, options: dict[str, Any]) -> None:
        embedded_postgres.ensure()
        self.status(options)

    def stop(self, options: dict[str, Any]) -> None:
        self.stdout.write("stopped" if embedded_postgres.stop() else "was not running")

    def status(self, options: dict[str, Any]) -> None:
        found = embedded_postgres.status()
        if not found.is_running:
            raise CommandError(f"not running; data in {found.data}")
        self.stdout.write(f"running, pid {found.pid}, socket {found.socket}, data {found.data}")

    def backup(self, options: dict[str, Any]) -> None:
        embedded_postgres.ensure_configured()
        size = database_copies.backup_database(file=options["file"], server=database_copies.configured_server())
        self.stdout.write(f"{options['file']}: {size:,} bytes")

    def restore(self, options: dict[str, Any]) -> None:
        name = connection.settings_dict["NAME"]
        if not options["no_input"] and input(f"Replace everything in the database {name}? Type yes: ") != "yes":
            raise CommandError("nothing was changed")
        embedded_postgres.ensure_configured()
        server = database_copies.configured_server()
        connection.close()  # it would stand in the way of its own replacement
        database_copies.restore_database(file=options["file"], server=server)
        self.stdout.write(f"{name} is now as in {options['file']}")
