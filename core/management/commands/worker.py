"""`manage.py worker`: background work, under a supervisor that replaces what dies or hangs."""

import argparse
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from core import heartbeats, processes, supervisor


class Command(BaseCommand):
    help = "Run background work until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--cluster-of", type=int, help=argparse.SUPPRESS)  # how the supervisor starts its child

    def handle(self, *args: Any, **options: Any) -> None:
        parent = options["cluster_of"]
        if parent is None:
            supervisor.supervise(name=heartbeats.own_name())
            return
        processes.die_with_parent(parent)
        processes.bind_forks()
        call_command("qcluster")
