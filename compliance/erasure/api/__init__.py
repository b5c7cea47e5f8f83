"""Erasure over HTTP: the same rules as in the back office."""
