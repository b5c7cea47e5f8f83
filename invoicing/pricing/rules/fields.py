"""Reads the fields of a JSON object strictly and collects every problem, each with its JSON pointer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money

PRICE_DECIMALS_MAX = 12
PRICE_MAX = Decimal("1e12")
QUANTITY_DECIMALS_MAX = 18
QUANTITY_MAX = Decimal("1e15")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field; `pointer` (RFC 6901) says where."""

    pointer: str
    code: str
    detail: str


class Fields:
    """One JSON object under inspection; what is asked for is known, whatever is left over is a problem."""

    def __init__(self, document: Any, *, pointer: str, problems: list[Problem]) -> None:
        self.pointer = pointer
        self.problems = problems
        self.known: set[str] = set()
        self.document: Mapping[str, Any] = document if isinstance(document, dict) else {}
        if not isinstance(document, dict):
            self.report("", "type", "Expected an object.")

    def report(self, name: str, code: str, detail: str) -> None:
        """A problem with one field; with the object itself where the name is empty."""
        self.report_at(escape(name), code, detail)

    def report_at(self, path: str, code: str, detail: str) -> None:
        """A problem further down, at a path of pointer steps below this object."""
        self.problems.append(Problem(f"{self.pointer}/{path}".rstrip("/") or "/", code, detail))

    def take(self, name: str) -> Any:
        self.known.add(name)
        return self.document.get(name)

    def price(self, name: str, *, default: Decimal | None = None) -> Decimal:
        """An amount of money from 0 up, with at most 12 decimals."""
        return self._number(name, default=default, decimals_max=PRICE_DECIMALS_MAX, limit=PRICE_MAX)

    def quantity(self, name: str, *, default: Decimal | None = None) -> Decimal:
        """An amount of units from 0 up, with at most 18 decimals."""
        return self._number(name, default=default, decimals_max=QUANTITY_DECIMALS_MAX, limit=QUANTITY_MAX)

    def quantity_or_none(self, name: str) -> Decimal | None:
        return None if self.take(name) is None else self.quantity(name)

    def size(self, name: str) -> Decimal:
        """A quantity above 0."""
        before = len(self.problems)
        size = self.quantity(name)
        if size == 0 and len(self.problems) == before:
            self.report(name, "out_of_range", "Must be more than 0.")
        return size or Decimal(1)

    def choice(self, name: str, *, options: tuple[str, ...]) -> str:
        """One of the options; the first where the field is absent."""
        value = self.take(name)
        if value is None:
            return options[0]
        if value not in options:
            self.report(name, "choice", f"Must be one of: {', '.join(options)}.")
            return options[0]
        return str(value)

    def items(self, name: str, *, count_max: int, read: Callable[["Fields"], Any]) -> tuple[Any, ...]:
        """A list of objects, each read by `read`."""
        value = self.take(name)
        if not isinstance(value, list):
            self.report(name, "required" if value is None else "type", "A list of objects is needed.")
            return ()
        if not 1 <= len(value) <= count_max:
            self.report(name, "length", f"Needs 1 to {count_max} entries; this has {len(value)}.")
            return ()
        found = []
        for index, entry in enumerate(value):
            fields = Fields(entry, pointer=f"{self.pointer}/{escape(name)}/{index}", problems=self.problems)
            found.append(read(fields))
            fields.refuse_unknown()
        return tuple(found)

    def refuse_unknown(self) -> None:
        for name in sorted(set(self.document) - self.known, key=str):
            self.report(str(name), "unknown_field", "This field is not known here; check its spelling.")

    def _number(self, name: str, *, default: Decimal | None, decimals_max: int, limit: Decimal) -> Decimal:
        value = self.take(name)
        if value is None:
            if default is None:
                self.report(name, "required", "This field is needed.")
            return default or Decimal(0)
        try:
            number = read_number(value, decimals_max=decimals_max)
        except ValueError as error:
            self.report(name, "number", f"{str(error)[:1].upper()}{str(error)[1:]}.")
            return Decimal(0)
        if not 0 <= number <= limit:
            self.report(name, "out_of_range", f"Must lie between 0 and {money.plain(limit)}.")
            return Decimal(0)
        return number


def read_number(value: Any, *, decimals_max: int) -> Decimal:
    """A plain decimal string, or a JSON number that was read exactly; ValueError for anything else, floats included."""
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= QUANTITY_DECIMALS_MAX * 2:
        value = money.plain(value)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) <= QUANTITY_MAX * 10:
        value = str(value)
    number = money.parse_decimal(value)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > decimals_max:
        raise ValueError(f"at most {decimals_max} decimals are kept; this has {-exponent}")
    return number


def escape(name: str) -> str:
    """A name as one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")[:80]
