"""The command line: verbs over the public class, without logic of their own."""

from ._given_verbs import app  # from the last file that adds verbs, so that it has them all
from ._verbs import main

__all__ = ["app", "main"]
