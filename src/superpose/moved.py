"""Names under which things could be imported before, for one version."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["moved_names"]


def moved_names(module: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for a module whose names have moved, which warns of the new ones.

    Args:
        module: Name of the module that had them.
        homes: The new home of each name, "package:name".

    Example:
        >>> import warnings
        >>> find = moved_names("superpose.data", {"Config": "superpose.config:Config"})
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     config = find("Config")
        >>> str(caught[0].message)
        'superpose.data.Config is now superpose.config.Config; the old name ends with version 0.2'
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        package, new = homes[name].split(":")
        ends = "the old name ends with version 0.2"
        text = f"{module}.{name} is now {package}.{new}; {ends}"
        warnings.warn(text, FutureWarning, stacklevel=2)
        return getattr(import_module(package), new)

    return find
