"""`erase_person`: see what erasing somebody would do, ask for it, and decide over it as another person."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from compliance.erasure import decide, persons, plan
from compliance.erasure.models import ErasureRequest
from compliance.erasure.plan import Plan
from core.errors import DomainError


class Command(BaseCommand):
    """Exit code 1 with a sentence where it is refused."""

    help = (
        "erase_person customer acme: what would go and stay. With --ask REFERENCE --by USER: ask for it. "
        "erase_person --approve NUMBER --by USER, as another person: erase."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", nargs="?", choices=ErasureRequest.Kind.values)
        parser.add_argument("code", nargs="?", help="of the customer or payee, or the name somebody signs in with")
        parser.add_argument("--ask", metavar="REFERENCE", help="the number of the letter or ticket; no names")
        parser.add_argument("--ground", choices=ErasureRequest.Ground.values, default=ErasureRequest.Ground.ASKED)
        parser.add_argument("--approve", type=int, metavar="NUMBER", help="of the request")
        parser.add_argument("--by", metavar="USER", help="user name of the member of staff who asks or decides")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(**options)
        except DomainError as error:
            raise CommandError(error.message) from error

    def _handle(self, *, kind: str, code: str, approve: int | None, **options: Any) -> None:
        at = timezone.now()
        if approve is not None:
            proof = decide.approve_erasure(request_id=approve, actor=_person(options["by"]), at=at)
            self.stdout.write("\n".join([*proof.did, f"Proved by {proof.audit_entry}."]))
        elif not kind or not code:
            raise CommandError("Say who: customer, portal_user or payee, and the code.")
        elif options["ask"]:
            asked = decide.ask_erasure(
                kind=kind,
                code=code,
                ground=options["ground"],
                reference=options["ask"],
                actor=_person(options["by"]),
                at=at,
            )
            self.stdout.write(f"Request {asked.pk} waits for somebody of finance.")
        else:
            self._tell(plan.plan_of(persons.find_person(kind=kind, code=code), at=at))

    def _tell(self, planned: Plan) -> None:
        kept = [f"{one.number}, until {one.until}: {one.basis}" for one in planned.kept]
        parts = {
            "What forbids it now": planned.forbids,
            "What goes, for good": planned.goes,
            "What stays": planned.stays,
            "What the law keeps": kept,
        }
        for title, sentences in parts.items():
            if sentences:
                self.stdout.write("\n".join([title, *(f"  {sentence}" for sentence in sentences)]))


def _person(name: str | None) -> User:
    user = User.objects.filter(username=name or "", is_active=True).first()
    if user is None:
        raise CommandError("Say with --by which member of staff asks or decides.")
    return user
