"""An app whose background work is good, slow or deadly; only test workers install it."""
