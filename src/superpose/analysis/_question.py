"""What is to be known, what could be measured for it, and at which cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from superpose.data import Codec
from superpose.errors import DataError, Faults, listing
from superpose.models import no_target


@dataclass(frozen=True)
class Question:
    """Which targets matter, and which could be measured.

    Args:
        want: Targets whose uncertainty matters.
        candidates: Targets that could be measured; None for all that are neither wanted nor given
            in every row.
        cost: Cost of measuring a target, above 0 (default 1 each).
    """

    want: Sequence[str]
    candidates: Sequence[str] | None = None
    cost: Mapping[str, float] = field(default_factory=dict)

    def among(self, codec: Codec, *, given: Sequence[str], whole: Sequence[str]) -> Question:
        """The same question with its candidates, once it is known to make sense.

        Args:
            codec: Fitted codec.
            given: Targets that are read as measured.
            whole: Those of them that every row has.

        Raises:
            DataError: Every fault of the question at once.
        """
        faults = Faults(DataError)
        if not self.want:
            fix = "name the targets whose uncertainty matters"
            faults.add("want", "no target is named", listing(codec.target_kinds), fix=fix)
        named = {"want": self.want, "candidates": self.candidates or [], "cost": list(self.cost)}
        for key, names in named.items():
            for name in names:
                if name not in codec.target_kinds:
                    no_target(faults, key, name, codec=codec)
        for name in self.want:
            if name in given:
                fix = "what is measured needs no prediction: take it out of one of them"
                faults.add("want", f"{name!r} is both given and wanted", fix=fix)
        for name, price in self.cost.items():
            if not np.isfinite(price) or price <= 0:
                faults.add(f"cost[{name!r}]", f"{price!r} given", "a number above 0")
        free = [t for t in codec.target_kinds if t not in self.want and t not in whole]
        candidates = free if self.candidates is None else list(self.candidates)
        if not candidates:
            wrong = "every target is given or wanted, so none is left to measure"
            faults.add("candidates", wrong, fix="want fewer targets, or name candidates")
        faults.raise_any()
        return Question(self.want, candidates, self.cost)
