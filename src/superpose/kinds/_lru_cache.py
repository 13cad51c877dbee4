"""What a model makes of files, kept: importance and trees ask for the same ones again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

import numpy as np

KEPT_BYTES = 400_000_000


class LRUCache:
    """Run a model on what it has not read yet, and keep the results that were used last.

    Example:
        >>> read, cache = [], LRUCache()
        >>> def double(positions):
        ...     read.extend(positions)
        ...     return [np.full(1, 2.0 * position) for position in positions]
        >>> [float(x[0]) for x in cache(["a", "b", "a"], double, 8)], read
        ([0.0, 2.0, 0.0], [0, 1])
    """

    def __init__(self) -> None:
        self.kept: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self.bytes = 0

    def __call__(
        self, keys: Sequence[Hashable], read: Callable[[list[int]], list[np.ndarray]], batch: int
    ) -> list[np.ndarray]:
        """Return an array for each key.

        Args:
            keys: What tells one thing to read from another.
            read: Reads the things at some positions among the keys.
            batch: How many it reads at a time.
        """
        positions = {key: position for position, key in reversed(list(enumerate(keys)))}
        arrays = {key: self.kept[key] for key in positions if key in self.kept}
        fresh = sorted(position for key, position in positions.items() if key not in arrays)
        for start in range(0, len(fresh), batch):
            part = fresh[start : start + batch]
            for position, array in zip(part, read(part), strict=True):
                arrays[keys[position]] = array
        for key in positions:
            self._keep(key, arrays[key])
        return [arrays[key] for key in keys]

    def _keep(self, key: Hashable, array: np.ndarray) -> None:
        if key not in self.kept:
            self.kept[key] = array
            self.bytes += array.nbytes
        self.kept.move_to_end(key)
        while self.bytes > KEPT_BYTES and len(self.kept) > 1:
            self.bytes -= self.kept.popitem(last=False)[1].nbytes
