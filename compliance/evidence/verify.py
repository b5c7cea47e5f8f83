"""Checks an evidence pack without those who made it: `python3 -I verify.py PACK.zip [--key HEX]`.

It needs Python 3.11 or later and nothing else. Every figure is worked out again from what the pack holds: quantities
from events, amounts from quantities and prices, totals from lines, and every hash. It stops at the first thing that
does not hold. Exit 0: all of it holds. 1: something does not. 3: what could be worked out holds; the output names the
rest.

Where to look, in the order of this file:

    what holds and what does not    Report, equal, require
    tools                           numbers and times · exact JSON
    1  the container                every byte of the ZIP, every file's SHA-256           Pack.check_files
    2  the audit chain              link by link, up to a signed head (Ed25519)           check_seal
       how to measure and price     events · parts · prices · fee programs · agreements
       what the pack says           its files by what they are about                      Books
    3  usage                        events with fingerprints → quantities                 check_usage
    4  agreements                   which plan held when, as the chain has it             check_agreements
    5  ratings                      quantity × price in force × share → amounts           check_ratings
    6  the invoice                  lines, corrections, tax, totals, the approved hash    check_invoice
    7  decisions                    moves, approvals, holds, breaks, delta reports        check_decisions
    8  policy and journal           who signed; debits and credits                        check_policy, check_books
    9  the money                    to be paid, held, given back, contested               check_money
    10 the document                 the PDF; how many of each kind                        check_document, check_kinds
    all of it, in this order                                                              check_pack

This is a second implementation of the arithmetic, written apart from the first: it shares no line with what made the
invoice. Nothing here rounds but `rounded`; numbers are decimals and times are UTC throughout.
"""

import base64
import hashlib
import json
import re
import struct
import sys
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FORMAT = "billing-ops evidence 4"
HOLDS, FAILS, INCOMPLETE = 0, 1, 3
NOTHING = Decimal(0)
IN_WORDS = "_in_words"
MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "ceiling": ROUND_CEILING, "floor": ROUND_FLOOR}
DIGITS = Context(prec=100)
DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
Json = dict[str, Any]


class DoesNotHoldError(Exception):
    """The first thing in the pack that contradicts the rest of it."""


class Report:
    """What was found to hold, in order, and what could not be worked out from this pack."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.beside: list[str] = []
        self.left_out: list[str] = []

    def holds(self, what: str) -> None:
        self.held.append(what)

    def stands_beside(self, what: str) -> None:
        """Figures of other lines, in a pack that is of one: its own pack works them out."""
        self.beside.append(what)

    def leave_out(self, what: str) -> None:
        if what not in self.left_out:
            self.left_out.append(what)


def equal(what: str, says: Any, again: Any) -> None:
    """Stop where the pack says something else than what comes out when it is worked out again."""
    if says != again:
        raise DoesNotHoldError(f"{what}: the pack says {_short(says)}, worked out again it is {_short(again)}")


def require(what: str, truth: bool) -> None:  # noqa: FBT001  a sentence and whether it is true
    if not truth:
        raise DoesNotHoldError(what)


def _short(value: Any) -> str:
    text = plain(value) if isinstance(value, Decimal) else str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004  a line of output


# Numbers and times


def number(text: Any) -> Decimal:
    """Read a plain decimal; ValueError for anything that could be read in two ways."""
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if isinstance(text, Decimal):
        text = format(text, "f")
    if not isinstance(text, str) or not re.fullmatch(r"-?[0-9]{1,60}(\.[0-9]{1,60})?", text):
        raise ValueError(f"{str(text)[:40]!r} is not a plain decimal")
    return Decimal(text)


def rounded(value: Decimal, scale: int, mode: str = "half_up") -> Decimal:
    return value.quantize(Decimal(1).scaleb(-scale), rounding=MODES[mode], context=DIGITS)


def plain(value: Decimal) -> str:
    """Write without exponent and without trailing zeros."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


