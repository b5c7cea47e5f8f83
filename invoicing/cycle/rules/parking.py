"""What a parked customer waits for, by the stable name of what went wrong."""

NO_POLICY = "no_policy"
NO_TAX_RATE = "no_tax_rate"
AGAINST_CONVENTION = "against_convention"
INTERIM_UNDECIDED = "interim_undecided"
DEFECT = "close_failed"

_AND_THEN = "Then try again; the next close does so by itself."
_AND_THEN_INTERIM = "Then try again; an attempt comes by itself within the hour."
_WAYS_OUT = {
    NO_POLICY: (
        f"Propose a trigger policy for the customer's program, and have product, finance and ops sign it. {_AND_THEN}"
    ),
    NO_TAX_RATE: f"Add a tax rate that is effective by the end of the period, or change the customer's. {_AND_THEN}",
    AGAINST_CONVENTION: (
        "The policy does not allow what was agreed, as the reason says: change the agreement, or have a policy signed"
        f" that allows it. {_AND_THEN}"
    ),
    INTERIM_UNDECIDED: f"Issue the interim invoice of the period, or discard it. {_AND_THEN}",
    "interim_left_over": f"Agree a price for the meter that the interim invoice billed. {_AND_THEN}",
    "unratable": (
        "Something this customer used has no amount: a price, a fee table or a figure is missing or does not fit, as"
        f" the reason says. Add it as a new version and have it approved. {_AND_THEN}"
    ),
    "quantity_out_of_range": f"Find the wrong event and amend or cancel it at its source. {_AND_THEN}",
    "window_taken": f"Discard the draft whose snapshot stands in the way. {_AND_THEN}",
    "meter_changed": f"A meter changed while it was counted, which a second attempt sees. {_AND_THEN}",
    "agreements_moved": f"What was agreed about this customer changed again and again just then. {_AND_THEN}",
    DEFECT: (
        "This is a fault of the program or of the data and not of the customer: hand the reason and the log of that"
        f" moment to engineering. {_AND_THEN}"
    ),
}
_OTHERWISE = f"Put right what the reason says. {_AND_THEN}"


def way_out(code: str) -> str:
    """What has to be done before this customer can be closed."""
    return _WAYS_OUT.get(code, _OTHERWISE)


def way_out_of_interim(code: str) -> str:
    """The same of an interim draft that failed."""
    return way_out(code).replace(_AND_THEN, _AND_THEN_INTERIM)
