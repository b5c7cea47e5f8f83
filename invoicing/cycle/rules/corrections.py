"""What a correction bills of an issued line, where credit notes have given part of it back."""

from decimal import Decimal

from core import rounding

NOTHING = Decimal(0)


def due_difference(*, rated: Decimal, billed: Decimal, credited: Decimal = NOTHING) -> Decimal:
    """`rated` less `billed`; a correction that gives back counts what credit notes gave back already.

    `credited` has the sign of what it does to the line: below 0 for one that was charged. So nothing is given back
    twice, and a correction upwards leaves a credit as it was granted.
    """
    with rounding.exactly():
        difference = rated - billed
        if difference * credited <= 0:
            return difference
        left = difference - credited
        return left if left * difference > 0 else NOTHING


def creditable(*, amount: Decimal, corrected: Decimal, credited: Decimal) -> Decimal:
    """What of an issued line can still be given back, with the line's sign; 0 where nothing is left.

    A correction that lowered the line has given that part back; one that raised it stands on another document.
    """
    with rounding.exactly():
        lowered = corrected if corrected * amount < 0 else NOTHING
        left = amount + lowered + credited
        return left if left * amount > 0 else NOTHING
