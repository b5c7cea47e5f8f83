"""Access, firings, reviews and credit limits over HTTP."""
