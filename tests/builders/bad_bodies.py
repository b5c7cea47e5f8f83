"""Bodies that break careless readers, in families written by hand: the same ones in every run."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import product

ID_LENGTH_MAX = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """One bad event: the raw JSON of its metered value and of its other attributes, where they are not the usual.

    One that `is_legal` is odd, and accepted where its form allows as much.
    """

    value: str = "1"
    id: str = '"bad"'
    source: str = '"api/eu"'
    type: str = '"llm.tokens"'
    subject: str = '"acme"'
    name: str = '"input_tokens"'
    more: str = ""
    is_legal: bool = False

    @property
    def odd(self) -> frozenset[str]:
        """What of it is not the usual."""
        named = [one for one in fields(self) if one.name != "is_legal"]
        return frozenset(one.name for one in named if getattr(self, one.name) != one.default)

    @property
    def subject_there(self) -> str:
        """The id of the customer in another system."""
        return self.subject if "subject" in self.odd else '"acme-there"'

    @property
    def event(self) -> str:
        """As a CloudEvent."""
        return (
            f'{{"specversion":"1.0","id":{self.id},"source":{self.source},"type":{self.type},"subject":{self.subject},'
            f'"time":"2026-03-02T11:00:00Z","data":{self.data}{self.more}}}'
        )

    @property
    def data(self) -> str:
        return f'{{{self.name}:{self.value},"output_tokens":1}}'

    @property
    def lago(self) -> str:
        return (
            f'{{"transaction_id":{self.id},"external_subscription_id":{self.subject_there},"code":{self.type},'
            f'"timestamp":1772449200,"properties":{self.data}}}'
        )

    @property
    def stripe(self) -> str:
        return (
            f'{{"event_name":{self.type},"identifier":{self.id},'
            f'"payload":{{"stripe_customer_id":{self.subject_there},{self.data[1:]}}}'
        )


WRAPPERS = ["{}", "[{}]", '{{"deep":{}}}', "[1,{}]", '{{"a":[{}]}}', "[[{}]]", '{{"a":1,"b":{}}}']


def no_numbers_and_double_names() -> Iterator[Bad]:
    """Class 42."""
    atoms = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e309", '{"a":1,"a":2}', '{"a":1,"\\u0061":2}']
    for atom, wrapper in product(atoms, WRAPPERS):
        yield Bad(value=wrapper.format(atom))


def deep_nesting() -> Iterator[Bad]:
    """Class 43: closed, left open, and with something after it."""
    for depth, (opening, closing) in product(
        [70, 1500, 3000, 5000, 20_000, 100_000], [("[", "]"), ('{"a":', "}"), ('[{"b":', "}]")]
    ):
        inner = opening * depth + "1"
        yield Bad(value=inner + closing * depth)
        yield Bad(value=inner)
        yield Bad(value=inner + closing * depth + "]")


def odd_numbers() -> Iterator[Bad]:
    """Class 44: other scripts, padding, separators, and exponents beyond all use."""
    for zero, form in product("\u0660\u0966\uff10\u0e50\u09e6", ["{}", "-{}", "{}.{}", "{}e{}"]):
        digit = chr(ord(zero) + 3)
        yield Bad(value=json.dumps(form.format(digit, digit), ensure_ascii=False))
    for blank, form in product([" ", "\t", "\n", "\u00a0", "\u200b"], ["{}1", "1{}", "{}1{}"]):
        yield Bad(value=json.dumps(form.format(blank, blank), ensure_ascii=False))
    for text in [
        "1_000",
        "1,000",
        "0x10",
        "0b1",
        "1e3",
        "+1",
        "--1",
        "1.",
        ".5",
        "",
        "-",
        "1e",
        "\u2167",
        "\u00bd",
        "1 000",
    ]:
        yield Bad(value=json.dumps(text, ensure_ascii=False))
    for bare in ["1E+1000000", "1e-1000000", "-1E+999999999", "1E99999999999999999999", "0e1000000000", "01", "+1"]:
        yield Bad(value=bare)


def unusable_text() -> Iterator[Bad]:
    """Class 45: NUL and halves of surrogate pairs, wherever a text can stand."""
    atoms = ["\\u0000", "a\\u0000b", "\\ud800", "\\udfff", "\\udc00\\ud800", "\\ud800x", "x\\udbff", "\\ud83d"]
    for atom in atoms:
        text = f'"{atom}"'
        yield from (Bad(value=text), Bad(id=text), Bad(source=text), Bad(type=text), Bad(subject=text))
        yield from (Bad(name=text), Bad(more=f',"note":{text}'), Bad(more=f",{text}:1"))


def great_size() -> Iterator[Bad]:
    """Class 46, as far as it fits one event: long numbers, names, ids and texts."""
    for length, sign in product([41, 60, 100, 308, 400, 1000, 2000, 4300, 4301, 5000], ["", "-"]):
        yield Bad(value=sign + "9" * length)
        yield Bad(value=f'"{sign}{"9" * length}"')
    for length in (201, 256, 1000, 70_000, 1_000_000):
        text = f'"{"k" * length}"'
        yield Bad(id=text, is_legal=length <= ID_LENGTH_MAX)
        yield from (Bad(type=text), Bad(subject=text), Bad(more=f",{text}:1"))


def look_alikes() -> Iterator[Bad]:
    """Class 47: identities that look like another one."""
    for letter in "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0391\u0392\u0395\u03bf\u0251\u0131\u017f":
        yield from (Bad(id=f'"b{letter}d"'), Bad(source=f'"{letter}pi/eu"'))
    for invisible, form in product("\u200b\u200c\u200d\ufeff\u2060\u00ad\u202e", ["{}bad", "ba{}d", "bad{}"]):
        yield Bad(id=f'"{form.format(invisible)}"')
    for spelling in ("caf\u00e9", "cafe\u0301", "\u212b", "\u00c5", "A\u030a"):
        yield Bad(id=f'"{spelling}"')


FAMILIES = {
    "42 no numbers, double names": no_numbers_and_double_names,
    "43 deep nesting": deep_nesting,
    "44 odd numbers": odd_numbers,
    "45 unusable text": unusable_text,
    "46 great size": great_size,
    "47 look-alikes": look_alikes,
}


def hostile_names() -> Iterator[str]:
    """Class 48: names that would do something, were they ever pasted into a statement or a lookup."""
    fragments = [
        "'; DROP TABLE metering_usageevent; --",
        '"; SELECT pg_sleep(9); --',
        "x') OR 1=1 --",
        "data'->>'x",
        "x\\'; --",
        "%(customer_id)s",
        "%s",
        "{0}",
        "$1",
        "a' UNION SELECT secret_hash FROM accounts_apikey --",
        "/*",
        "E'\\x27'",
    ]
    lookups = ["data__x", "customer__user__password", "id__regex", "_connector", "_negated", "pk__in", "subject__code"]
    bombs = ["(a+)+$", "(.*a){30}", "[[:alnum:]]*" * 20, "(?=a)*" * 20, "^(([a-z])+.)+[A-Z]([a-z])+$"]
    for name, form in product([*fragments, *lookups, *bombs], ["{}", "model{}", "{}model"]):
        yield form.replace("{}", name)


def gzip_bomb() -> bytes:
    """256 MiB of blanks in a quarter of one."""
    return gzip.compress(b" " * 2**28, 9)
