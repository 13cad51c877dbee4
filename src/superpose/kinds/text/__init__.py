"""Kinds of texts and of their words."""
