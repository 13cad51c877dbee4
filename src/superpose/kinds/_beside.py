"""What stands beside predictions of a kind: for plots, and for files of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa


class Beside(NamedTuple):
    """What lies beside the predictions of a target, for `TargetKind.plot`.

    Args:
        table: the inputs of the rows.
        pixels: gives the images (n, 3, H, W) of some rows, where the target is one of images.
        quantile: how far the interval or set of each row reaches (N,); None where there are none.
    """

    table: pa.Table
    pixels: Callable[[np.ndarray], np.ndarray] | None = None
    quantile: np.ndarray | None = None


class FileForm(NamedTuple):
    """How a column of predictions is written where each row gets a file of its own.

    Args:
        ending: of the files, such as ".png".
        content: makes the content of a file of a row's prediction, as `decode` gives it.
    """

    ending: str
    content: Callable[[Any], bytes]
