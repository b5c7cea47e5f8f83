#!/usr/bin/env python
"""Command-line entry; brings the embedded PostgreSQL up first when no DATABASE_URL is set."""

import os
import sys

WITHOUT_DATABASE = {"db", "help", "check", "version", "--help", "--version"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_ops.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415  settings are named first

    if len(sys.argv) > 1 and sys.argv[1] not in WITHOUT_DATABASE and "--help" not in sys.argv:
        from core import embedded_postgres  # noqa: PLC0415  help and checks need no database

        embedded_postgres.ensure_configured()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
