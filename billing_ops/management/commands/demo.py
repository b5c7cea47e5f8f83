"""The sample company from usage to invoice and payout, then its pages until Ctrl-C."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone
from rich.console import Console

from billing_ops import processes
from billing_ops.demo import company, report, story


class Command(BaseCommand):
    help = "Run the sample company; a second run goes on from where it stands and doubles nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="stop after the job")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(width=None if sys.stdout.isatty() else 150)
        port = int(os.environ.get("PORT", "8000"))
        address = f"http://127.0.0.1:{port}"
        call_command("migrate", verbosity=0)
        children = [processes.start_web(port=port, log=company.folder() / "web.log")]
        try:
            children.append(processes.start_worker(log=company.folder() / "worker.log"))
            made = company.set_up(at=timezone.now())
            told = story.Told()
            story.tell(story.Stage(company=made, address=address, say=_teller(console), told=told))
            report.print_report(console, told=told, company=made, address=address)
        except BaseException:
            processes.stop(children)
            raise
        if options["no_serve"]:
            processes.stop(children)
            return
        console.print(f"Serving on {address} until Ctrl-C.")
        processes.wait_for_end(children)


def _teller(console: Console) -> Any:
    return lambda sentence: console.print(f"· {sentence}", style="cyan")
