"""Filters of the templates that every room uses."""
