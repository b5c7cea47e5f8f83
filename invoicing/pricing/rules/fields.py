"""Reads the fields of a JSON object strictly and collects every problem, each with its JSON pointer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money

PRICE_DECIMALS_MAX = 16  # 12 decimals of a minor unit (Stripe `unit_amount_decimal`), in currencies of up to 4
FACTOR_DECIMALS_MAX = 6
FACTOR_MAX = Decimal("1e6")
RATE_DECIMALS_MAX = 12
RATE_MAX = Decimal(1000)
PRICE_MAX = Decimal("1e12")
QUANTITY_DECIMALS_MAX = 18
QUANTITY_MAX = Decimal("1e15")
TEXT_LENGTH_MAX = 200
TEXTS_MAX = 100


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
        """An amount of money from 0 up, with at most 16 decimals."""
        return self._number(name, default=default, decimals_max=PRICE_DECIMALS_MAX, limit=PRICE_MAX)

    def signed(self, name: str) -> Decimal:
        """An amount of either sign, with at most 18 decimals."""
        return self._number(
            name, default=None, decimals_max=QUANTITY_DECIMALS_MAX, limit=QUANTITY_MAX, least=-QUANTITY_MAX
        )

    def quantity(self, name: str, *, default: Decimal | None = None) -> Decimal:
        """An amount of units from 0 up, with at most 18 decimals."""
        return self._number(name, default=default, decimals_max=QUANTITY_DECIMALS_MAX, limit=QUANTITY_MAX)

    def quantity_or_none(self, name: str) -> Decimal | None:
        return None if self.take(name) is None else self.quantity(name)

    def price_or_none(self, name: str) -> Decimal | None:
        return None if self.take(name) is None else self.price(name)

    def rate(self, name: str) -> Decimal:
        """A percentage of what events are worth, from 0 to 1000."""
        return self._number(name, default=None, decimals_max=RATE_DECIMALS_MAX, limit=RATE_MAX)

    def discount(self, name: str, *, default: Decimal | None = None) -> Decimal:
        """A percentage from 0 to 100 with at most 6 decimals."""
        return self._number(name, default=default, decimals_max=FACTOR_DECIMALS_MAX, limit=Decimal(100))

    def factor(self, name: str, *, default: Decimal | None = None) -> Decimal:
        """A multiplier above 0 with at most 6 decimals."""
        before = len(self.problems)
        factor = self._number(name, default=default, decimals_max=FACTOR_DECIMALS_MAX, limit=FACTOR_MAX)
        if factor == 0 and len(self.problems) == before:
            self.report(name, "out_of_range", "Must be more than 0.")
        return factor or Decimal(1)

    def whole(self, name: str, *, least: int, most: int, default: int | None = None) -> int:
        """A whole number, as JSON writes it or as text."""
        value = self.take(name)
        if value is None and default is not None:
            return default
        try:
            number = read_number(value, decimals_max=0)
        except ValueError:
            self.report(name, "required" if value is None else "number", "A whole number is needed.")
            return least
        if not least <= number <= most:
            self.report(name, "out_of_range", f"Must lie between {least} and {most}.")
            return least
        return int(number)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            self.report(name, "type", "Must be true or false.")
        return value if isinstance(value, bool) else default

    def text(self, name: str) -> str:
        """A name of 1 to 200 characters."""
        value = self.take(name)
        if not isinstance(value, str) or not 1 <= len(value) <= TEXT_LENGTH_MAX:
            self.report(name, "required" if value is None else "type", "A name of 1 to 200 characters is needed.")
            return ""
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of names; none where the field is absent."""
        value = self.take(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or len(value) > TEXTS_MAX:
            self.report(name, "type", f"A list of at most {TEXTS_MAX} names is needed.")
            return ()
        return tuple(value)

    def inside(self, name: str) -> "Fields":
        """The object in one field, to be read in the same way."""
        return Fields(self.take(name), pointer=f"{self.pointer}/{escape(name)}", problems=self.problems)

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

    def _number(
        self,
        name: str,
        *,
        default: Decimal | None,
        decimals_max: int,
        limit: Decimal,
        least: Decimal = Decimal(0),
    ) -> Decimal:
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
        if not least <= number <= limit:
            self.report(name, "out_of_range", f"Must lie between {money.plain(least)} and {money.plain(limit)}.")
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
