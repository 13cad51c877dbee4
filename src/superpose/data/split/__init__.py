"""Dividing rows, and signs that a division flatters."""
