"""The command line: verbs over the public class, without logic of their own."""

from . import _given_verbs, _method_verbs  # noqa: F401 (importing them adds their verbs)
from ._verbs import app, main

__all__ = ["app", "main"]
