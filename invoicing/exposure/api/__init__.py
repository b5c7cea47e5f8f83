"""Exposures over HTTP."""
