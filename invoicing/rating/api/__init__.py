"""The rating preview over HTTP."""
