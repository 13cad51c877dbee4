"""Heads of a form of their own."""
