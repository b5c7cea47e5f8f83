"""`manage.py load_fee_programs --author USER [FILE]`: propose the fee programs that come with the product."""

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.errors import DomainError
from invoicing.pricing import shipped_programs


class Command(BaseCommand):
    """Safe to repeat: what a version says already is not proposed again."""

    help = "Propose the shipped fee programs; they count once somebody else in finance has approved them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=shipped_programs.SHIPPED)
        parser.add_argument("--author", required=True, help="user name of who proposes them, in product or finance")

    def handle(self, *args: Any, **options: Any) -> None:
        author = User.objects.filter(username=options["author"]).first()
        if author is None:
            raise CommandError(f"There is no user {options['author']}.")
        try:
            loaded = shipped_programs.load_programs(path=options["file"], actor=author, at=timezone.now())
        except DomainError as error:
            raise CommandError(error.message) from error
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"{options['file']} cannot be read as fee programs: {error!r}.") from error
        self.stdout.write(
            f"new programs {loaded.programs}; versions proposed {loaded.proposed}; known already {loaded.known}"
        )
