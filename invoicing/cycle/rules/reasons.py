"""What counts as a reason: words that a colleague can read a year from now."""

from core.errors import InvalidInputError
from core.told import Told

LENGTH_MIN = 5
LENGTH_MAX = 1000


class ReasonMissingError(InvalidInputError):
    """No usable reason was given."""

    code = "reason_missing"


def clean_reason(text: str, *, label: str = "") -> str:
    """The usual reason's label, the text, or both, without outer white space; ReasonMissingError if that says nothing.

    The label alone is enough. What is added to it is a sentence of its own. What was told of many comes clean already,
    with its label.
    """
    if isinstance(text, Told):
        return text
    said = text.strip()
    reason = ": ".join(part for part in (label, said) if part)
    if not LENGTH_MIN <= len(reason) <= LENGTH_MAX or "\x00" in reason:
        raise ReasonMissingError(
            f"Give a reason of {LENGTH_MIN} to {LENGTH_MAX} characters that a colleague can follow.", pointer="/reason"
        )
    return reason
