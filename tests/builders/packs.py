"""Packs on disk, checked as an auditor would: by a bare Python that knows nothing of this project."""

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from compliance.evidence.models import EvidencePack
from compliance.evidence.pack import make
from invoicing.cycle.models import Invoice, InvoiceLine
from tests.builders import billing


@dataclass(frozen=True)
class Told:
    """What the verifier said."""

    code: int
    text: str

    @property
    def left_out(self) -> list[str]:
        return [line for line in self.text.splitlines() if line.startswith("NOT RECOMPUTED")]


def make_pack(invoice: Invoice, *, line: InvoiceLine | None = None, at: datetime = billing.CLOSING) -> EvidencePack:
    return make.make_pack(invoice=Invoice.objects.get(pk=invoice.pk), line=line, actor=None, at=at)


def write_pack(pack: EvidencePack, folder: Path) -> Path:
    path = folder / pack.file_name
    path.write_bytes(b"".join(make.read_pack(pack)))
    return path


def verify_bare(path: Path, *arguments: str) -> Told:
    """Run the pack's own verify.py, outside of any environment and of this project."""
    program = path.parent / "verify.py"
    with zipfile.ZipFile(path) as pack:
        program.write_bytes(pack.read("verify.py"))
    bare = Path(sys.base_prefix) / "bin" / "python3"
    done = subprocess.run(
        [bare, "-I", program, path, *arguments], capture_output=True, text=True, check=False, cwd=path.parent
    )
    assert not done.stderr, done.stderr
    return Told(done.returncode, done.stdout)


def contents(path: Path) -> dict[str, bytes]:
    """The files of a pack by name."""
    with zipfile.ZipFile(path) as pack:
        return {name: pack.read(name) for name in pack.namelist()}