MINOR_UNITS = {  # ISO 4217; every currency that is not here has 2 decimals
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"], 0),
    **dict.fromkeys(["RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def money(value: Decimal, currency: str) -> Decimal:
    return rounded(value, MINOR_UNITS.get(currency, 2))


def instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return at.astimezone(UTC)


def instant_text(at: datetime) -> str:
    text = at.replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def local_date(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


# JSON with exact numbers, in the form that events are hashed in


def read_json(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_once)


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def canonical(value: Any) -> str:
    """Sorted names, no blanks, decimals without exponent."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(name)}:{canonical(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.removeprefix("-") if value.is_zero() else text
    return _quoted(value)


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def sha256(data: bytes | str) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


# 1. The container: every byte of the ZIP is accounted for

LOCAL, CENTRAL, END = "<4s5H3L2H", "<4s6H3L5H2L", "<4s4H2LH"
STAMP = (0, 33)  # midnight of 1 January 1980, so that equal content gives equal bytes


class Pack:
    """The files of a pack; opening it checks its container and the hash of every file."""

    def __init__(self, path: Path) -> None:
        self.zip = zipfile.ZipFile(path)
        self.path = path
        self.names = self.zip.namelist()
        self._check_container()
        self.manifest = read_json(self.raw("manifest.json"))
        other = (
            f"{_short(self.manifest['format'])}, and this verifier reads {FORMAT}: use the verify.py inside the pack"
        )
        require(f"the pack is of the format {other}", self.manifest["format"] == FORMAT)
        equal("manifest.json, its form", self.raw("manifest.json"), canonical(self.manifest).encode())

    def raw(self, name: str) -> bytes:
        return self.zip.read(name)

    def read(self, name: str) -> Any:
        return read_json(self.raw(name))

    def lines(self, name: str) -> Iterator[bytes]:
        with self.zip.open(name) as file:
            yield from file

    def _check_container(self) -> None:
        """Write down what the container must be, byte by byte, around the packed files."""
        require("the ZIP: a name stands twice", len(set(self.names)) == len(self.names))
        entries, place = self.zip.infolist(), 0
        central = b""
        with self.path.open("rb") as file:
            for entry in entries:
                name = entry.filename.encode()
                facts = (entry.CRC, entry.compress_size, entry.file_size)
                shape = (20, 0, entry.compress_type, *STAMP)
                header = struct.pack(LOCAL, b"PK\3\4", *shape, *facts, len(name), 0) + name
                file.seek(place)
                equal(f"the ZIP, header of {entry.filename}", file.read(len(header)), header)
                attributes = (0, 0, 0, 0, entry.external_attr, place)
                central += struct.pack(CENTRAL, b"PK\1\2", 788, *shape, *facts, len(name), *attributes) + name
                require(f"the ZIP: {entry.filename} has other rights", entry.external_attr == 0o600 << 16)
                place += len(header) + entry.compress_size
            file.seek(place)
            count = len(entries)
            end = struct.pack(END, b"PK\5\6", 0, 0, count, count, len(central), place, 0)
            equal("the ZIP, its directory", file.read(), central + end)

    def check_files(self) -> None:
        """The SHA-256 of each file, and of its packed bytes."""
        listed = [entry["path"] for entry in self.manifest["files"]]
        equal(
            "the files of the pack", sorted(self.names), sorted([*listed, "chain.ndjson", "manifest.json", "seal.json"])
        )
        with self.path.open("rb") as file:
            for entry in self.manifest["files"]:
                info = self.zip.getinfo(entry["path"])
                file.seek(info.header_offset + 30 + len(entry["path"]))
                equal(f"{entry['path']}, its packed bytes", entry["packed_sha256"], _hash_of(file, info.compress_size))
                with self.zip.open(info) as content:
                    equal(f"{entry['path']}, its SHA-256", entry["sha256"], _hash_of(content, info.file_size + 1))
                equal(f"{entry['path']}, its size", entry["bytes"], info.file_size)


def _hash_of(file: IO[bytes], size: int) -> str:
    """SHA-256 of at most so many bytes."""
    digest = hashlib.sha256()
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()


# 2. The audit chain and the signature under it: Ed25519, RFC 8032

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
TWISTED = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]


def signed_by(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether 8·S·B = 8·R + 8·h·A is seen without its factor: S·B = R + h·A."""
    commitment, signer = _point(signature[:32]), _point(key)
    answer = int.from_bytes(signature[32:], "little")
    if commitment is None or signer is None or len(signature) != 64 or answer >= ORDER:  # noqa: PLR2004  RFC 8032
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little")
    base = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    return _same(_times(answer, base or signer), _plus(commitment, _times(challenge, signer)))


def _plus(one: Point, two: Point) -> Point:
    left, right = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    cross, scale = 2 * one[3] * two[3] * TWISTED % P, 2 * one[2] * two[2] % P
    e, f, g, h = right - left, scale - cross, scale + cross, right + left
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(count: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    for bit in f"{count:b}":
        total = _plus(total, total)
        if bit == "1":
            total = _plus(total, point)
    return total


def _same(one: Point, two: Point) -> bool:
    return (one[0] * two[2] - two[0] * one[2]) % P == 0 == (one[1] * two[2] - two[1] * one[2]) % P


def _point(text: bytes) -> Point | None:
    """Read a point: y, and in the highest bit whether x is odd."""
    read = int.from_bytes(text, "little")
    y, is_odd = read % 2**255, read >> 255
    square = (y * y - 1) * pow(TWISTED * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and is_odd):
        return None
    x = P - x if x % 2 != is_odd else x
    return x, y, 1, x * y % P


def check_seal(pack: Pack, report: Report, key: str | None) -> dict[str, Json]:
    """The chain's segment, link by link, up to the entry that names this manifest and the signed head over it."""
    seal = pack.read("seal.json")
    head = seal["head"]
    equal("seal.json, its form", pack.raw("seal.json"), canonical(seal).encode())
    equal("the names in the seal", sorted(seal), ["chain_sha256", "head", "manifest_sha256"])
    equal("the manifest named by the seal", seal["manifest_sha256"], sha256(pack.raw("manifest.json")))
    equal("the chain named by the seal", seal["chain_sha256"], sha256(pack.raw("chain.ndjson")))
    entries = _check_links(pack, head, report)
    _check_signature(head, key)
    sealing = entries[f"AUD-{head['number']:010d}"]
    equal("the last entry of the chain", sealing["action"], "evidence.sealed")
    equal("the manifest in the audit chain", sealing["facts"]["manifest_sha256"], seal["manifest_sha256"])
    what = f"invoice:{pack.manifest['invoice']}", pack.manifest["line"]
    equal("what the manifest is of, in the audit chain", (sealing["subject"], sealing["facts"]["line"]), what)
    shown = f"{len(entries)} of it in words"
    report.holds(f"audit chain up to entry {head['number']}, {shown}, signed by {head['public_key']}")
    if key is None:
        report.holds("  (compare that key with the one your supplier published, or give it as --key)")
    return entries


def _check_links(pack: Pack, head: Json, report: Report) -> dict[str, Json]:
    """Each link follows the one before, up to the head; the entries that are shown in words, by reference."""
    entries, last, previous, opaque = {}, 0, "", 0
    for line in pack.lines("chain.ndjson"):
        link = read_json(line)
        if last:
            equal("the audit chain, the number after the one before", link["number"], last + 1)
            equal(f"the audit chain, what entry {link['number']} follows", link["previous"], previous)
        last, said = link["number"], link.get("says")
        opaque += link["form"] == 1 and said is None
        previous = _link_hash(link)
        if last == 1:
            equal("the audit chain, its first entry", head["chain"], previous)
        if said is not None:
            entry = read_json(said)
            equal(f"entry {last}, its reference", entry["reference"], f"AUD-{last:010d}")
            entries[entry["reference"]] = entry
    equal("the signed head, its entry", (head["number"], head["entry_hash"]), (last, previous))
    if opaque:
        report.leave_out(f"{opaque} links of the chain that are older than form 2 and about something else")
    return entries


def _check_signature(head: Json, key: str | None) -> None:
    names = ["chain", "entry_hash", "number", "public_key", "signature", "signed_at"]
    equal("the names in the head", sorted(head), names)
    message = canonical({name: head[name] for name in ("chain", "number", "entry_hash", "signed_at")})
    signature, signer = bytes.fromhex(head["signature"]), bytes.fromhex(head["public_key"])
    require("the signature under the audit chain's head is not valid", signed_by(signer, message.encode(), signature))
    require("the head is signed by another key than the one given", key is None or key.lower() == head["public_key"])


def _link_hash(link: Json) -> str:
    """Of form 2 from two hashes; of form 1 from the words, which only entries about this invoice show."""
    said = link.get("says")
    if link["form"] == 1:
        return sha256(said) if said is not None else str(link["entry_hash"])
    if said is not None:
        equal(f"entry {link['number']}, the hash of its words", link["content_hash"], sha256(said))
    return sha256(link["previous"] + link["content_hash"])


# Events: which count, and what a meter makes of them


class Event(NamedTuple):
    """An event as a meter sees it."""

    seq: int
    source: str
    id: str
    at: datetime
    received_at: datetime
    data: Any
    fingerprint: bytes
    since: str = ""  # its fingerprint now, where something of it was sealed after it was captured

    def order(self, tie_break: str = "last_received") -> tuple[datetime, timedelta, str, str]:
        arrival = self.received_at - datetime(2000, 1, 1, tzinfo=UTC)
        return self.at, -arrival if tie_break == "first_received" else arrival, self.id, self.source


def read_event(line: bytes, stream: Json) -> tuple[Event, Json]:
    """The event and its further attributes; its fingerprint is made again from what it says.

    Where something was sealed after it was captured, what is made again is the fingerprint since.
    """
    told = read_json(line)
    at, extras = instant(told["time"]), told["extras"]
    names = [told["source"], told["id"], told["type"], told["subject"], instant_text(at)]
    equal(f"event {told['id']}, its type and customer", names[2:4], [stream["type"], stream["customer"]])
    if extras.get("timeassigned") is True:
        names.pop()
    kept = {name: value for name, value in extras.items() if name not in ("traceparent", "tracestate")}
    words = "\n".join([canonical(names), canonical(told["data"]), canonical(kept) if kept else "null"])
    fingerprint = hashlib.sha256(words.encode()).digest()
    says = told.get("fingerprint_since", told["fingerprint"])
    equal(f"event {told['id']} of {told['source']}, its fingerprint", says, fingerprint.hex())
    known = instant(told["received_at"]), told["data"], bytes.fromhex(told["fingerprint"])
    return Event(told["seq"], names[0], names[1], at, *known, told.get("fingerprint_since", "")), extras


class Corrections:
    """Which events do not count, and from which number on: those amended or cancelled, and cancellations."""

    def __init__(self, found: Iterable[tuple[Event, Json]]) -> None:
        self.since: dict[tuple[str, str], int] = {}
        self.cancels: set[int] = set()
        for event, extras in found:
            if extras.get("correction") in ("amend", "cancel"):
                self.since[event.source, extras["corrects"]] = event.seq
            if extras.get("correction") == "cancel":
                self.cancels.add(event.seq)

    def counts(self, event: Event, up_to: int) -> bool:
        since = self.since.get((event.source, event.id))
        return event.seq <= up_to and event.seq not in self.cancels and (since is None or since > up_to)


METERED_DECIMALS = 18
PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,20})(?:\.[0-9]{1,40})?")


def metered(value: Any) -> Decimal | None:
    """A number as a meter reads one: at most 10^15 in size and 18 decimals, as JSON or as text."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        return None
    found = Decimal(value)
    exponent = found.as_tuple().exponent
    return found if abs(found) <= 10**15 and isinstance(exponent, int) and exponent >= -METERED_DECIMALS else None


def passes(filters: Sequence[Json], data: Any) -> bool:
    named = data if isinstance(data, dict) else {}
    return all(_passes(rule, named.get(rule["property"])) for rule in filters)


def _passes(rule: Json, value: Any) -> bool:
    if rule["operator"] == "range":
        found = metered(value)
        since, below = (None if rule.get(name) is None else metered(rule[name]) for name in ("from", "below"))
        return found is not None and (since is None or found >= since) and (below is None or found < below)
    wanted = [rule["value"]] if rule["operator"] == "equals" else rule["values"]
    if isinstance(wanted[0], bool | str):
        return type(value) is type(wanted[0]) and value in wanted
    return metered(value) in [metered(one) for one in wanted]


def value_of(event: Event, meter: Json) -> Decimal | str | None:
    """What the meter reads: nothing to a count, a text to a unique count, else a number."""
    data = event.data if isinstance(event.data, dict) else {}
    value = data.get(meter["value_property"])
    if meter["aggregation"] == "count" or value is None:
        return None
    if "unique" not in meter["aggregation"]:
        return metered(value)
    if meter["operation_property"] and data.get(meter["operation_property"]) not in ("add", "remove"):
        return None
    return value if isinstance(value, str) else canonical(value)


def removes(event: Event, meter: Json) -> bool:
    named = meter["operation_property"]
    return bool(named) and isinstance(event.data, dict) and event.data.get(named) == "remove"


class Span:
    """The window, the whole period that levels are weighed over, and whose days count."""

    def __init__(self, start: datetime, end: datetime, period: tuple[datetime, datetime], zone: str) -> None:
        self.start, self.end, self.period, self.zone = start, end, period, zone

    def day(self, at: datetime) -> date:
        return local_date(at, self.zone)

    @property
    def whole_days(self) -> int:
        return max((self.day(self.period[1]) - self.day(self.period[0])).days, 1)

    def days(self, first: date, after: date) -> int:
        """Days of the window from `first` up to but without `after`."""
        return max((min(after, self.day(self.end)) - max(first, self.day(self.start))).days, 0)


class Measure:
    """Takes the events of a window one by one and says in the end what the meter makes of them."""

    def __init__(self, meter: Json, span: Span) -> None:
        self.meter, self.span, self.kind = meter, span, meter["aggregation"]
        self.count = self.unusable = 0
        self.digest = hashlib.sha256()
        self.total = NOTHING
        self.best: tuple[Any, Any] | None = None
        self.held: dict[Any, list[tuple[Any, bool, date]]] = defaultdict(list)

    def take(self, event: Event) -> None:
        self.count += 1
        self.digest.update(event.fingerprint)
        value = value_of(event, self.meter)
        if self.kind == "count":
            return
        if value is None:
            self.unusable += 1
        elif isinstance(value, str):
            self._take_text(event, value)
        else:
            self._take_number(event, value)

    def _take_text(self, event: Event, value: str) -> None:
        stays = self.held[value]
        if self.kind == "unique_count" and not self.meter["operation_property"] and stays:
            return
        stays.append((event.order(self.meter["tie_break"]), removes(event, self.meter), self.span.day(event.at)))

    def _take_number(self, event: Event, value: Decimal) -> None:
        if self.kind in ("max", "min", "last"):
            key = (
                {"max": value, "min": -value}.get(self.kind)
                if self.kind != "last"
                else event.order(self.meter["tie_break"])
            )
            if self.best is None or key > self.best[0]:
                self.best = key, value
            return
        weight = 1
        if self.kind == "time_weighted_sum":
            weight = (self.span.end - max(self.span.start, event.at)) // MICROSECOND
        elif self.kind == "prorated_sum":
            day = self.span.day(event.at)
            weight = self.span.days(day + DAY if value < 0 else day, date.max)
        self.total += value * weight

    def quantity(self) -> Decimal:
        found, divisor = self._ratio()
        if divisor != 1:
            found = rounded(DIGITS.divide(found, divisor), self.meter["decimals"], self.meter["rounding"])
        return NOTHING if self.meter["negative_total"] == "zero" and found < 0 else found

    def _ratio(self) -> tuple[Decimal, Decimal]:  # noqa: PLR0911  one for each kind
        one = Decimal(1)
        days = Decimal(self.span.whole_days)
        length = Decimal((self.span.period[1] - self.span.period[0]) // MICROSECOND)
        match self.kind:
            case "count":
                return Decimal(self.count), one
            case "sum":
                return self.total, one
            case "average":
                return self.total, Decimal(max(self.count - self.unusable, 1))
            case "max" | "min" | "last":
                return (NOTHING if self.best is None else self.best[1]), one
            case "unique_count":
                return Decimal(sum(not max(stays)[1] for stays in self.held.values())), one
            case "time_weighted_sum":
                return self.total, length
            case "prorated_sum":
                return self.total, days
            case "prorated_unique_count":
                return Decimal(sum(map(self._days_held, self.held.values()))), days
        raise DoesNotHoldError(f"nobody knows how to measure a {self.kind}")

    def _days_held(self, changes: list[tuple[Any, bool, date]]) -> int:
        """From each adding to the next removing, the days of both included; no day counts twice."""
        days, free, since = 0, date.min, None
        for _, is_removal, day in sorted(changes):
            if since is None and not is_removal:
                since = day
            elif since is not None and is_removal:
                days += self.span.days(max(since, free), day + DAY)
                since, free = None, day + DAY
        return days + (0 if since is None else self.span.days(max(since, free), date.max))


# Parts: what a price asks for beyond the quantity


class Part(NamedTuple):
    """Some of the usage: an event, a combination of properties or a stretch of time."""

    quantity: Decimal
    events: int = 1
    properties: Mapping[str, str] = {}
    bucket: Any = None
    amount: Decimal | None = None


class Split(NamedTuple):
    """How a price wants its usage: by `events`, by `properties` or by `buckets`."""

    by: str
    properties: tuple[str, ...] = ()
    width: str = ""
    zone: str = "UTC"
    amount_property: str = ""


class Parts:
    """Takes the events of a window one by one and gives its parts in the end."""

    def __init__(self, split: Split, meter: Json, span: Span) -> None:
        self.split, self.meter, self.span = split, meter, span
        self.found: dict[Any, list[tuple[Any, Decimal | str | None, Decimal | None]]] = defaultdict(list)

    def take(self, event: Event) -> None:
        value = value_of(event, self.meter)
        if value is None and self.meter["aggregation"] != "count":
            return
        data = event.data if isinstance(event.data, dict) else {}
        named = self.split.amount_property
        amount = metered(data.get(named)) if named else None
        self.found[self._key(event, data)].append((event.order(self.meter["tie_break"]), value, amount))

    def _key(self, event: Event, data: Json) -> Any:
        if self.split.by == "events":
            return event.order()
        if self.split.by == "buckets":
            return max(truncate(event.at, self.split.width, self.split.zone), self.span.start)
        texts = [as_text(data.get(name)) for name in self.split.properties]
        return tuple((text is None, (text or "").encode()) for text in texts)

    def parts(self) -> list[Part]:
        return [self._part(key, self.found[key]) for key in sorted(self.found)]

    def _part(self, key: Any, rows: list[tuple[Any, Decimal | str | None, Decimal | None]]) -> Part:
        amounts = [amount for _, _, amount in rows if amount is not None]
        carried = sum(amounts, NOTHING) if amounts else None
        quantity = self._quantity(rows)
        if self.split.by == "events":
            return Part(quantity, 1, {}, None, carried)
        if self.split.by == "buckets":
            return Part(quantity, len(rows), {}, key, carried)
        pairs = zip(self.split.properties, key, strict=True)
        return Part(quantity, len(rows), {name: text.decode() for name, (no, text) in pairs if not no}, None, carried)

    def _quantity(self, rows: list[tuple[Any, Decimal | str | None, Decimal | None]]) -> Decimal:
        values = [value for _, value, _ in rows]
        numbers = [value for value in values if isinstance(value, Decimal)]
        match self.meter["aggregation"]:
            case "count":
                return Decimal(len(rows))
            case "unique_count":
                return Decimal(len(set(values)))
            case "max":
                return max(numbers)
            case "min":
                return min(numbers)
            case "last":
                return numbers[max(range(len(rows)), key=lambda place: rows[place][0])]
        return sum(numbers, NOTHING)


def truncate(at: datetime, width: str, zone: str) -> datetime:
    """The beginning of the local minute, hour, day or month."""
    local = at.astimezone(ZoneInfo(zone))
    if width in ("minute", "hour"):
        into = timedelta(
            minutes=local.minute if width == "hour" else 0, seconds=local.second, microseconds=local.microsecond
        )
        return at - into
    first = local.replace(day=1 if width == "month" else local.day, hour=0, minute=0, second=0, microsecond=0)
    return max(first.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def as_text(value: Any) -> str | None:
    """A property as the text that prices compare: what PostgreSQL's ->> gives."""
    if value is None or isinstance(value, str):
        return value
    return _spaced(value)


def _spaced(value: Any) -> str:
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
        return "{" + ", ".join(f"{_quoted(name)}: {_spaced(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_spaced, value)) + "]"
    return canonical(value)


def mark_of(parts: Iterable[Part]) -> tuple[int, str]:
    """How many parts, and the SHA-256 over all that they say."""
    count, digest = 0, hashlib.sha256()
    for part in parts:
        count += 1
        amount = "" if part.amount is None else plain(part.amount)
        facts = (plain(part.quantity), part.events, tuple(part.properties.items()), str(part.bucket or ""), amount)
        digest.update(repr(facts).encode())
    return count, digest.hexdigest()


# Prices: each function gives the amounts of its steps, which add up to the amount


class Share(NamedTuple):
    """Which part of its billing period something is charged for."""

    part: int = 1
    whole: int = 1

    def of(self, amount: Decimal, scale: int = 30) -> Decimal:
        if self.part == self.whole:
            return amount
        return rounded(DIGITS.divide(DIGITS.multiply(amount, Decimal(self.part)), Decimal(self.whole)), scale)


WHOLE = Share()
Steps = list[Decimal]


class Usage(NamedTuple):
    """A quantity, and its parts where the price asks for them."""

    quantity: Decimal
    parts: Sequence[Part] | None = None


def get(params: Json, name: str) -> Decimal:
    return number(params.get(name) or "0")


def has(params: Json, name: str) -> bool:
    return params.get(name) is not None


def wanted_split(model: str, params: Json, zone: str = "UTC") -> Split | None:  # noqa: PLR0911  one for each model
    """The parts that a price asks for; None where the quantity is enough."""
    match model:
        case "standard" if params.get("filters"):
            return Split("properties", _compared(each for each in params["filters"]))
        case "percentage":
            limits = has(params, "per_transaction_min") or has(params, "per_transaction_max")
            if limits or get(params, "free_events") or get(params, "free_total_amount"):
                return Split("events")
            return Split("properties") if get(params, "fixed_amount_per_event") else None
        case "dynamic" if has(params, "price_from"):
            usual = "amount_minor" if "minor" in params["price_from"] else "amount"
            return Split("properties", amount_property=params.get("amount_property") or usual)
        case "bucketed":
            is_local = params.get("bucket_zone", "customer") == "customer"
            return Split("buckets", width=params.get("bucket") or "", zone=zone if is_local else "UTC")
        case "dimensional":
            return Split("properties", _compared(each["match"] for each in params["prices"]))
        case "fee_program":
            named = [params[role] for role in ("amount", "account", "country", "status") if params.get(role)]
            return Split(
                "properties", tuple(dict.fromkeys([*named, *(flag["property"] for flag in params.get("flags") or ())]))
            )
    return None


def _compared(matches: Iterable[Json]) -> tuple[str, ...]:
    return tuple(sorted({name for match in matches for name in match if name != "unit_amount"}))


def price(
    model: str, params: Json, usage: Usage, share: Share = WHOLE, currency: str = "", terms: Json | None = None
) -> Steps:
    """What usage costs, with everything around the model."""
    if model == "fee_program":
        return program_fees(params, terms or {}, usage.parts or (), currency)
    if wanted_split(model, params) is None:
        steps = _price_total(model, params, usage.quantity, share)
    else:
        require("a price asks for parts of its usage, and there are none", not usage.quantity or bool(usage.parts))
        steps = _price_parts(model, params, usage.parts or (), share, currency)
    return [*steps, *adjusted(params, sum(steps, NOTHING), share)]


def price_counted(model: str, params: Json, count: Decimal, share: Share, currency: str) -> Steps:
    """A fee, or a price for an agreed number: worked out for the whole period, then its share."""
    if model == "flat":
        fee = share.of(number(params["amount"]) * count)
        return [fee, *adjusted(params, fee, share)]
    return [share.of(step) for step in price(model, params, Usage(count), WHOLE, currency)]


def _price_total(model: str, params: Json, quantity: Decimal, share: Share) -> Steps:
    quantity = _converted(params, max(quantity, NOTHING))
    own = share if params.get("partial_period", "prorate") == "prorate" else WHOLE
    for name in ("included_quantity", "usage_discount"):
        quantity -= min(quantity, own.of(get(params, name), 18))
    steps = TOTALS[model](params, quantity)
    if get(params, "committed_quantity"):
        committed = sum(TOTALS[model](params, own.of(get(params, "committed_quantity"), 18)), NOTHING)
    elif get(params, "committed_amount"):
        committed = own.of(get(params, "committed_amount"))
    else:
        return steps
    beyond = sum(steps, NOTHING) - committed
    if beyond < 0:
        return [*steps, -beyond] if params.get("true_up", True) else steps
    return [*steps, beyond * (number(params.get("overage_factor", "1")) - 1)]


def _converted(params: Json, quantity: Decimal) -> Decimal:
    """Measured units become billed ones, and are rounded."""
    conversion, rule = params.get("unit_conversion"), params.get("unit_rounding")
    if conversion:
        mode = conversion.get("rounding") or "none"
        scale, mode = (18, "half_up") if mode == "none" else (0, mode)
        work = DIGITS.divide if conversion.get("operation", "divide") == "divide" else DIGITS.multiply
        quantity = rounded(work(quantity, number(conversion["factor"])), scale, mode)
    if rule and rule.get("function"):
        mode = {"round": "half_up", "ceil": "ceiling", "floor": "floor"}[rule["function"]]
        quantity = rounded(quantity, int(rule.get("precision") or 0), mode)
    return quantity


def adjusted(params: Json, amount: Decimal, share: Share) -> Steps:
    """The discount, then what is missing to the minimum or goes beyond the maximum."""
    steps = [-(amount * get(params, "discount_percent") / 100)]
    return [*steps, *limited(params, amount + steps[0], share)]


def limited(params: Json, amount: Decimal, share: Share) -> Steps:
    own = share if params.get("partial_period", "prorate") == "prorate" else WHOLE
    if has(params, "minimum_amount") and own.of(number(params["minimum_amount"])) > amount:
        return [own.of(number(params["minimum_amount"])) - amount]
    if has(params, "maximum_amount") and own.of(number(params["maximum_amount"])) < amount:
        return [own.of(number(params["maximum_amount"])) - amount]
    return []


def entered(params: Json, quantity: Decimal) -> list[tuple[Json, Decimal]]:
    """The tiers that a quantity enters, each with its units; a bound belongs to the tier below it."""
    tiers = params["tiers"]
    if quantity == 0:
        return [] if params.get("zero_usage_policy") == "no_charge" else [(tiers[0], NOTHING)]
    found: list[tuple[Json, Decimal]] = []
    floor = NOTHING
    for tier in tiers:
        end = None if tier["up_to"] is None else number(tier["up_to"])
        if end is None or quantity <= end:
            return [*found, (tier, quantity - floor)]
        found.append((tier, end - floor))
        floor = end
    raise DoesNotHoldError("the tiers end below the quantity")


def _volume(params: Json, quantity: Decimal) -> list[tuple[Json, Decimal]]:
    chosen = number(params["tier_selected_on_units"]) if has(params, "tier_selected_on_units") else quantity
    return [(tier, quantity) for tier, _ in entered(params, chosen)[-1:]]


def _packages(params: Json, sizes: Json, quantity: Decimal) -> Decimal:
    whole, rest = DIGITS.divmod(max(quantity, NOTHING), number(sizes["package_size"]))
    return whole + (1 if rest and params.get("rounding_of_packages", "up") == "up" else 0)


def _in_tiers(
    find: Callable[..., list[tuple[Json, Decimal]]], cost: Callable[[Json, Json, Decimal], Decimal]
) -> Callable[..., Steps]:
    return lambda params, quantity: [
        cost(params, tier, units) + get(tier, "flat_amount") for tier, units in find(params, quantity)
    ]


def _unit_cost(_params: Json, tier: Json, units: Decimal) -> Decimal:
    return units * number(tier["unit_amount"])


def _rate_cost(_params: Json, tier: Json, units: Decimal) -> Decimal:
    return units * number(tier["rate_percent"]) / 100


def _package_cost(params: Json, tier: Json, units: Decimal) -> Decimal:
    return _packages(params, tier, units) * number(tier["package_amount"])


TOTALS: dict[str, Callable[[Json, Decimal], Steps]] = {
    "standard": lambda params, quantity: [quantity * number(params["unit_amount"])],
    "graduated": _in_tiers(entered, _unit_cost),
    "volume": _in_tiers(_volume, _unit_cost),
    "package": lambda params, quantity: [_package_cost(params, params, quantity - get(params, "free_units"))],
    "graduated_package": _in_tiers(entered, _package_cost),
    "volume_package": _in_tiers(_volume, _package_cost),
    "percentage": lambda params, quantity: [quantity * number(params["rate_percent"]) / 100],
    "graduated_percentage": _in_tiers(entered, _rate_cost),
    "dynamic": lambda params, quantity: [quantity * number(params.get("multiplier", "1"))],
}


def _price_parts(model: str, params: Json, given: Sequence[Part], share: Share, currency: str) -> Steps:
    match model:
        case "percentage":
            return percentages(params, [part._replace(quantity=_converted(params, part.quantity)) for part in given])
        case "dynamic":
            return carried(params, given, currency)
        case "bucketed":
            return _price_buckets(params, given, currency)
        case "dimensional":
            return _price_groups(
                params["prices"],
                given,
                lambda place, found: price(
                    params["inner"],
                    params["default"] if place is None else params["prices"][place]["params"],
                    Usage(sum((part.quantity for part in found), NOTHING), found),
                    share,
                    currency,
                ),
            )
    unit = [each["unit_amount"] for each in params["filters"]]
    rules = [{"match": {name: each[name] for name in each if name != "unit_amount"}} for each in params["filters"]]
    converted = [part._replace(quantity=_converted(params, part.quantity)) for part in given]
    return _price_groups(
        rules,
        converted,
        lambda place, found: [
            max(sum((part.quantity for part in found), NOTHING), NOTHING)
            * number(params["unit_amount"] if place is None else unit[place])
        ],
    )


def _price_buckets(params: Json, parts: Sequence[Part], currency: str) -> Steps:
    """Each bucket as if it were all the usage; discount and limits are of them together."""
    outside = ("discount_percent", "minimum_amount", "maximum_amount")
    inner = {name: value for name, value in params.items() if name not in outside}
    sums: dict[str, Decimal] = defaultdict(lambda: NOTHING)
    for part in parts:
        sums[str(part.bucket)] += part.quantity
    found = (price(params["inner"], inner, Usage(sums[key]), WHOLE, currency) for key in sorted(sums))
    return [step for steps in found for step in steps]


def _price_groups(
    rules: Sequence[Json], parts: Sequence[Part], cost: Callable[[int | None, Sequence[Part]], Steps]
) -> Steps:
    """The parts of each entry together, at its price; without any usage the price of the rest."""
    groups: dict[int | None, list[Part]] = defaultdict(list)
    for part in parts:
        groups[closest([rule["match"] for rule in rules], part.properties)].append(part)
    return [step for place, found in (groups or {None: []}).items() for step in cost(place, found)]


def closest(rules: Sequence[Json], properties: Mapping[str, str]) -> int | None:
    """The entry that compares most of what a part carries; the first of equals."""
    fits = [place for place, rule in enumerate(rules) if all(properties.get(name) == rule[name] for name in rule)]
    return min(fits, key=lambda place: (-len(rules[place]), place), default=None)


def percentages(params: Json, parts: Iterable[Part]) -> Steps:
    """Rate and fee of each event behind the free part, within its limits; together never below 0."""
    rate, fee = number(params["rate_percent"]) / 100, get(params, "fixed_amount_per_event")
    free_events, free_amount = get(params, "free_events"), get(params, "free_total_amount")
    least, most = (
        number(params[name]) if has(params, name) else None for name in ("per_transaction_min", "per_transaction_max")
    )
    is_free, events, worth, total, amount = bool(free_events or free_amount), 0, NOTHING, NOTHING, NOTHING
    for part in parts:
        total += part.quantity
        events, worth, charged = events + part.events, worth + part.quantity, part.quantity
        if is_free and free_events and events > free_events:
            is_free = False
        elif is_free and free_amount and worth > free_amount:
            is_free, charged = False, min(worth - free_amount, part.quantity)
        if is_free:
            continue
        cost = charged * rate + fee * part.events
        if least is not None and cost < least and charged >= 0:
            cost = least
        elif most is not None and cost > most:
            cost = most
        amount += cost
    return [max(amount, NOTHING) if total else NOTHING]


def carried(params: Json, parts: Sequence[Part], currency: str) -> Steps:
    """The amounts that events carry; nothing without units, never below 0."""
    factor = number(params.get("multiplier", "1"))
    if "minor" in params["price_from"]:
        factor = factor.scaleb(-MINOR_UNITS.get(currency, 2))
    worth = sum((part.amount for part in parts if part.amount is not None), NOTHING)
    return [max(worth * factor, NOTHING) if sum((part.quantity for part in parts), NOTHING) else NOTHING]


def plan_amount(
    model: str, params: Json, grounds: Sequence[tuple[str, Decimal]], share: Share, currency: str
) -> Decimal:
    """A charge of a whole plan, over the rounded amounts of the lines that it stands on."""
    codes = params.get("applies_to") or params.get("credits_apply_to") or ()
    base = sum((amount for code, amount in grounds if not codes or code in codes), NOTHING)
    if model == "commitment":
        return sum(limited(params, base, share), NOTHING)
    if model == "plan_discount":
        return -(base * number(params["discount_percent"]) / 100)
    worth = number(params["opening_balance"]) * number(params.get("credit_rate") or "1")
    return -min(max(base, NOTHING), rounded(worth, MINOR_UNITS.get(currency, 2), "floor"))


# Fee programs: the figures of somebody else, such as a payment provider


def program_fees(params: Json, terms: Json, parts: Sequence[Part], currency: str) -> Steps:
    """The fee of each transaction, of refunds and of active accounts."""
    steps: Steps = []
    accounts: dict[str, str] = {}
    failed = terms.get("failed_statuses") or []
    for part in parts:
        told = part.properties
        amount = number(told[params["amount"]]) if params.get("amount") else NOTHING
        country = told.get(params.get("country") or "", "") or params.get("home_country") or ""
        status = told.get(params.get("status") or "", "")
        flags = {
            flag["surcharge"]
            for flag in params.get("flags") or ()
            if told.get(flag["property"]) == flag.get("equals", "true")
        }
        account = told.get(params.get("account") or "", "")
        sent = status not in failed or terms.get("failed_makes_active")
        if sent and account and amount >= 0:
            accounts[account] = min(accounts.get(account, country), country)
        if amount < 0 and terms.get("refunds", "kept") != "kept":
            steps.append(part.events * _refund(amount, _table(terms, currency, country), flags, terms))
        elif amount >= 0 and status not in failed:
            steps.append(part.events * _fee(amount, _table(terms, currency, country), flags, terms))
    if any(get(table, "per_account") for table in terms["tables"]):
        steps += [get(_table(terms, currency, country), "per_account") for country in accounts.values()]
    return steps


def _table(terms: Json, currency: str, country: str) -> Json:
    own = [
        table
        for table in terms["tables"]
        if table["currency"] == currency and (table.get("country") or "") in (country, "")
    ]
    require(f"the fee program has no table for {currency} {country}", bool(own))
    return max(own, key=lambda table: table.get("country") or "")


def _rates(table: Json, flags: set[str], name: str) -> Decimal:
    return get(table, name) + sum(
        (get(one, name) for one in table.get("surcharges") or () if one["code"] in flags), NOTHING
    )


def _each(amount: Decimal, table: Json, terms: Json) -> Decimal:
    return money(amount, table["currency"]) if terms.get("rounding_level") == "per_payout" else amount


def _fee(amount: Decimal, table: Json, flags: set[str], terms: Json) -> Decimal:
    fee = amount * _rates(table, flags, "rate_percent") / 100
    if has(table, "percentage_minimum"):
        fee = max(fee, number(table["percentage_minimum"]))
    fee += _rates(table, flags, "fixed")
    if has(table, "minimum"):
        fee = max(fee, number(table["minimum"]))
    if has(table, "cap"):
        fee = min(fee, number(table["cap"]))
    return _each(fee, table, terms)


def _refund(amount: Decimal, table: Json, flags: set[str], terms: Json) -> Decimal:
    return _each(amount * _rates(table, flags, "rate_percent") / 100, table, terms)


# Agreements: which price, which share of a period

Times = tuple[datetime, datetime]
Stretch = tuple[Any, datetime, datetime | None]


def laid_out(versions: Iterable[Json]) -> list[Stretch]:
    """Versions end to end by their instant; of two with one instant the later version."""
    ordered = sorted(versions, key=lambda each: (instant(each["effective_at"]), each["version"]))
    starts = [instant(each["effective_at"]) for each in ordered]
    last = [place for place in range(len(ordered)) if place + 1 == len(ordered) or starts[place] != starts[place + 1]]
    ends = [*(starts[place] for place in last[1:]), None]
    return [(ordered[place]["id"], starts[place], end) for place, end in zip(last, ends, strict=True)]


def kept(stretches: list[Stretch], since: datetime, until: datetime) -> list[Stretch]:
    """What is in force at `since` stays until `until`; what would have come before waits."""
    held = next((one for one in stretches if one[1] <= since and (one[2] is None or since < one[2])), None)
    if held is None or held[2] is None or held[2] >= until:
        return stretches
    later = [one for one in stretches if one[1] >= held[2] and (one[2] is None or one[2] > until)]
    before = [one for one in stretches if one[1] < held[1]]
    return [*before, (held[0], held[1], until), *((key, max(start, until), end) for key, start, end in later)]


def in_force(stretches: Iterable[Stretch], start: datetime, end: datetime) -> list[Any]:
    return [key for key, since, until in stretches if since < end and (until is None or until > start)]


REFERENCE = re.compile("AUD-[0-9]{10}")
STARTED, CHANGED, ENDED = "subscription_started", "plan_changed", "subscription_ended"
KEPT, KEPT_ENDS = "prices_kept", ("kept_prices_released", "kept_prices_end_moved")


def plans_held(agreed: Iterable[Json]) -> list[Stretch]:
    """Which plan holds from when to when, after these agreements about a subscription, one after the other."""
    held: list[Stretch] = []
    end = None
    for one in agreed:
        at = instant(one["from"])
        if held:
            held[-1] = (*held[-1][:2], at)
        if one["action"] == ENDED:
            end = at
        else:
            held.append((one["plan"], at, end))
    return held


class Known(NamedTuple):
    """What a draft knew: the agreements before it in the audit chain, and versions and kept prices by an instant."""

    draft: str
    at: datetime

    def plans(self, subscription: Json) -> list[Stretch]:
        """Which plans hold."""
        return plans_held(one for one in subscription["agreed"] if one["audit_reference"] < self.draft)

    def end(self, subscription: Json) -> datetime | None:
        """When it is over."""
        return self.plans(subscription)[-1][2]

    def keeps(self, subscription: Json) -> Iterator[tuple[int, datetime, datetime]]:
        """Of which plan older prices are kept, from when until when."""
        for one in subscription["kept"]:
            ends = [end["ends_at"] for end in one["ends"] if end["audit_reference"] < self.draft]
            if ends and instant(one["created_at"]) <= self.at:
                yield one["plan"], instant(one["starts_at"]), instant(ends[-1])


def cut(times: Iterable[Times], stretches: Sequence[Stretch]) -> list[tuple[Any, Times]]:
    """What holds when inside these times."""
    inside = [
        (key, (max(start, since), end if until is None else min(end, until)))
        for start, end in times
        for key, since, until in stretches
    ]
    return [(key, part) for key, part in inside if part[0] < part[1]]


MONTHS = {"month": 1, "quarter": 3, "year": 12}


def boundary(anchor: date, interval: str, count: int) -> date:
    """So many intervals after the anchor; the 31st comes back after a short month."""
    if interval not in MONTHS:
        return anchor + timedelta(days=count * (7 if interval == "week" else 1))
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + count * MONTHS[interval], 12)
    after = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(anchor.day, (after - DAY).day))


def whole_period(terms: Json, at: datetime) -> tuple[datetime, datetime]:
    """The billing period around an instant, from boundary to boundary."""
    anchor, interval, zone, every = (
        date.fromisoformat(terms["anchor"]),
        terms["interval"],
        terms["zone"],
        terms["every"],
    )
    day = local_date(at, zone)
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    step = months // MONTHS[interval] if interval in MONTHS else (day - anchor).days // (7 if interval == "week" else 1)
    step = (step // every - 2) * every
    while midnight(boundary(anchor, interval, step + every), zone) <= at:
        step += every
    return midnight(boundary(anchor, interval, step), zone), midnight(boundary(anchor, interval, step + every), zone)


def share_of(segment: Times, terms: Json, ends_at: datetime | None, unit: str, zone: str) -> Share:
    """Of the whole billing period: in microseconds, local days, or days of months of thirty.

    The day of a change belongs to what begins on it; the day on which the subscription is over is a whole one.
    """
    start, end = segment
    first, over = whole_period(terms, start)
    if unit == "second":
        return Share((end - start) // MICROSECOND, (over - first) // MICROSECOND)
    count = date.toordinal if unit == "day" else day_of_thirty
    last = local_date(end, zone)
    if end == ends_at and end < over and midnight(last, zone) != end:
        last += DAY
    begin = count(local_date(first, zone))
    until = count(local_date(over, zone))
    return Share(min(count(last), until) - count(local_date(start, zone)), until - begin)


def day_of_thirty(day: date) -> int:
    last = (day + DAY).month != day.month
    return (day.year * 12 + day.month) * 30 + (30 if last else min(day.day, 30))


# What the pack says, table by table


class Books:
    """The files of a pack by what they are about."""

    def __init__(self, pack: Pack) -> None:
        prices, usage = pack.read("prices.json"), pack.read("usage.json")
        self.invoice, self.content = pack.read("invoice.json"), read_json(pack.raw("content.json"))
        self.charges, self.versions = _by_id(prices["charges"]), _by_id(prices["price_versions"])
        self.programs, self.tables = _by_id(prices["fee_programs"]), _by_id(prices["fee_versions"])
        self.plan_versions, self.subscriptions = _by_id(prices["plan_versions"]), _by_id(prices["subscriptions"])
        self.terms, self.tax_rates = _by_id(prices["invoice_terms"]), prices["tax_rates"]
        self.meters, self.snapshots = _by_id(usage["meters"]), _by_id(usage["snapshots"])
        self.streams, self.contracts = usage["streams"], usage["contracts"]
        self.sealings = usage.get("sealings", [])
        self._sealed = {(seq, now): before for one in self.sealings for seq, before, now in one["events"]}
        self.rated = _by_id(pack.read("ratings.json"))
        self.drafted = str(pack.read("decisions.json")["transitions"][0]["audit_reference"])
        self.policy = pack.read("policy.json")
        self.currency = str(self.content["currency"])
        self.subtotal, self.tax, self.total = map(number, self.content["totals"])
        self.prepaid, self.rounding = map(number, self.content.get("payable") or ("0", "0"))
        self.parts: dict[int, list[Part]] = {}
        self.recounted: set[int] = set()
        self.manifest = pack.read("manifest.json")
        self.own = self._own(self.manifest["line"])
        self.own_snapshots = {self.rated[one]["snapshot"] for one in self.own}

    def check_sealing(self, event: Event) -> None:
        """It says something else than when it was captured, and the audit chain says that this is all."""
        before = self._sealed.get((event.seq, event.since), "no sealing")
        equal(f"event {event.id} of {event.source}, as it was captured", event.fingerprint.hex(), before)

    def _own(self, position: int | None) -> set[int]:
        """The ratings that this pack works out: all, or what the one line that it is of follows from."""
        if position is None:
            return set(self.rated)
        of_line = {one["line"]["id"]: one for one in self.rated.values() if one["line"]}
        fresh = {one["rated"] for one in self.invoice["lines"] if one["position"] == position}
        found: set[int] = set()
        while fresh:
            found |= fresh
            fresh = {one["id"] for each in fresh for one in self._under(self.rated[each], of_line)} - found
        return found

    def _under(self, rated: Json, of_line: Mapping[int, Json]) -> Iterator[Json]:
        """What a rating stands on, takes off, corrects, or is rounded together with."""
        yield from (self.rated[each] for each in rated["grounds"])
        yield from (of_line[each] for each in rated["line"]["deducts"])
        yield from self.billed_before(rated)
        yield from self.rounded_with(rated)

    def billed_before(self, rated: Json) -> list[Json]:
        """The final lines that had billed of the same window or fee before the line that corrects it."""
        line = rated["line"]
        if line["adjusts"] is None:
            return []
        lines = [one for one in self.rated.values() if one["line"] and one["line"]["status"] == "final"]
        before = [one for one in lines if one["line"]["id"] < line["id"]]
        return [one for one in before if line["adjusts"] in (one["line"]["id"], one["line"]["adjusts"])]

    def rounded_with(self, rated: Json) -> list[Json]:
        """The lines of its invoice whose exact sum is rounded once, in their order; none where it is rounded alone."""
        line = rated["line"]
        if rated["rounding_level"] != "invoice" or line is None or line["adjusts"] is not None:
            return []
        lines = [one for one in self.rated.values() if one["line"] and one["line"]["invoice"] == line["invoice"]]
        together = [one for one in lines if one["line"]["adjusts"] is None and one["rounding_level"] == "invoice"]
        return sorted(together, key=lambda one: int(one["line"]["position"]))

    def known(self, rated: Json) -> Known:
        """What was known when this was rated."""
        return Known(rated["line"]["drafted"], instant(rated["rated_at"]))

    def known_first(self, rated: Json) -> Known:
        """What was known when its window or fee was first rated: that decides its price, whatever corrects it."""
        return self.known(rated if rated["first"] is None else self.rated[rated["first"]])

    def price(self, rated: Json) -> Json:
        found: Json = self.versions[rated["price_version"]]
        return found

    def zone(self, rated: Json) -> str:
        return str(self.subscriptions[rated["subscription"]]["zone"])

    def split(self, rated: Json) -> Split | None:
        version = self.price(rated)
        return wanted_split(version["model"], version["params"], self.zone(rated))

    def name(self, rated: Json) -> str:
        line = rated["line"]
        where = f"{line['number'] or 'draft'} line {line['position']}" if line else f"rating {rated['id']}"
        return f"{where} ({self.charges[rated['charge']]['code']})"


def _by_id(rows: Iterable[Json]) -> dict[int, Json]:
    return {row["id"]: row for row in rows}


# 3. Usage: every event once, for all the snapshots and prices that look at it


def check_usage(pack: Pack, books: Books, entries: Mapping[str, Json], report: Report) -> None:
    _check_sealings(books, entries, report)
    for stream in books.streams:
        _count_stream(pack, books, stream)
        report.holds(f"events of {stream['type']} until {stream['end']}: {stream['events']}, each with its fingerprint")
    for number_, snapshot in books.snapshots.items():
        meter = books.meters[snapshot["meter_version"]]
        name = f"snapshot {number_} of {meter['code']}"
        if number_ not in books.recounted:
            require(f"{name}: its events are not in this pack", number_ not in books.own_snapshots)
            report.stands_beside(f"{name}: its events are in the pack of its line")
        else:
            what = f"{snapshot['event_count']} events, {meter['aggregation']} = {plain(number(snapshot['quantity']))}"
            report.holds(f"{name}: {what}")


def _check_sealings(books: Books, entries: Mapping[str, Json], report: Report) -> None:
    """Number and both fingerprints of each event of which something was sealed later, as the chain hashed them."""
    for one in books.sealings:
        name, reference = f"the sealing {one['audit_reference']}", one["audit_reference"]
        require(f"{name}: the audit chain does not show it", reference in entries)
        entry = entries[reference]
        equal(f"{name}, what was done", entry["action"], "events.sealed_later")
        words = "".join(f"{seq} {before} {now}\n" for seq, before, now in one["events"])
        facts = entry["facts"]
        equal(f"{name}, its events", (facts["events"], facts["sha256"]), (len(one["events"]), sha256(words)))
    if books.sealings:
        count = sum(len(one["events"]) for one in books.sealings)
        report.holds(f"events of which something was sealed after capture: {count}, as the audit chain has them")


def _count_stream(pack: Pack, books: Books, stream: Json) -> None:
    """Read the stream twice: for its corrections, then for everything."""
    snapshots = [one for one in books.snapshots.values() if one["stream"] == stream["key"]]
    _check_stream(books, stream, snapshots)
    files = [file["path"] for file in stream["files"]]
    likely = (line for name in files for line in pack.lines(name) if b'"correction"' in line)
    corrections = Corrections(read_event(line, stream) for line in likely)
    measures = [(one, books.meters[one["meter_version"]]) for one in snapshots]
    taking = [(one, meter, Measure(meter, _span(one))) for one, meter in measures]
    priced = {rated["snapshot"]: rated for rated in books.rated.values() if rated["snapshot"] and books.split(rated)}
    splitting = {
        one["id"]: _parts(books, priced[one["id"]], one, meter) for one, meter in measures if one["id"] in priced
    }
    count, last, counts = 0, 0, []
    for name in files:
        counts.append(count)
        for line in pack.lines(name):
            event, _ = read_event(line, stream)
            if event.since:
                books.check_sealing(event)
            require(f"event {event.id}: it is not in the order of capture", event.seq > last)
            count, last = count + 1, event.seq
            for snapshot, meter, measure in taking:
                if _counts(event, snapshot, meter, corrections):
                    measure.take(event)
                    if snapshot["id"] in splitting:
                        splitting[snapshot["id"]].take(event)
    equal(f"the events of {stream['key']}", stream["events"], count)
    sizes = [after - before for before, after in pairwise([*counts, count])]
    equal(f"the events in each file of {stream['key']}", [file["events"] for file in stream["files"]], sizes)
    for snapshot, meter, measure in taking:
        _compare(snapshot, meter, measure)
        books.recounted.add(snapshot["id"])
    for number_, parts in splitting.items():
        books.parts[priced[number_]["id"]] = parts.parts()


def _check_stream(books: Books, stream: Json, snapshots: Sequence[Json]) -> None:
    """The stretch of time, customer and contract are those of its snapshots, as far as the last of these saw."""
    name = f"the stream {stream['key']}"
    for one in snapshots:
        meter = books.meters[one["meter_version"]]
        since = "1900-01-01T00:00:00Z" if meter["is_recurring"] else one["window"]["start"]
        equal(f"{name}, its time", (stream["start"], stream["end"]), (since, one["window"]["end"]))
        equal(f"{name}, whose it is", (stream["customer"], stream["contract"]), (one["customer"], meter["contract"]))
        equal(f"{name}, the meter of snapshot {one['id']}", one["meter"], meter["meter"])
    equal(f"{name}, up to", stream["up_to"], max(one["watermark"] for one in snapshots))
    types = {one["type"] for one in books.contracts if one["contract"] == stream["contract"]}
    equal(f"{name}, the type of its contract", {stream["type"]}, types)


def _parts(books: Books, rated: Json, snapshot: Json, meter: Json) -> Parts:
    split = books.split(rated)
    assert split is not None  # noqa: S101  only such are asked for
    return Parts(split, meter, _span(snapshot))


def _span(snapshot: Json) -> Span:
    window, period = snapshot["window"], snapshot["period"] or snapshot["window"]
    start, end, begin, over = (instant(one[name]) for one in (window, period) for name in ("start", "end"))
    return Span(start, end, (begin, over), snapshot["zone"])


def _counts(event: Event, snapshot: Json, meter: Json, corrections: Corrections) -> bool:
    start, end = instant(snapshot["window"]["start"]), instant(snapshot["window"]["end"])
    is_inside = event.at < end and (meter["is_recurring"] or event.at >= start)
    return is_inside and corrections.counts(event, snapshot["watermark"]) and passes(meter["filters"], event.data)


def _compare(snapshot: Json, meter: Json, measure: Measure) -> None:
    name = f"snapshot {snapshot['id']} of {meter['code']}"
    equal(f"{name}, events counted", snapshot["event_count"], measure.count)
    equal(f"{name}, form of the digest", snapshot["digest_form"], 1)
    equal(f"{name}, digest of its events", snapshot["digest"], measure.digest.hexdigest())
    equal(f"{name}, events without a value", snapshot["unmeasured_count"], measure.unusable)
    equal(f"{name}, quantity", number(snapshot["quantity"]), measure.quantity())


# 4. Agreements: which plan held when


def check_agreements(books: Books, entries: Mapping[str, Json], report: Report) -> None:
    """What was agreed about plans, each after the one before, and as the audit chain says it where that is shown."""
    for number_, subscription in books.subscriptions.items():
        name, agreed = f"subscription {number_}", subscription["agreed"]
        equal(f"{name}, what it began with", [one["action"] for one in agreed][:1], [STARTED])
        equal(f"{name}, its start", instant(agreed[0]["from"]), instant(subscription["starts_at"]))
        for before, one in pairwise(agreed):
            require(f"{name}: it began twice", one["action"] in (CHANGED, ENDED))
            require(f"{name}: its agreements are not in order", before["audit_reference"] < one["audit_reference"])
        starts = [instant(one["from"]) for one in agreed if one["action"] != ENDED]
        require(f"{name}: a plan ends before it begins", all(one < after for one, after in pairwise(starts)))
        said = {one["reference"]: one for one in entries.values() if _is_agreement(one, number_, books.drafted)}
        told = {one["audit_reference"]: one for one in agreed}
        require(f"{name}: an agreement of the audit chain is not told", said.keys() <= told.keys())
        for reference, one in told.items():
            require(f"{name}: {reference} is no reference", bool(REFERENCE.fullmatch(reference)))
            if reference in entries:
                _check_agreement(one, entries[reference], f"subscription:{number_}")
        _check_kept(books, subscription, entries)
    report.holds(
        f"subscriptions: {sum(len(one['agreed']) for one in books.subscriptions.values())} agreements on plans"
    )


def _is_agreement(entry: Json, subscription: int, drafted: str) -> bool:
    is_about = entry["subject"] == f"subscription:{subscription}" and entry["action"] in (STARTED, CHANGED, ENDED)
    return is_about and entry["reference"] < drafted


def _check_agreement(one: Json, entry: Json, subject: str) -> None:
    name = f"the agreement {one['audit_reference']}"
    place = {STARTED: "starts_at", CHANGED: "effective_at", ENDED: "ends_at"}[one["action"]]
    equal(f"{name} in the audit chain", (one["action"], subject), (entry["action"], entry["subject"]))
    equal(
        f"{name}, its plan and instant",
        (one["plan"], instant(one["from"])),
        (entry["facts"].get("plan"), instant(entry["facts"][place])),
    )
    equal(f"{name}, when", instant(one["recorded_at"]), instant(entry["recorded_at"]))


def _check_kept(books: Books, subscription: Json, entries: Mapping[str, Json]) -> None:
    """Older prices that are kept, each end after the one before, and as the audit chain says it where that is shown."""
    name = f"subscription {subscription['id']}"
    told = {end["audit_reference"]: (one, end) for one in subscription["kept"] for end in one["ends"]}
    said = {
        one["reference"]
        for one in entries.values()
        if one["subject"] == f"subscription:{subscription['id']}"
        and one["action"] in (KEPT, *KEPT_ENDS)
        and one["reference"] < books.drafted
    }
    require(f"{name}: prices kept by the audit chain are not told", said <= told.keys())
    for one in subscription["kept"]:
        actions, references = ([end[name_] for end in one["ends"]] for name_ in ("action", "audit_reference"))
        require(f"{name}: prices are kept that nobody agreed on", actions[:1] == [KEPT])
        require(f"{name}: the ends of kept prices are not in order", references == sorted(set(references)))
        require(f"{name}: prices are kept twice", all(each in KEPT_ENDS for each in actions[1:]))
        agreed_at = instant(one["ends"][0]["recorded_at"])
        require(f"{name}: kept prices are older than their agreement", instant(one["created_at"]) >= agreed_at)
    for reference, (one, end) in told.items():
        require(f"{name}: {reference} is no reference", bool(REFERENCE.fullmatch(reference)))
        if reference in entries:
            _check_kept_end(one, end, entries[reference], f"subscription:{subscription['id']}")


def _check_kept_end(one: Json, end: Json, entry: Json, subject: str) -> None:
    name, facts = f"the kept prices of {end['audit_reference']}", entry["facts"]
    equal(f"{name} in the audit chain", (end["action"], subject), (entry["action"], entry["subject"]))
    equal(f"{name}, when", instant(end["recorded_at"]), instant(entry["recorded_at"]))
    equal(f"{name}, their plan", one["plan_code"], facts.get("plan", one["plan_code"]))
    until = facts["until" if end["action"] == KEPT else "ends_at"]
    equal(f"{name}, their end", instant(end["ends_at"]), instant(until))
    if end["action"] == KEPT:
        equal(f"{name}, their start", instant(one["starts_at"]), instant(facts["since"]))


# 5. Ratings: quantity, price, share, parts, amount

PLAN_MODELS = ("commitment", "plan_discount", "prepaid_credits")
MODELS = {*TOTALS, *PLAN_MODELS, "flat", "bucketed", "dimensional", "fee_program"}


def check_ratings(books: Books, report: Report) -> None:
    for rated in books.rated.values():
        name = books.name(rated)
        version = books.price(rated)
        equal(f"{name}, currency", rated["currency"], books.currency)
        _check_quantity(books, rated, name)
        _check_plan(books, rated, name)
        _check_price(books, rated, name)
        _check_share(books, rated, name)
        _check_period(books, rated, name)
        _check_grounds(books, rated, name)
        _check_place(books, rated, name)
        split = books.split(rated) if rated["snapshot"] else None
        if split is not None and rated["id"] not in books.parts:
            require(f"{name}: its price asks for events that are not in this pack", rated["id"] not in books.own)
            report.stands_beside(f"{name}: its amount, for its price asks for its events")
            continue
        if split is None:
            equal(f"{name}, no parts of its usage", (rated["part_count"], rated["parts_digest"]), (None, ""))
        else:
            mark = mark_of(books.parts[rated["id"]])
            equal(f"{name}, the parts of its usage", (rated["part_count"], rated["parts_digest"]), mark)
        _compare_amount(rated, name, sum(_amount(books, rated, version), NOTHING))
        _check_rounding(books, rated, name)
        since = version["effective_at"][:10]
        quantity = plain(number(rated["quantity"]))
        report.holds(f"{name}: {quantity} at version {version['version']} since {since} = {rated['amount']}")


def _check_quantity(books: Books, rated: Json, name: str) -> None:
    quantity = number(rated["quantity"])
    charge = books.charges[rated["charge"]]
    if rated["snapshot"] is not None:
        snapshot = books.snapshots[rated["snapshot"]]
        equal(f"{name}, quantity", quantity, number(snapshot["quantity"]))
        equal(f"{name}, its stretch of time", rated["segment"], snapshot["window"])
        equal(f"{name}, its meter", charge["meter"], books.meters[snapshot["meter_version"]]["meter"])
        return
    require(f"{name}: usage without a snapshot", charge["meter"] is None)
    agreed = books.subscriptions[rated["subscription"]]["quantities"]
    start, known = instant(rated["segment"]["start"]), instant(rated["known_at"])
    mine = [one for one in agreed if one["charge"] == charge["code"] and instant(one["created_at"]) <= known]
    begun = [(instant(one["effective_at"]), one["id"], number(one["quantity"])) for one in mine]
    found = max((one for one in begun if one[0] <= start), default=(None, None, Decimal(1)))[2]
    equal(f"{name}, the agreed number", quantity, Decimal(1) if _is_of_plan(books, rated) else found)


def _check_place(books: Books, rated: Json, name: str) -> None:
    """What its line says is what was rated, unless it corrects one; and when it was first rated."""
    line, first = rated["line"], rated if rated["first"] is None else books.rated[rated["first"]]
    equal(f"{name}, since when its prices were known", rated["known_at"], first["rated_at"])
    plan = books.charges[rated["charge"]]["plan"]
    equal(f"{name}, its plan", books.plan_versions[rated["plan_version"]]["plan"], plan)
    if line is None:
        return
    equal(f"{name}, the line it corrects", None if first is rated else first["line"]["id"], line["adjusts"])
    if first is rated:
        equal(f"{name}, what was given back before it corrected anything", line["credited"], "0")
        says = number(line["quantity"]), number(line["amount"])
        equal(f"{name}, as it was billed", says, _less(rated, _taken_off(books, rated)))
    if line["invoice"] == books.invoice["id"]:
        equal(
            f"{name}, its invoice", (line["number"], line["status"]), (books.invoice["number"], books.invoice["status"])
        )


def _taken_off(books: Books, rated: Json) -> list[tuple[Decimal, Decimal]]:
    """What invoices inside the period billed of the same usage: quantity and amount of each line."""
    lines = {one["line"]["id"]: one["line"] for one in books.rated.values() if one["line"]}
    taken = [lines[each] for each in rated["line"]["deducts"]]
    require(f"{books.name(rated)} takes off what is not issued", all(one["status"] == "final" for one in taken))
    return [(number(one["quantity"]), number(one["amount"])) for one in taken]


def _less(rated: Json, billed: Sequence[tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
    quantity = sum((each for each, _ in billed), NOTHING)
    amount = sum((each for _, each in billed), NOTHING)
    return number(rated["quantity"]) - quantity, number(rated["amount"]) - amount


def _between(span: Json) -> Times:
    return instant(span["start"]), instant(span["end"])


def _laid_out_for(books: Books, rated: Json, versions: Iterable[Json], known: Known) -> list[Stretch]:
    """Those known by then, end to end, with what the subscription keeps of its plan's older ones."""
    stretches = laid_out(one for one in versions if _is_known(one, known.at))
    for plan, since, until in known.keeps(books.subscriptions[rated["subscription"]]):
        if plan == books.charges[rated["charge"]]["plan"]:
            stretches = kept(stretches, since, until)
    return stretches


def _prices(books: Books, rated: Json, known: Known) -> list[Stretch]:
    mine = [one for one in books.versions.values() if one["charge"] == rated["charge"]]
    return _laid_out_for(books, rated, mine, known)


def _plan_terms(books: Books, rated: Json, known: Known) -> list[Stretch]:
    plan = books.charges[rated["charge"]]["plan"]
    return _laid_out_for(books, rated, [one for one in books.plan_versions.values() if one["plan"] == plan], known)


def _check_plan(books: Books, rated: Json, name: str) -> None:
    """The subscription was on the plan of the price all that time, as agreed when it was first rated."""
    if rated["line"] is None or rated["first"] is not None:
        return
    times = [_between(one) for one in (rated["stretches"] if _is_of_plan(books, rated) else [rated["segment"]])]
    own = books.charges[rated["charge"]]["plan_code"]
    plans = books.known(rated).plans(books.subscriptions[rated["subscription"]])
    held = [part for key, part in cut(times, plans) if key == own]
    require(f"{name}: the subscription was not on the plan {own} all that time", times == held)


def _is_of_plan(books: Books, rated: Json) -> bool:
    return books.price(rated)["model"] in PLAN_MODELS


def _check_price(books: Books, rated: Json, name: str) -> None:
    """The one version in force over the whole stretch, of those approved when it was first rated."""
    start, end = _between(rated["segment"])
    version, known = books.price(rated), books.known_first(rated)
    equal(f"{name}, charge of its price", version["charge"], rated["charge"])
    equal(f"{name}, in force since", instant(rated["effective_at"]), instant(version["effective_at"]))
    found = in_force(_prices(books, rated, known), start, end)
    plans = in_force(_plan_terms(books, rated, known), start, end)
    if rated["fee_version"] is None:
        equal(f"{name}, price in force", [version["id"]], found)
        equal(f"{name}, plan terms in force", [rated["plan_version"]], plans)
        return
    table = books.tables[rated["fee_version"]]
    program = books.programs[table["program"]]
    equal(f"{name}, its fee program", version["params"]["program"], program["code"])
    same = [one for one in books.tables.values() if one["program"] == table["program"] and _is_known(one, known.at)]
    tables = in_force(laid_out(same), start, end)
    is_whole = program["takes_effect"] == "next_period"
    equal(f"{name}, price in force", [version["id"]], found[:1] if is_whole else found)
    equal(f"{name}, plan terms in force", [rated["plan_version"]], plans[:1] if is_whole else plans)
    equal(f"{name}, fee table in force", [table["id"]], tables[:1] if is_whole else tables)


def _is_known(version: Json, at: datetime) -> bool:
    return version["decided_at"] is not None and instant(version["decided_at"]) <= at


def _check_share(books: Books, rated: Json, name: str) -> None:
    """Fees, and what is included in a price or limits it, get their share of the period; usage is never divided."""
    says = share_told(rated)
    version, terms = books.price(rated), books.subscriptions[rated["subscription"]]
    is_fee = books.charges[rated["charge"]]["meter"] is None
    if not (is_fee or _follows_share(version)):
        equal(f"{name}, share of its period", says, WHOLE)
        return
    if rated["first"] is not None:
        first = books.rated[rated["first"]]
        if is_fee and version["model"] not in PLAN_MODELS:
            _check_used_share(books, rated, first, name)
        else:
            equal(f"{name}, share of its period", says, share_told(first))
        return
    plan = books.plan_versions[rated["plan_version"]]
    zone, unit, ends_at = plan["proration_zone"] or terms["zone"], rated["share"]["unit"], books.known(rated).end(terms)
    shares = [share_of(_between(one), terms, ends_at, unit, zone) for one in rated["stretches"] or [rated["segment"]]]
    whole = shares[-1].whole
    equal(f"{name}, share of its period", says, Share(sum(one.part for one in shares if one.whole == whole), whole))


def _check_period(books: Books, rated: Json, name: str) -> None:
    """A whole invoice bills one period of its subscription, up to the end of that or of the subscription.

    That is the end as agreed when the first draft billed some of the period: an interim one, or one discarded since.
    """
    line, terms = rated["line"], books.subscriptions[rated["subscription"]]
    start, end = map(instant, books.content["period"])
    is_own = line is not None and (line["invoice"], line["adjusts"]) == (books.invoice["id"], None)
    if not is_own or line["invoice_kind"] != "cycle" or instant(rated["segment"]["start"]) >= end:
        return
    first, over = whole_period(terms, start)
    known = books.known(rated)
    begun = str(books.invoice["period_begun"]["audit_reference"])
    is_before = bool(REFERENCE.fullmatch(begun)) and begun <= known.draft
    require(f"{name}: its period was begun by no draft before it", is_before)
    last = known._replace(draft=begun).end(terms) or over
    require(f"{name}: the invoice bills no period of its subscription", first <= start and end == min(over, last))


def _check_grounds(books: Books, rated: Json, name: str) -> None:
    """A line of a whole plan stands on the lines of that plan before it: usage and fees, discounts, limits, credits.

    Limits are of the period: without fees in advance of the next one, with those of this one that were billed before.
    """
    if not _is_of_plan(books, rated):
        equal(f"{name}, the lines that it stands on", rated["grounds"], [])
        return
    line, model = rated["line"], books.price(rated)["model"]
    if line is None or line["invoice"] != books.invoice["id"] or line["adjusts"] is not None:
        return
    plan, is_limit = books.charges[rated["charge"]]["plan"], model == "commitment"
    end = instant(books.content["period"][1])
    here = [one for one in books.rated.values() if one["line"] and one["line"]["invoice"] == line["invoice"]]
    own = {
        one["id"]
        for one in here
        if one["line"]["adjusts"] is None
        and books.charges[one["charge"]]["plan"] == plan
        and _turn(books.price(one)["model"]) < _turn(model)
        and not (is_limit and instant(one["segment"]["start"]) >= end)
    }
    earlier = [books.rated[each] for each in rated["grounds"] if each not in own]
    equal(f"{name}, the lines of its plan that it stands on", sorted(own), sorted(own.intersection(rated["grounds"])))
    for one in earlier:
        is_fee = books.price(one)["params"].get("billed") == "in_advance" and instant(one["segment"]["start"]) < end
        is_same_plan = books.charges[one["charge"]]["plan"] == plan
        require(f"{name} stands on what is no fee in advance of its period", is_limit and is_fee and is_same_plan)
    equal(f"{name}, a line that it stands on twice", len(rated["grounds"]), len(set(rated["grounds"])))


def _turn(model: str) -> int:
    """Discounts see usage and fees, limits see discounts as well, and credits limits."""
    return ("plan_discount", "commitment", "prepaid_credits").index(model) if model in PLAN_MODELS else -1


def share_told(rated: Json) -> Share:
    return Share(rated["share"]["part"], rated["share"]["whole"])


def _check_used_share(books: Books, rated: Json, first: Json, name: str) -> None:
    """A fee paid in advance is due for the time in which its plan and its price held, as agreed by now."""
    says, whole = (share_told(one) for one in (rated, first))
    units = rated["share"]["unit"], first["share"]["unit"]
    equal(f"{name}, the period it has a share of", (says.whole, units[0]), (whole.whole, units[1]))
    equal(f"{name}, how much of the paid time was used", says.part, _used_part(books, rated, first))


def _used_part(books: Books, rated: Json, first: Json) -> int:
    """Days or microseconds of the paid time, as far as the subscription goes, in which plan and price hold.

    They are counted by the terms by which that time was billed.
    """
    terms, known = books.subscriptions[rated["subscription"]], books.known(rated)
    plans, ends_at = known.plans(terms), known.end(terms)
    start, paid_until = _between(rated["segment"])
    end = min(paid_until, ends_at or paid_until)
    prices, versions = _prices(books, rated, known), _plan_terms(books, rated, known)
    own = books.charges[rated["charge"]]["plan_code"]
    parts = [(start, end)] if start < end else []
    stays = cut(parts, [one for one in plans if one[0] == own])
    under_terms = [part for _, stay in stays for _, part in cut([stay], versions)]
    used = [part for _, part in cut(under_terms, [one for one in prices if one[0] == rated["price_version"]])]
    said = books.plan_versions[first["plan_version"]]
    unit, zone = said["proration_unit"], said["proration_zone"] or terms["zone"]
    return sum(share_of(part, terms, ends_at, unit, zone).part for part in used)


def _follows_share(version: Json) -> bool:
    """Whether a part of a period gets a part of what is included, committed, least or most."""
    params = version["params"]
    if version["model"] == "fee_program":
        return False
    inside = (
        [params["default"], *(each["params"] for each in params["prices"])] if version["model"] == "dimensional" else []
    )
    units = ("included_quantity", "usage_discount", "committed_quantity", "committed_amount")
    limits = ("minimum_amount", "maximum_amount")
    return any(
        each.get("partial_period", "prorate") == "prorate"
        and (
            any(has(each, name) for name in limits)
            or (version["model"] != "bucketed" and any(get(each, name) for name in units))
        )
        for each in (params, *inside)
    )


def _amount(books: Books, rated: Json, version: Json) -> Steps:
    share, currency, params = (
        share_told(rated),
        rated["currency"],
        version["params"],
    )
    if version["model"] in PLAN_MODELS:
        grounds = [books.rated[number_] for number_ in rated["grounds"]]
        lines = [(books.charges[one["charge"]]["code"], number(one["amount"])) for one in grounds]
        return [plan_amount(version["model"], params, lines, share, currency)]
    require(f"nobody knows prices by {version['model']}", version["model"] in MODELS)
    quantity = number(rated["quantity"])
    if rated["snapshot"] is None:
        return price_counted(version["model"], params, quantity, share, currency)
    terms = books.tables[rated["fee_version"]]["terms"] if rated["fee_version"] else None
    return price(version["model"], params, Usage(quantity, books.parts.get(rated["id"])), share, currency, terms)


def _compare_amount(rated: Json, name: str, exact: Decimal) -> None:
    equal(f"{name}, amount before its rounding", number(rated["amount_exact"]), exact)
    alone = money(exact, rated["currency"])
    equal(f"{name}, amount", number(rated["amount"]), alone + number(rated["rounding"]))
    total = NOTHING
    is_whole = rated["share"]["part"] == rated["share"]["whole"]
    for step in rated["computation"]:
        amount = number(step["amount"])
        total += amount
        product = number(step["quantity"]) * number(step["unit_price"]) + number(step["flat_fee"])
        require(f"{name}, the step {step['label']}: it does not multiply", amount == product or not is_whole)
    equal(f"{name}, its steps together", total, exact)


def _check_rounding(books: Books, rated: Json, name: str) -> None:
    """Each line by itself, or the exact sum of an invoice's lines once, as the terms of the plan say.

    A correction keeps what its line got of that as long as it comes to the same.
    """
    says, first = number(rated["rounding"]), books.rated[rated["first"]] if rated["first"] is not None else None
    if first is not None:
        is_same = number(first["amount_exact"]) == number(rated["amount_exact"])
        equal(f"{name}, how it is rounded", rated["rounding_level"], first["rounding_level"])
        equal(f"{name}, what rounding together gave", says, number(first["rounding"]) if is_same else NOTHING)
        return
    level = books.plan_versions[rated["plan_version"]]["rounding_level"]
    is_alone = _is_of_plan(books, rated) or (rated["line"] and rated["line"]["invoice_kind"] == "interim")
    equal(f"{name}, how it is rounded", rated["rounding_level"], "line" if is_alone else level)
    group = books.rounded_with(rated)
    amounts = rounded_together([number(one["amount_exact"]) for one in group], rated["currency"])
    again = [amount for one, amount in zip(group, amounts, strict=True) if one is rated]
    alone = money(number(rated["amount_exact"]), rated["currency"])
    equal(f"{name}, what rounding together gave", says, sum(again, NOTHING) - alone if again else NOTHING)


def rounded_together(exact: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Down or up, so that they add up to their rounded sum; up go the largest remainders, of equals the first."""
    scale = MINOR_UNITS.get(currency, 2)
    down = [rounded(one, scale, "floor") for one in exact]
    left = int((money(sum(exact, NOTHING), currency) - sum(down, NOTHING)).scaleb(scale))
    order = sorted(range(len(exact)), key=lambda place: (down[place] - exact[place], place))
    up = set(order[:left])
    return [one + Decimal(1).scaleb(-scale) * (place in up) for place, one in enumerate(down)]


# 6. The invoice: lines, tax, totals, hash


def check_invoice(pack: Pack, books: Books, report: Report) -> None:
    invoice, content = books.invoice, books.content
    named = books.manifest["invoice"], books.manifest["number"]
    equal("the invoice that the manifest names", named, (invoice["id"], invoice["number"]))
    equal("content.json, its form", pack.raw("content.json"), canonical(content).encode())
    equal("the content hash of the invoice", invoice["content_hash"], sha256(pack.raw("content.json")))
    equal("the lines of the invoice", len(invoice["lines"]), len(content["lines"]))
    for line, told in zip(invoice["lines"], content["lines"], strict=True):
        _check_line(books, line, told)
    _check_credits(books)
    _check_totals(books)
    count = len(content["lines"])
    report.holds(
        f"invoice {invoice['number'] or 'draft'}: {count} lines, taxes, total {content['totals'][2]} {books.currency}"
    )


def _check_line(books: Books, line: Json, told: Json) -> None:
    rated = books.rated[line["rated"]]
    name = books.name(rated)
    says = number(told["quantity"]), number(told["amount"])
    equal(f"{name}, its place", (line["position"], line["adjusts"]), (told["position"], told["adjusts"]))
    equal(
        f"{name}, what it says of itself",
        _own(rated),
        (line["id"], books.invoice["id"], line["position"], *says, line["adjusts"]),
    )
    equal(f"{name}, its computation", told["computation"], rated["computation"])
    price_version, effective_at, quantity, amount = told["rated"]
    found = (rated["price_version"], instant(rated["effective_at"]), number(rated["quantity"]), number(rated["amount"]))
    equal(f"{name}, its rating", (price_version, instant(effective_at), number(quantity), number(amount)), found)
    equal(
        f"{name}, its stretch of time",
        [instant(one) for one in told["segment"]],
        [instant(one) for one in _edges(rated)],
    )
    snapshot = books.snapshots.get(rated["snapshot"])
    equal(
        f"{name}, its events",
        told["events"],
        None if snapshot is None else [snapshot["event_count"], snapshot["digest"]],
    )
    equal(f"{name}, what it takes off", told.get("deducts", []), rated["line"]["deducts"])
    if line["adjusts"] is None:
        equal(f"{name}, quantity and amount on the invoice", says, _less(rated, _taken_off(books, rated)))
    else:
        _check_adjustment(books, rated, name, says)


def _own(rated: Json) -> tuple[Any, ...]:
    line = rated["line"]
    return (
        line["id"],
        line["invoice"],
        line["position"],
        number(line["quantity"]),
        number(line["amount"]),
        line["adjusts"],
    )


def _edges(rated: Json) -> tuple[str, str]:
    return rated["segment"]["start"], rated["segment"]["end"]


def _check_adjustment(books: Books, rated: Json, name: str, says: tuple[Decimal, Decimal]) -> None:
    """The whole window as known now, less what final lines had billed of it; those are checked in the same way."""
    line = rated["line"]
    billed = books.billed_before(rated)
    first = next((one for one in billed if one["line"]["id"] == line["adjusts"]), None)
    require(f"{name}: the line that it corrects is not in the pack", first is not None)
    if first is not None and first["snapshot"] is not None:
        equal(f"{name}, the snapshot it corrects", books.snapshots[rated["snapshot"]]["corrects"], first["snapshot"])
    figures = [one if one is first else one["line"] for one in billed]  # what the first took off was billed as well
    quantity, amount = _less(rated, [(number(one["quantity"]), number(one["amount"])) for one in figures])
    again = quantity, due(amount, number(line["credited"]))
    equal(f"{name}, what it corrects by", says, again)
    for one in billed:
        told = number(one["line"]["quantity"]), number(one["line"]["amount"])
        if one["line"]["adjusts"] is not None:
            _check_adjustment(books, one, books.name(one), told)


def due(difference: Decimal, credited: Decimal) -> Decimal:
    """A correction that gives back counts what credit notes gave back already, and never turns round for it."""
    if difference * credited <= 0:
        return difference
    left = difference - credited
    return left if left * difference > 0 else NOTHING


def _check_credits(books: Books) -> None:
    """What a credit note gives back: no more than the line that it names, and the other way round."""
    lines = {one["line"]["id"]: one for one in books.rated.values() if one["line"]}
    for position, credited, _, amount, _ in books.content.get("credit_lines", ()):
        require(f"credit {position} names a line that is not in the pack", credited in lines)
        charged, given = number(lines[credited]["line"]["amount"]), number(amount)
        fits = charged * given < 0 and abs(given) <= abs(charged)
        require(f"credit {position} is more than {books.name(lines[credited])} or does not give it back", fits)


def _check_totals(books: Books) -> None:
    """Allowances and charges, tax once per category and rate, totals, what rounds the amount to be paid."""
    content = books.content
    nets: dict[tuple[str, Decimal], Decimal] = defaultdict(lambda: NOTHING)
    for line in content["lines"]:
        nets[line["tax"][0], number(line["tax"][1])] += number(line["amount"])
    for *_, amount, (category, percent) in content.get("credit_lines", ()):
        nets[category, number(percent)] += number(amount)
    lines = dict(nets)
    for position, term, kind, _, share, amount, (category, percent) in content.get("allowances_charges", ()):
        _check_term(
            books,
            f"allowance or charge {position}",
            (term, kind, share, number(amount)),
            lines,
            (category, number(percent)),
        )
        nets[category, number(percent)] += number(amount) if kind == "charge" else -number(amount)
    worked_out = [
        (category, percent, nets[category, percent], money(nets[category, percent] * percent / 100, books.currency))
        for category, percent in sorted(nets)
    ]
    says = [(category, *map(number, figures)) for _, category, *figures, _ in content["taxes"]]
    equal("the taxes", says, worked_out)
    subtotal = sum((taxable for *_, taxable, _ in worked_out), NOTHING)
    tax = sum((each for *_, each in worked_out), NOTHING)
    equal("the totals", [books.subtotal, books.tax, books.total], [subtotal, tax, subtotal + tax])
    for name, category, percent, *_ in content["taxes"]:
        begun = [one for one in books.tax_rates if instant(one["effective_at"]) < instant(content["period"][1])]
        known = [(one["name"], one["category"], number(one["percent"])) for one in begun]
        require(
            f"the tax {name} is none of the rates there are",
            category == "O" or (name, category, number(percent)) in known,
        )
    if books.rounding:
        multiples = [number(one["amount"]) for one in books.terms.values() if one["kind"] == "rounding"]
        payable = subtotal + tax - books.prepaid + books.rounding
        fits = any(payable % one == 0 and abs(books.rounding) * 2 <= one for one in multiples if one)
        require("the amount to be paid is not rounded as agreed", fits)


def _check_term(
    books: Books,
    name: str,
    says: tuple[Any, ...],
    lines: Mapping[tuple[str, Decimal], Decimal],
    tax: tuple[str, Decimal],
) -> None:
    number_, kind, share, amount = says
    term = books.terms[number_]
    equal(f"{name}, its kind", kind, term["kind"])
    if share is None:
        turned = -1 if "credits" in books.content else 1  # a credit note takes it back
        whole = max(turned * sum(lines.values(), NOTHING), NOTHING)
        agreed = number(term["amount"])
        equal(f"{name}, its amount", turned * amount, min(agreed, whole) if kind == "allowance" else agreed)
        return
    percent, base = map(number, share)
    equal(f"{name}, its percentage", percent, number(term["percent"]))
    equal(f"{name}, what it is taken of", base, lines[tax])
    equal(f"{name}, its amount", amount, money(base * percent / 100, books.currency))


# 7. Decisions: moves, approvals, holds, reconciliations, delta reports

APPROVED = "invoice.approval_given"


def check_decisions(pack: Pack, books: Books, entries: Mapping[str, Json], report: Report) -> None:
    """Every move follows the one before, stands in the audit chain, and the figures approved are these."""
    told, invoice = pack.read("decisions.json"), books.invoice
    state = _check_moves(told["transitions"], f"invoice:{invoice['id']}", entries)
    equal("the state of the invoice", (invoice["status"], invoice["revision"]), (state, len(told["transitions"]) - 1))
    _check_approvals(books, told, entries)
    for rated in books.rated.values():
        if rated["line"] and rated["line"]["invoice"] == invoice["id"]:
            says = rated["line"]["drafted"], rated["line"]["invoice_kind"]
            equal(f"{books.name(rated)}, its draft", says, (books.drafted, invoice["kind"]))
    _check_instants(books, told["transitions"], entries)
    _check_holds(told)
    _check_words(told)
    _check_tie_out(books, told["tie_outs"], told["breaks"])
    _check_deltas(books, told["delta_reports"])
    if state in ("approved", "final"):
        approval = next(move for move in reversed(told["transitions"]) if move["to"] == "approved")
        equal(
            "the figures that were approved",
            (invoice["approved_hash"], approval["content_hash"]),
            (invoice["content_hash"],) * 2,
        )
        equal("who approved", invoice["approved_by"], approval["actor"])
        require("the author approved it", invoice["drafted_by"] is None or invoice["drafted_by"] != approval["actor"])
        require("a break was open", all(one["closed_at"] for one in told["breaks"]))
        require("a hold was open", all(one["released_at"] for one in told["holds"]))
    for hold in told["holds"]:
        require(
            "a hold was released by who placed it",
            hold["placed_by"] is None or hold["placed_by"] != hold["released_by"],
        )
    moves = " → ".join(move["to"] for move in told["transitions"])
    counts = ", ".join(
        f"{len(told[name])} {name.replace('_', ' ')}" for name in ("approvals", "holds", "breaks", "delta_reports")
    )
    report.holds(f"decisions: {moves}; {counts}, each move in the audit chain")


def _check_moves(moves: Sequence[Json], subject: str, entries: Mapping[str, Json]) -> str:
    """Each move of an invoice after the one before, as the audit chain says it; the state that they lead to."""
    state = ""
    for place, move in enumerate(moves):
        name = f"{subject}, the move to {move['to']}"
        equal(f"{name}, its place", (move["revision"], move["from"]), (place, state))
        entry = _entry(move, name, subject, entries)
        facts = {key: entry["facts"][key] for key in ("from", "to", "reason", "content_hash")}
        equal(f"{name} in the audit chain", {key: move[key] for key in facts}, facts)
        state = move["to"]
    return state


def _entry(
    told: Json, name: str, subject: str, entries: Mapping[str, Json], names: str = "actor at audit_reference"
) -> Json:
    """The entry of the audit chain that something names: about this subject, by this person, at this instant."""
    person, at, reference = names.split()
    require(f"{name}: the audit chain does not show {told[reference]}", told[reference] in entries)
    entry = entries[told[reference]]
    equal(f"{name}, by whom", (told[person], subject), (entry["actor"], entry["subject"]))
    equal(f"{name}, when", instant(told[at]), instant(entry["recorded_at"]))
    return entry


def _check_approvals(books: Books, told: Json, entries: Mapping[str, Json]) -> None:
    """All that the chain has, and over the figures that were approved as many people as the policy asks for."""
    invoice, approvals = books.invoice, told["approvals"]
    subject = f"invoice:{invoice['id']}"
    said = {one["reference"] for one in entries.values() if (one["action"], one["subject"]) == (APPROVED, subject)}
    equal("the approvals in the audit chain", {one["audit_reference"] for one in approvals}, said)
    for one in approvals:
        facts = _entry(one, "an approval", subject, entries, "person given_at audit_reference")["facts"]
        equal(
            "an approval, of what",
            (one["content_hash"], one["people_needed"]),
            (facts["content_hash"], facts["needed"]),
        )
        require("an approval of what was not there", 0 <= one["revision"] < len(told["transitions"]))
    if not approvals or invoice["status"] not in ("approved", "final"):
        return
    place = max(place for place, move in enumerate(told["transitions"]) if move["to"] == "approved")
    live = [one for one in approvals if (one["revision"], one["content_hash"]) == (place - 1, invoice["content_hash"])]
    needed = max([_people_needed(books), *(one["people_needed"] for one in live)])
    require("fewer people approved it than the policy asks for", len({one["person"] for one in live}) >= needed)


def _people_needed(books: Books) -> int:
    """Two above the amount of the policy, of either sign."""
    terms = {} if books.policy is None else books.policy["policy"]["terms"]
    above = (terms.get("approval") or {}).get("second_person_above") or {}
    limit = above.get(books.currency)
    return 2 if limit is not None and abs(books.total) > number(limit) else 1


def _check_instants(books: Books, moves: Sequence[Json], entries: Mapping[str, Json]) -> None:
    """When it was drafted, approved and issued, under which number, and when it is due."""
    invoice, content = books.invoice, books.content
    at = {move["to"]: move["at"] for move in moves}
    drafted = moves[0]["at"], moves[0]["actor"]
    equal("when it was drafted, and by whom", (invoice["drafted_at"], invoice["drafted_by"]), drafted)
    if invoice["status"] in ("approved", "final"):
        equal("when it was approved", invoice["approved_at"], at["approved"])
    elif "approved" not in at:
        equal("an approval that never was", (invoice["approved_hash"], invoice["approved_at"]), ("", None))
    equal("what kind it is", invoice["kind"], content.get("kind", "cycle"))
    equal("what document it is", invoice["document_type"], content.get("document_type", "invoice"))
    if invoice["status"] == "final":
        equal("when it was issued", invoice["finalized_at"], at["final"])
        equal(
            "its number in the audit chain", invoice["number"], entries[moves[-1]["audit_reference"]]["facts"]["number"]
        )
        due = date.fromisoformat(invoice["issue_date"]) + content["terms_days"] * DAY
        equal("when it is due", invoice["due_date"], due.isoformat())


def _check_deltas(books: Books, reports: Sequence[Json]) -> None:
    """Lines that correct issued ones were allowed by finance, not by who asked, over these very figures."""
    invoice = books.invoice
    amounts = {
        line["id"]: number(told["amount"]) for line, told in zip(invoice["lines"], books.content["lines"], strict=True)
    }
    changed = set()
    for report in reports:
        name, told = f"delta report {report['id']}", read_json(report["hashed_text"])
        equal(f"{name}, the hash of its words", report["content_hash"], sha256(report["hashed_text"]))
        equal(f"{name}, what was asked for", report.get("asked_for", told["reason"]), told["reason"])
        equal(f"{name}, its kind and draft", (report["kind"], told["invoice"]), (told["kind"], invoice["content_hash"]))
        if invoice["status"] in ("approved", "final"):
            equal(f"{name}, its decision", report["status"], "approved")
            require(f"{name} was approved by its author", report["created_by"] != report["decided_by"])
        for row in told["rows"]:
            _, _, line, _, cause, *_, figures, _ = row
            if line in amounts and cause not in ("redraft", "credit"):
                change = number(figures[3]) - number(figures[2])
                equal(f"{name}, the change of line {line}", change, amounts[line])
            changed.add(line)
    corrected = {line["id"] for line in invoice["lines"] if line["adjusts"] is not None}
    if reports:
        require("a correction stands in no delta report", corrected <= changed)


def _check_holds(told: Json) -> None:
    """Each hold that a person placed is a move to held, each release a move back: by whom and when."""
    moves = {(move["to"], move["actor"], move["at"], move["reason"]) for move in told["transitions"]}
    for hold in told["holds"]:
        if hold["placed_by"] is not None:
            require("a hold is no move", ("held", hold["placed_by"], hold["placed_at"], hold["reason"]) in moves)
        if hold["released_by"] is not None:
            released = ("draft", hold["released_by"], hold["released_at"], hold["release_reason"])
            require("a release is no move", released in moves)


def _check_words(told: Any) -> None:
    """What a person wrote lies sealed; the words shown beside it are those that it promises, or are erased."""
    if not isinstance(told, dict):
        for inner in told if isinstance(told, list) else ():
            _check_words(inner)
        return
    for key, said in told.items():
        _check_words(said)
        if not key.endswith(IN_WORDS):
            continue
        name = key.removesuffix(IN_WORDS)
        if (salt := told.get(f"{name}_salt")) is None:
            require(f"a {name} is shown without its salt", said.startswith("erased"))
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(f"{salt}{said}".encode()).digest())
        equal(f"a {name} in words", told[name].rpartition(".")[2], digest.rstrip(b"=").decode())


def _check_tie_out(books: Books, tie_outs: Sequence[Json], breaks: Sequence[Json]) -> None:
    """The last reconciliation compared the events of the lines that are on the invoice."""
    if not tie_outs:
        return
    last, rated = tie_outs[-1], [books.rated[line["rated"]] for line in books.invoice["lines"]]
    counted = sum(books.snapshots[one["snapshot"]]["event_count"] for one in rated if one["snapshot"] is not None)
    equal(
        "the reconciliation, events and lines", (last["aggregated_events"], last["rated_lines"]), (counted, len(rated))
    )
    if last["is_tied"]:
        equal("the reconciliation, raw events", last["raw_events"], last["aggregated_events"])
    elif books.invoice["status"] in ("approved", "final"):
        require("an invoice that does not tie was approved without an accepted break", bool(last["breaks"]))
    for one in tie_outs:
        require("a reconciliation that ties has breaks", not (one["is_tied"] and one["breaks"]))
        require("a reconciliation without a break does not tie", one["is_tied"] or bool(breaks))


# 8. Policy and journal


def check_policy(books: Books, report: Report) -> None:
    told = books.policy
    if told is None:
        equal("the policy of the invoice", books.content["policy"], None)
        report.holds("policy: none, the invoice is older than policies")
        return
    policy, signed = told["policy"], read_json(told["signed_text"])
    equal("the policy of the invoice", (books.content["policy"], "signed"), (policy["id"], policy["status"]))
    equal("the policy, what was signed", policy["content_hash"], sha256(told["signed_text"]))
    says = policy["program"], policy["version"], instant(policy["effective_at"]), policy["terms"]
    equal(
        "the policy, its words",
        says,
        (signed["program"], signed["version"], instant(signed["effective_at"]), signed["terms"]),
    )
    live = [one for one in told["sign_offs"] if one["voided_at"] is None]
    equal("the policy, who signs", sorted(one["role"] for one in live), ["finance", "ops", "product"])
    people = {one["person"] for one in live} | {policy["proposed_by"]}
    equal("the policy, its author and three who signed", len(people), 4)
    equal("the policy, under what they signed", {one["content_hash"] for one in live}, {policy["content_hash"]})
    report.holds(f"policy {policy['program']} version {policy['version']}: signed by product, finance and ops")


def check_books(pack: Pack, books: Books, report: Report) -> None:
    """Each entry balances, and that of the final invoice is over its total."""
    entries, owed = pack.read("ledger.json"), books.total + books.rounding
    for entry in entries:
        sums = [sum((number(one[side]) for one in entry["postings"]), NOTHING) for side in ("debit", "credit")]
        equal(f"journal entry {entry['key']}, debits and credits", *sums)
        equal(f"journal entry {entry['key']}, its currency", entry["currency"], books.currency)
        if entry["key"] == f"invoice:{books.invoice['id']}:final":
            equal("the journal, what is owed", _net(entry, "accounts_receivable", "customer_balance_liability"), owed)
            equal("the journal, tax", -_net(entry, "tax_payable"), books.tax)
    keys = [entry["key"] for entry in entries]
    has_to_be = books.invoice["status"] == "final" and bool(owed or books.tax)
    booked = keys.count(f"invoice:{books.invoice['id']}:final")
    require("the invoice is booked once it is final, and once only", int(has_to_be) <= booked <= 1)
    report.holds(f"journal: {len(entries)} entries, balanced")


def _net(entry: Json, *accounts: str) -> Decimal:
    mine = [one for one in entry["postings"] if one["account"] in accounts]
    return sum((number(one["debit"]) - number(one["credit"]) for one in mine), NOTHING)


# 9. The money: what is to be paid, held, given back, contested

HELD, LIFTED = "invoice.collection_held", "invoice.collection_lifted"
SIDES, BALANCES = ("receivable", "in_favour"), ("accounts_receivable", "customer_balance_liability")
MONEY = {"collection_holds": "holds on its collection", "corrected_by": "documents that correct it"} | {
    name: name for name in ("disputes", "payments", "payouts")
}


def check_money(pack: Pack, books: Books, entries: Mapping[str, Json], report: Report) -> None:
    told = pack.read("money.json")
    total, prepaid, rounding = books.total, books.prepaid, books.rounding
    says = [number(told["payable"][name]) for name in ("total", "prepaid", "rounding", "payable")]
    equal("what is to be paid", says, [total, prepaid, rounding, total - prepaid + rounding])
    _check_set_off(pack, books, told["balance"])
    _check_words(told)
    _check_collection(books, told["collection_holds"], entries)
    for document in told["corrected_by"]:
        _check_correction(document, {line["id"] for line in books.invoice["lines"]}, entries)
    _check_given_back(books, told["corrected_by"])
    for dispute in told["disputes"]:
        _check_dispute(books, dispute, entries)
    moves = {move["audit_reference"] for one in told["disputes"] for move in one["transitions"]}
    shown = {one["reference"] for one in entries.values() if one["subject"].startswith("dispute:")}
    require("a move of a dispute in the audit chain is not told", shown <= moves)
    equal("payouts, of which none are kept with invoices", told["payouts"], [])
    _check_payments(pack, books, told, entries)
    counts = ", ".join(f"{label}: {len(told[name]) or 'none'}" for name, label in MONEY.items())
    report.holds(f"money: {told['payable']['payable']} {books.currency} to be paid; {counts}")


def _check_set_off(pack: Pack, books: Books, balance: Json | None) -> None:
    """What the customer has in their favour pays what they owe, as far as both go, once the invoice is booked."""
    entries = {one["key"]: one for one in pack.read("ledger.json")}
    booked, set_off = (entries.get(f"invoice:{books.invoice['id']}:{name}") for name in ("final", "set_off"))
    equal("the balance is told where the invoice is booked", balance is not None, booked is not None)
    if balance is None or booked is None:
        return
    before, after = ([number(balance[when][name]) for name in SIDES] for when in ("before", "booked"))
    changes = [_net(booked, BALANCES[0]), -_net(booked, BALANCES[1])]
    equal("the balance with this invoice", after, [one + change for one, change in zip(before, changes, strict=True)])
    both = max(min(after), NOTHING)
    amounts = [_net(set_off, account) for account in BALANCES] if set_off else [NOTHING, NOTHING]
    equal("what was set off", amounts, [-both, both])


def _check_collection(books: Books, holds: Sequence[Json], entries: Mapping[str, Json]) -> None:
    """Each hold and each lifting is in the audit chain, and the other way round; the next only after the last."""
    subject = f"invoice:{books.invoice['id']}"
    said = [
        one["reference"] for one in entries.values() if one["subject"] == subject and one["action"] in (HELD, LIFTED)
    ]
    told = [one[name] for one in holds for name in ("audit_reference", "lifting_reference") if one[name] is not None]
    equal("the holds on its collection, in the order of the audit chain", told, sorted(said))
    require("a hold on the collection of what is not final", not holds or books.invoice["status"] == "final")
    for place, hold in enumerate(holds):
        entry = _entry(hold, "a hold on collection", subject, entries, "placed_by placed_at audit_reference")
        equal("a hold on collection", (HELD, hold["reason"]), (entry["action"], entry["facts"]["reason"]))
        if hold["lifting_reference"] is None:
            require("a hold on collection over an open one", place == len(holds) - 1)
            equal(
                "a hold that stands", (hold["lifted_by"], hold["lifted_at"], hold["lifting_reason"]), (None, None, "")
            )
            continue
        entry = _entry(hold, "a lifting", subject, entries, "lifted_by lifted_at lifting_reference")
        equal("a lifting", (LIFTED, hold["lifting_reason"]), (entry["action"], entry["facts"]["reason"]))


def _check_correction(document: Json, lines: set[int], entries: Mapping[str, Json]) -> None:
    """Where a document that gives back or corrects stands, by its own moves."""
    name, moves = f"document {document['number'] or document['id']}", document["transitions"]
    state = _check_moves(moves, f"invoice:{document['id']}", entries)
    hashes = {move["content_hash"] for move in moves}
    equal(f"{name}, its state and figures", (document["status"], {document["content_hash"]}), (state, hashes))
    issued = entries[moves[-1]["audit_reference"]]["facts"].get("number") if state == "final" else None
    equal(f"{name}, its number", document["number"], issued)
    equal(f"{name}, the hash of its words", document["content_hash"], sha256(document["hashed_text"]))
    content = read_json(document["hashed_text"])
    given = [(line, number(amount)) for _, line, _, amount, _ in content.get("credit_lines", ()) if line in lines]
    equal(f"{name}, what it gives back", _given(document["credits"]), sorted(given))
    adjusts = [(one["adjusts"], number(one["amount"])) for one in content["lines"] if one["adjusts"] in lines]
    equal(f"{name}, what it corrects", _given(document["adjusts"]), sorted(adjusts))
    require(f"{name} corrects nothing here", bool(given or adjusts))


def _given(rows: Sequence[Json]) -> list[tuple[int, Decimal]]:
    return sorted((one["line"], number(one["amount"])) for one in rows)


def _check_given_back(books: Books, documents: Sequence[Json]) -> None:
    """Credits of a line and corrections that lowered it come to no more than the line, whoever gave them."""
    lines = {
        line["id"]: number(told["amount"])
        for line, told in zip(books.invoice["lines"], books.content["lines"], strict=True)
    }
    final = [one for one in documents if one["status"] == "final"]
    for line, charged in lines.items():
        credited, corrected = (
            sum((number(each["amount"]) for one in final for each in one[kind] if each["line"] == line), NOTHING)
            for kind in ("credits", "adjusts")
        )
        given = credited + (corrected if corrected * charged < 0 else NOTHING)
        fits = credited * charged <= 0 and abs(given) <= abs(charged)
        require(f"more is given back of line {line} than it was", fits)
    named = {each["line"] for one in documents for each in (*one["credits"], *one["adjusts"])}
    require("something is given back of a line of another invoice", named <= lines.keys())


PAYMENT = {  # which step may follow which status, and where it leads
    ("", "recorded", "pending"),
    ("pending", "failed", "errored"),
    ("pending", "settled", "settled"),
    ("errored", "settled", "settled"),
    ("settled", "refunded", "settled"),
    ("settled", "refunded", "refunded"),
    ("settled", "disputed", "chargeback"),
    ("chargeback", "refunded", "chargeback"),
    ("chargeback", "dispute_won", "settled"),
    ("chargeback", "dispute_lost", "chargeback"),
}
# What a step moves: in cash or at the gateway, in what the customer owes, in what is contested, and what is lost by it.
PAID_ON = (
    ("cash", "processor_clearing"),
    ("accounts_receivable", "customer_balance_liability"),
    ("disputes_receivable",),
    ("bad_debt_or_refund",),
)
MOVES = {
    "settled": (1, -1, 0, 0),
    "refunded": (-1, 1, 0, 0),
    "disputed": (-1, 0, 1, 0),
    "dispute_won": (1, 0, -1, 0),
    "dispute_lost": (0, 0, -1, 1),
}


def _check_payments(pack: Pack, books: Books, told: Json, entries: Mapping[str, Json]) -> None:
    """Each went by the table, is booked step by step, and together they are what the invoice says was paid."""
    payments, standing = told["payments"], told["standing"]
    booked = {one["key"]: one for one in pack.read("ledger.json")}
    keys: set[str] = set()
    for payment in payments:
        keys |= _check_payment(books, payment, booked, entries)
    set_off = {key for key in booked if key.startswith("payment:") and key.endswith(":set_off")}
    told_keys = {f"payment:{one['id']}:{move['revision']}:set_off" for one in payments for move in one["transitions"]}
    equal("the entries of payments", {key for key in booked if key.startswith("payment:")} - set_off, keys)
    require("something is set off with a payment that is not there", set_off <= told_keys)
    moves = {move["audit_reference"] for one in payments for move in one["transitions"]}
    steps = {f"payment.{step}" for _, step, _ in PAYMENT}
    shown = {one["reference"] for one in entries.values() if one["action"] in steps}
    equal("the steps of payments in the audit chain", shown, moves)
    is_final = books.invoice["status"] == "final"
    equal("it is told how it is paid once it is final", standing is not None, is_final)
    require("a payment of what is not final", is_final or not payments)
    if standing is not None:
        figures = {name: number(value) for name, value in standing.items()}
        paid = sum((number(one["received"]) - number(one["refunded"]) for one in payments), NOTHING)
        asked = books.total - books.prepaid + books.rounding
        equal("what was asked and paid", (figures["asked"], figures["paid"]), (asked, paid))
        left = asked - paid - figures["credited"] - figures["set_off"] - figures["due"] + figures["in_favour"]
        equal("what is still due", left, NOTHING)
        require("less than nothing is due", min(figures["due"], figures["in_favour"], figures["set_off"]) >= 0)


def _check_payment(books: Books, payment: Json, booked: Mapping[str, Json], entries: Mapping[str, Json]) -> set[str]:
    """One payment; the keys of its entries in the journal."""
    name, subject, state, keys = f"payment {payment['id']}", f"payment:{payment['id']}", "", set()
    sums = dict.fromkeys(("settled", "refunded", "disputed", "dispute_won", "dispute_lost"), NOTHING)
    equal(f"{name}, its currency", payment["currency"], books.currency)
    for place, move in enumerate(payment["transitions"], start=1):
        equal(f"{name}, the place of a step", (move["revision"], move["from"]), (place, state))
        require(f"{name}: no such step", (move["from"], move["step"], move["to"]) in PAYMENT)
        facts = _entry(move, name, subject, entries)["facts"]
        same = ("from", "to", "step", "reason", "event", "journal_entry")
        equal(f"{name} in the audit chain", [move[key] for key in same], [facts[key] for key in same])
        figures = ("amount", "fee", "overpaid")
        equal(f"{name}, its figures", [number(move[key]) for key in figures], [number(facts[key]) for key in figures])
        about = facts["invoice"], facts["currency"], instant(facts["happened_at"])
        equal(f"{name}, for what", (books.invoice["id"], books.currency, instant(move["happened_at"])), about)
        require(f"{name}: recorded before it happened", instant(move["happened_at"]) <= instant(move["at"]))
        require(f"{name}: by a person or by an event", (move["actor"] is None) != (move["event"] is None))
        equal(f"{name}, whether it is booked", move["journal_entry"] is not None, move["step"] in MOVES)
        if move["step"] == "recorded":
            words = ("method", "reference", "gateway", "gateway_id")
            equal(f"{name}, what it is", [payment[key] for key in words], [facts["payment"][key] for key in words])
            equal(f"{name}, its amount", number(payment["amount"]), number(facts["payment"]["amount"]))
        if move["step"] in MOVES:
            sums[move["step"]] += number(move["amount"])
            keys.add(_check_paid(payment, move, booked))
        state = move["to"]
    equal(f"{name}, where it stands", payment["status"], state)
    contested = sums["disputed"] - sums["dispute_won"] - sums["dispute_lost"]
    stands = (sums["settled"], sums["refunded"], contested, sums["dispute_lost"])
    told = tuple(number(payment[key]) for key in ("received", "refunded", "contested", "lost"))
    equal(f"{name}, its figures", told, stands)
    left = stands[0] - stands[1] - stands[2] - stands[3]
    fits = left >= 0 and contested >= 0 and stands[0] <= number(payment["amount"])
    require(f"{name}: more went than came", fits)
    equal(f"{name}, refunded in full", state == "refunded", bool(stands[0]) and stands[0] == stands[1])
    return keys


def _check_paid(payment: Json, move: Json, booked: Mapping[str, Json]) -> str:
    """The one entry of a step is over its money; the key of that entry."""
    key = f"payment:{payment['id']}:{move['revision']}:{move['step']}"
    equal(f"{key}, its entry", move["journal_entry"], key)
    require(f"{key} is not in the journal", key in booked)
    amount, fee = number(move["amount"]), number(move["fee"])
    moved = [_net(booked[key], *accounts) for accounts in PAID_ON]
    wanted = [sign * amount for sign in MOVES[move["step"]]]
    wanted[0] -= fee
    equal(f"{key}, what it moves", moved, wanted)
    equal(f"{key}, its fee", _net(booked[key], "payment_fees", "dispute_fees"), fee)
    overpaid = -_net(booked[key], "customer_balance_liability") if move["step"] == "settled" else NOTHING
    equal(f"{key}, what was more than was due", number(move["overpaid"]), overpaid)
    return key


DISPUTE = {  # which step may follow which, with which outcome
    ("", "evidence", ""),
    ("evidence", "ops", ""),
    ("evidence", "engineering", ""),
    ("ops", "evidence", ""),
    ("engineering", "evidence", ""),
    ("ops", "correcting", "upheld"),
    ("engineering", "correcting", "upheld"),
    ("correcting", "closed", "upheld"),
    ("ops", "closed", "rejected"),
    ("evidence", "closed", "withdrawn"),
    ("ops", "closed", "withdrawn"),
    ("engineering", "closed", "withdrawn"),
}


def _check_dispute(books: Books, dispute: Json, entries: Mapping[str, Json]) -> None:
    """About these figures; each move after the one before, as the audit chain says it where it is shown."""
    name, subject, state, outcome = f"dispute {dispute['id']}", f"dispute:{dispute['id']}", "", ""
    equal(f"{name}, of what", dispute["invoice_hash"], books.invoice["content_hash"])
    positions = [None, *(line["position"] for line in books.invoice["lines"])]
    require(f"{name} is about a line that is not there", dispute["line"] in positions)
    for place, move in enumerate(dispute["transitions"], start=1):
        equal(f"{name}, the place of a move", (move["revision"], move["from"]), (place, state))
        require(f"{name}: no such move", (move["from"], move["to"], move["outcome"]) in DISPUTE)
        state, outcome = move["to"], move["outcome"]
        if "reason" in move:
            facts = _entry(move, name, subject, entries, "by at audit_reference")["facts"]
            said = {key: facts[key] for key in ("from", "to", "outcome", "reason")}
            equal(f"{name} in the audit chain", {key: move[key] for key in said}, said)
            about = facts["invoice"], facts["line"], facts["content_hash"]
            equal(f"{name}, about what", (books.invoice["id"], dispute["line"], dispute["invoice_hash"]), about)
        else:  # what stays among colleagues is not shown
            among = move["outcome"] == "withdrawn" or (move["to"] == "evidence" and move["from"] != "")
            require(f"{name}: a move without its reason", among and move["audit_reference"] not in entries)
            require(f"{name}: no reference", bool(REFERENCE.fullmatch(move["audit_reference"])))
    opened = dispute["transitions"][0]
    claim = entries[opened["audit_reference"]]["facts"]["claim"]
    equal(f"{name}, its claim", (dispute["claim"], instant(dispute["opened_at"])), (claim, instant(opened["at"])))
    equal(f"{name}, where it stands", (dispute["status"], dispute["outcome"]), (state, outcome))


# 10. The document, and how many there are of each kind of thing


def check_kinds(pack: Pack, books: Books) -> None:
    """Of each kind of thing as many as the manifest says, which says 0 where there is none."""
    money_, decided = pack.read("money.json"), pack.read("decisions.json")
    again = {kind: len(rows) for kind, rows in (*money_.items(), *decided.items()) if isinstance(rows, list)} | {
        "lines": len(books.invoice["lines"]),
        "snapshots": len(books.snapshots),
        "contract_versions": len(books.contracts),
        "sign_offs": len(books.policy["sign_offs"]) if books.policy else 0,
        "journal_entries": len(pack.read("ledger.json")),
        "source_events": sum(stream["events"] for stream in books.streams),
    }
    equal("how many there are of each kind", books.manifest["kinds"], again)


def check_document(pack: Pack, books: Books, report: Report) -> None:
    told = books.invoice["document"]
    if told is None:
        require("a PDF nobody names", "invoice.pdf" not in pack.names)
        report.holds("document: none yet")
        return
    if "erased_at" in told:
        require("a PDF that was erased", "invoice.pdf" not in pack.names)
        report.holds(f"document: the person it named was erased {told['erased_at']}; its SHA-256 was {told['sha256']}")
        return
    equal("the PDF, its SHA-256", told["sha256"], sha256(pack.raw("invoice.pdf")))
    report.holds(f"document: the PDF stored {told['stored_at']}, SHA-256 {told['sha256']}")


# All of it, in this order


def check_pack(path: Path, key: str | None = None, report: Report | None = None) -> Report:
    """All that can be checked, in the order in which the invoice came about; DoesNotHoldError at the first thing."""
    report = report or Report()
    with localcontext(Context(prec=100)):
        pack = Pack(path)
        pack.check_files()
        report.holds(f"{len(pack.names)} files, byte by byte")
        entries = check_seal(pack, report, key)
        check_figures(pack, entries, report)
    return report


def check_figures(pack: Pack, entries: Mapping[str, Json], report: Report) -> None:
    """What follows from other figures, whatever the hashes of the files say."""
    books = Books(pack)
    check_usage(pack, books, entries, report)
    check_agreements(books, entries, report)
    check_ratings(books, report)
    check_invoice(pack, books, report)
    check_decisions(pack, books, entries, report)
    check_policy(books, report)
    check_books(pack, books, report)
    check_money(pack, books, entries, report)
    check_document(pack, books, report)
    check_kinds(pack, books)


# Whatever a changed file can make go wrong before a comparison is reached.
UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,  # zipfile's answer to a way of packing, or a version, that it does not know
    EOFError,
    RecursionError,
    StopIteration,
    ZoneInfoNotFoundError,
)


def run(path: Path, write: Callable[[str], object], key: str | None = None) -> int:
    """Check and tell, line by line; the exit code."""
    report, flaw = Report(), None
    try:
        check_pack(path, key, report)
    except DoesNotHoldError as error:
        flaw = str(error)
    except UNREADABLE as error:
        flaw = f"the pack cannot be read: {type(error).__name__}: {str(error)[:300]}"
    for line in report.held:
        write(f"holds           {line}\n")
    for line in report.beside:
        write(f"of other lines  {line}\n")
    for line in report.left_out:
        write(f"NOT RECOMPUTED  {line}\n")
    if flaw is not None:
        write(f"FAILS           {flaw}\n")
        return FAILS
    write(f"{'PASS' if not report.left_out else 'PASS as far as it goes'}            {path.name}\n")
    return INCOMPLETE if report.left_out else HOLDS


def main(arguments: Sequence[str]) -> int:
    given = list(arguments)
    key = given.pop(given.index("--key") + 1) if "--key" in given[:-1] else None
    names = [one for one in given if one != "--key"]
    if len(names) != 1:
        sys.stdout.write(f"{__doc__}\n")
        return FAILS
    return run(Path(names[0]), sys.stdout.write, key)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
