"""Kinds of values over time."""
