"""Superpose: one model for several targets, which proves per target that sharing does no harm.

>>> from superpose import Superpose
>>> model = Superpose(targets=["pm25", "level"], split={"by": "time", "column": "time"})
"""

from typing import TYPE_CHECKING, Any

from superpose.errors import (
    BundleError,
    ConfigError,
    DataError,
    MissingExtraError,
    SuperposeError,
    TrainingError,
)

if TYPE_CHECKING:
    from superpose.estimator import Superpose

__all__ = [
    "BundleError",
    "ConfigError",
    "DataError",
    "MissingExtraError",
    "Superpose",
    "SuperposeError",
    "TrainingError",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Imports torch and all the rest when it is asked for, so that `superpose --help` is quick."""
    if name == "Superpose":
        from superpose.estimator import Superpose

        return Superpose
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, the late one too."""
    return sorted([*globals(), "Superpose"])
