"""Replay sets and their runs over HTTP."""
