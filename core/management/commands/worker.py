"""`manage.py worker`: background work, under a supervisor that replaces what dies or hangs."""

import argparse
import signal
from contextlib import suppress
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from core import heartbeats, long_work, processes, stop_sign, supervisor


class Command(BaseCommand):
    help = "Run background work until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        # How the supervisor starts its children.
        parser.add_argument("--child-of", type=int, help=argparse.SUPPRESS)
        parser.add_argument("--stop-sign", type=int, help=argparse.SUPPRESS)
        parser.add_argument("--long", metavar="KIND", help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        parent = options["child_of"]
        if parent is None:
            supervisor.supervise(name=heartbeats.own_name())
            return
        processes.die_with_parent(parent)
        processes.bind_forks()
        stop_sign.heed(options["stop_sign"])
        if options["long"] is None:
            call_command("qcluster")
        else:
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # PostgreSQL is told as well, as by Ctrl-C
            with suppress(KeyboardInterrupt):
                long_work.take_long_work(options["long"])
