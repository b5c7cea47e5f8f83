"""`manage.py serve`: the web server and the worker together, until Ctrl-C."""

import os
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from billing_ops import processes

PORT_MAX = 65_535


class Command(BaseCommand):
    help = "Bring the database's tables up to date, then run the web server and the worker until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        port = chosen_port()
        call_command("migrate", verbosity=0)
        try:
            children = [processes.start_web(port=port), processes.start_worker()]
            self.stdout.write(f"http://localhost:{port}/  (Ctrl-C stops)")
            self.stdout.flush()  # a log file or a pipe would keep the line to itself
            processes.wait_for_end(children)
        except processes.ProcessError as error:
            raise CommandError(error.message) from error


def chosen_port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= PORT_MAX:
        raise CommandError(f"PORT is {text!r}; set it to a number from 1 to {PORT_MAX}")
    return int(text)
