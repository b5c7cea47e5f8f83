"""Replay sets: closed periods kept with everything that decided over them, run again in a database of their own."""
