"""Alerts, charge controls and amounts as people write them: one per line, `kind name=value name=value`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_IN_NOTIFY = ("to", "channels")


class LineError(ValueError):
    """A line cannot be read; the text says which and why."""


def write_rules(rules: Iterable[Mapping[str, Any]]) -> str:
    """The rules of a policy's JSON, a line each."""
    return "\n".join(_write_rule(rule) for rule in rules)


def read_rules(text: str) -> list[dict[str, Any]]:
    """The same back as JSON has it; LineError where a line is no rule."""
    return [_read_rule(number, line) for number, line in _lines(text)]


def write_amounts(amounts: Mapping[str, str]) -> str:
    """`EUR 500.00`, a currency per line."""
    return "\n".join(f"{currency} {amount}" for currency, amount in amounts.items())


def read_amounts(text: str) -> dict[str, str]:
    """The same back; LineError where a line is no currency and amount, or a currency comes twice."""
    found: dict[str, str] = {}
    for number, line in _lines(text):
        words = line.split()
        if len(words) != 2 or words[0].upper() in found:  # noqa: PLR2004  a currency and an amount
            raise LineError(f"Line {number}: write one currency and amount, such as EUR 500.00, each currency once.")
        found[words[0].upper()] = words[1]
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    yield from ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


def _write_rule(rule: Mapping[str, Any]) -> str:
    notify: Mapping[str, Any] = rule.get("notify", {})
    plain = {name: value for name, value in rule.items() if name not in ("kind", "notify")}
    told = {
        name: ",".join(notify[name]) if name == "channels" else notify[name] for name in _IN_NOTIFY if name in notify
    }
    return " ".join([rule["kind"], *(f"{name}={value}" for name, value in (plain | told).items())])


def _read_rule(number: int, line: str) -> dict[str, Any]:
    kind, *pairs = line.split()
    rule: dict[str, Any] = {"kind": kind}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value:
            raise LineError(f"Line {number}: {pair[:40]} is not name=value.")
        if name == "channels":
            rule.setdefault("notify", {})[name] = [each for each in value.split(",") if each]
        elif name == "to":
            rule.setdefault("notify", {})[name] = value
        else:
            rule[name] = value
    return rule
