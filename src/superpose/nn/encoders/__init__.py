"""Encoders: from the array of a column to tokens."""
