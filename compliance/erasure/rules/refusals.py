"""Why somebody is not erased: a word from a list, since it is kept for ever."""

REFUSALS = [
    ("not_the_person", "Whoever asked is not the person"),
    ("law_keeps_it", "The law keeps what is asked for"),
    ("claim_is_open", "A claim is open for which it is needed"),
    ("asked_in_error", "Asked in error"),
]
