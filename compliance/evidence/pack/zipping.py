"""A ZIP in which nothing depends on when or where it was written, and in which every byte can be accounted for."""

import hashlib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from core.errors import DomainError

STAMP = (1980, 1, 1, 0, 0, 0)
BYTES_MAX = 0xFFFFFFFF  # beyond it a ZIP takes another form, which the verifier does not read
FILES_MAX = 0xFFFF
BLOCK = 1 << 20


class PackTooLargeError(DomainError):
    """More than one ZIP can hold."""

    code = "pack_too_large"


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the pack: its size and SHA-256, and those of its packed bytes."""

    path: str
    size: int
    sha256: str
    packed_sha256: str

    def as_json(self) -> dict[str, str | int]:
        return {"path": self.path, "bytes": self.size, "sha256": self.sha256, "packed_sha256": self.packed_sha256}


class PackWriter:
    """Writes the files of a pack one after the other, in bounded memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self.written: list[Written] = []

    def add(self, path: str, blocks: Iterable[bytes]) -> Written:
        info = zipfile.ZipInfo(path, STAMP)
        info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w") as target:
            for block in blocks:
                digest.update(block)
                size += len(block)
                target.write(block)
        if self._file.tell() > BYTES_MAX or len(self._zip.infolist()) > FILES_MAX:
            raise PackTooLargeError("The pack is larger than one ZIP can be; ask for it line by line.")
        written = Written(path, size, digest.hexdigest(), self._packed_hash(info))
        self.written.append(written)
        return written

    def close(self) -> None:
        self._zip.close()

    def _packed_hash(self, info: zipfile.ZipInfo) -> str:
        end = self._file.tell()
        self._file.seek(info.header_offset + 30 + len(info.filename))
        digest, left = hashlib.sha256(), info.compress_size
        while left and (block := self._file.read(min(left, BLOCK))):
            digest.update(block)
            left -= len(block)
        self._file.seek(end)
        return digest.hexdigest()
