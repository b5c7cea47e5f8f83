"""Trigger policies over HTTP."""
