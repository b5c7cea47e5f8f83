"""Packs that somebody tampered with: some bytes changed, or a figure changed and every hash and the seal made anew."""

import hashlib
import io
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from compliance.evidence import verify
from compliance.evidence.pack.zipping import PackWriter
from core import audit, canonical, ed25519, heads

SEALED = ("manifest.json", "chain.ndjson", "seal.json")
Place = tuple[str | int, ...]


def forge(files: dict[str, bytes], path: Path) -> Path:
    """The same files with a manifest, a chain and a signature that fit them: only the figures can give it away."""
    target = io.BytesIO()
    writer = PackWriter(target)
    for name, content in files.items():
        if name not in SEALED:
            writer.add(name, [content])
    told = orjson.loads(files["manifest.json"]) | {"files": [one.as_json() for one in writer.written]}
    manifest = canonical.canonical_bytes(told)
    for name, content in _seal(files, manifest).items():
        writer.add(name, [content])
    writer.close()
    path.write_bytes(target.getvalue())
    return path


class Unpacked(verify.Pack):
    """Files as if they came out of a pack, without its container."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.names = list(files)

    def raw(self, name: str) -> bytes:
        return self.files[name]

    def lines(self, name: str) -> Iterator[bytes]:
        yield from self.files[name].splitlines(keepends=True)


def _seal(files: dict[str, bytes], manifest: bytes) -> dict[str, bytes]:
    """As if whoever forged it held the signing key."""
    manifest_sha256 = hashlib.sha256(manifest).hexdigest()
    *links, last = [orjson.loads(line) for line in files["chain.ndjson"].splitlines()]
    said = orjson.loads(last["says"])
    said["facts"] |= {"manifest_sha256": manifest_sha256, "line": orjson.loads(manifest)["line"]}
    last["says"] = canonical.canonical_bytes(said).decode()
    last["content_hash"] = hashlib.sha256(last["says"].encode()).hexdigest()
    chain = b"".join(canonical.canonical_bytes(link) + b"\n" for link in (*links, last))
    head = orjson.loads(files["seal.json"])["head"]
    head["entry_hash"] = audit.link(last["previous"], last["content_hash"])
    head["signature"] = ed25519.sign(heads.message_of(head), seed=heads.signing_seed()).hex()
    seal = {
        "manifest_sha256": manifest_sha256,
        "chain_sha256": hashlib.sha256(chain).hexdigest(),
        "head": head,
    }
    return {"manifest.json": manifest, "chain.ndjson": chain, "seal.json": canonical.canonical_bytes(seal)}


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every figure and word of a document, with where it stands."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*place, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*place, number))
    elif value is not None:
        yield place, value


def put(document: Any, place: Place, value: Any) -> None:
    for step in place[:-1]:
        document = document[step]
    document[place[-1]] = value


def change(value: Any, dice: random.Random) -> Any:
    """Something else of the same kind: one unit more, another digit, another second."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + dice.choice([-1, 1, 7])
    text = str(value)
    if re.fullmatch(r"[0-9a-f]{64,128}", text):
        place = dice.randrange(len(text))
        return text[:place] + dice.choice([one for one in "0123456789abcdef" if one != text[place]]) + text[place + 1 :]
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        place = dice.choice([number for number, one in enumerate(text) if one.isdigit()])
        return text[:place] + dice.choice([one for one in "123456789" if one != text[place]]) + text[place + 1 :]
    if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", text):
        moved = verify.instant(text) + dice.choice([timedelta(seconds=1), timedelta(days=-1), timedelta(days=40)])
        return moved.isoformat().replace("+00:00", "Z")
    return f"{text}x"
