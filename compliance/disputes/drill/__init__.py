"""A rehearsal of disputes in a database of its own."""
