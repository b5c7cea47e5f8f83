"""Erasure of persons: asked for, approved by a second person, proved; what the law keeps stays until it need not."""
