"""What every part of a policy is read with: currencies, amounts, lists of codes; each problem by its pointer."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from core import money
from core.errors import InvalidInputError
from invoicing.pricing.rules.fields import Fields, Problem, escape, read_number

CODES_MAX = 100
CURRENCY = re.compile(r"[A-Z]{3}")
AMOUNT_MAX = Decimal("1e12")


class TermsError(InvalidInputError):
    """The terms cannot be used; `problems()` names every field at fault."""

    code = "policy_terms_invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{problems[0].pointer}: {problems[0].detail}", pointer=problems[0].pointer)
        self._problems = problems

    def problems(self) -> list[dict[str, str]]:
        return [{"pointer": one.pointer, "code": one.code, "detail": one.detail} for one in self._problems]


def currency(fields: Fields, name: str = "currency") -> str:
    """Three capital letters, as ISO 4217 has them."""
    value = fields.take(name)
    if not isinstance(value, str) or not CURRENCY.fullmatch(value):
        fields.report(name, "required" if value is None else "currency", "A currency such as EUR is needed.")
        return "EUR"
    return value


def amount(fields: Fields, name: str = "amount", *, currency: str) -> Decimal:
    """Money above 0, with no more decimals than its currency has."""
    value = fields.take(name)
    if value is None:
        fields.report(name, "required", "This field is needed.")
        return Decimal(1)
    found, flaw = _read_amount(value, currency=currency)
    if flaw is not None:
        fields.report(name, *flaw)
    return found


def amounts(fields: Fields, name: str) -> dict[str, Decimal]:
    """An object from currencies to amounts above 0, in the order of the currencies; empty where the field is absent."""
    value = fields.take(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        fields.report(name, "type", 'An object such as {"EUR": "10000.00"} is needed.')
        return {}
    found: dict[str, Decimal] = {}
    for code in sorted(value, key=str):
        path = f"{escape(name)}/{escape(str(code))}"
        if not CURRENCY.fullmatch(str(code)):
            fields.report_at(path, "currency", "A currency such as EUR is needed.")
            continue
        found[code], flaw = _read_amount(value[code], currency=code)
        if flaw is not None:
            fields.report_at(path, *flaw)
    return found


def codes(fields: Fields, name: str, *, options: Sequence[str] = ()) -> tuple[str, ...]:
    """A list of different names, sorted; of the options where there are any; empty where the field is absent."""
    value = fields.take(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        fields.report(name, "type", "A list of names is needed.")
        return ()
    if len(value) > CODES_MAX or len(set(value)) < len(value):
        fields.report(name, "length", f"At most {CODES_MAX} names, each once.")
    for index, each in enumerate(value):
        if options and each not in options:
            fields.report_at(f"{escape(name)}/{index}", "choice", f"Must be one of: {', '.join(options)}.")
    return tuple(sorted(value))


def optional(fields: Fields, name: str) -> Fields:
    """The object in one field; an empty one where the field is absent or null."""
    value = fields.take(name)
    document = {} if value is None else value
    return Fields(document, pointer=f"{fields.pointer}/{escape(name)}", problems=fields.problems)


def is_listed(fields: Fields, name: str) -> bool:
    """Whether a list is there to be read; one that is absent or empty says nothing."""
    return fields.take(name) not in (None, [])


def plain_amounts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    """Amounts by currency, each with its currency's decimals."""
    return {code: money.amount_text(value, currency=code) for code, value in sorted(amounts.items())}


def _read_amount(value: object, *, currency: str) -> tuple[Decimal, tuple[str, str] | None]:
    """The amount, or 1 and what is wrong with it as a code and a sentence."""
    try:
        found = read_number(value, decimals_max=money.currency_exponent(currency))
    except ValueError as error:
        return Decimal(1), ("number", f"{str(error)[:1].upper()}{str(error)[1:]}.")
    if not 0 < found <= AMOUNT_MAX:
        return Decimal(1), ("out_of_range", f"Must be more than 0 and at most {AMOUNT_MAX:f}.")
    return found, None
