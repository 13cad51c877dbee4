"""The command line: verbs over the public class, without logic of their own."""

from ._verbs import app, main

__all__ = ["app", "main"]
