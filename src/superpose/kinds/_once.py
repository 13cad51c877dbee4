"""What a model makes of files, kept: importance and trees ask for the same ones again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

import numpy as np

KEPT_BYTES = 400_000_000


class Once:
    """Run a model on what it has not read yet, and keep the latest answers.

    Example:
        >>> asked, once = [], Once()
        >>> def double(places):
        ...     asked.extend(places)
        ...     return [np.full(1, 2.0 * place) for place in places]
        >>> [float(x[0]) for x in once(["a", "b", "a"], double, 8)], asked
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
            read: Reads the things at some places among the keys.
            batch: How many it reads at a time.
        """
        places = {key: place for place, key in reversed(list(enumerate(keys)))}
        found = {key: self.kept[key] for key in places if key in self.kept}
        fresh = sorted(place for key, place in places.items() if key not in found)
        for start in range(0, len(fresh), batch):
            part = fresh[start : start + batch]
            for place, array in zip(part, read(part), strict=True):
                found[keys[place]] = array
        for key in places:
            self._keep(key, found[key])
        return [found[key] for key in keys]

    def _keep(self, key: Hashable, array: np.ndarray) -> None:
        if key not in self.kept:
            self.kept[key] = array
            self.bytes += array.nbytes
        self.kept.move_to_end(key)
        while self.bytes > KEPT_BYTES and len(self.kept) > 1:
            self.bytes -= self.kept.popitem(last=False)[1].nbytes
