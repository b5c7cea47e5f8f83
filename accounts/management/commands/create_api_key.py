"""`manage.py create_api_key`: make a key from the shell and print it, once."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import keys
from accounts.models import Scope
from core.errors import DomainError


class Command(BaseCommand):
    help = "Make an API key that acts as a member of staff; prints it once, and keeps only its fingerprint."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="user name of the member of staff it acts as")
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument(
            "--scope", required=True, action="append", choices=Scope.values, help="may be given several times"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']}.")
        try:
            _, text = keys.new_key(
                name=options["name"], user=user, scopes=sorted(set(options["scope"])), at=timezone.now()
            )
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(text)
