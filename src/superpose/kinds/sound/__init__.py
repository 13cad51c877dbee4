"""Kinds of sounds."""
