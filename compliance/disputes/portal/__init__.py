"""Disputes in the portal: what a customer sees of its own, and what its people may do about it."""
