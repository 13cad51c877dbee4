"""Kinds of the columns of plain tables."""
