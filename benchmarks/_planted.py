"""Synthetic tables whose targets are related as much as planted, and how much that is known.

Each target is a sum of random rectified features of the inputs, the same features for all targets.
What a target sums them with is drawn so that the signals of any two targets have the planted
cosine, which is their correlation. Training and validation labels carry noise; the test labels are
the signal itself, so that an error is the model's own and not the noise's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from _table import Table

INPUTS = 16
FEATURES = 256
TEST = 1000
NOISE = 2.0  # in standard deviations of the signal: a fifth of a label's variance is signal
REFERENCE = 20_000  # rows on which correlations are as planted


def least_cosine(targets: int) -> float:
    """The lowest cosine that so many vectors can all have with one another (a simplex)."""
    return -1 / (targets - 1)


def gram_root(targets: int, cosine: float) -> np.ndarray:
    """The symmetric root of the matrix with 1 on its diagonal and `cosine` elsewhere.

    Shape: (targets, targets). ValueError below `least_cosine`, where no such vectors exist.
    """
    if not least_cosine(targets) - 1e-9 <= cosine <= 1:
        least = least_cosine(targets)
        raise ValueError(f"cosine {cosine:g}: {targets} targets allow {least:.3g} to 1")
    apart = math.sqrt(1 - cosine)
    together = math.sqrt(max(1 + (targets - 1) * cosine, 0.0))
    return apart * np.eye(targets) + (together - apart) / targets


@dataclass(frozen=True)
class Plant:
    """What is planted in one table.

    Args:
        targets: from 2.
        rows: to train on; a quarter of that validates.
        cosine: between the coefficients of any two targets of a group.
        groups: that targets fall into in turn; between groups the cosine is 0.
    """

    targets: int
    rows: int
    cosine: float
    groups: int = 1

    @property
    def name(self) -> str:
        """Name of the table."""
        name = f"T{self.targets}-n{self.rows}-c{self.cosine:.3g}"
        return name if self.groups == 1 else f"{name}-g{self.groups}"

    def root(self) -> np.ndarray:
        """The symmetric root of the cosines of all pairs, (targets, targets)."""
        root = np.zeros((self.targets, self.targets))
        for group in range(self.groups):
            mine = np.arange(group, self.targets, self.groups)
            root[np.ix_(mine, mine)] = gram_root(len(mine), self.cosine)
        return root


def planted(plant: Plant, seed: int) -> Table:
    """The table of a plant; tables of one seed share inputs, features and noise, not the cosine."""
    rng = np.random.default_rng([seed, plant.targets, plant.rows])
    weights = rng.normal(size=(INPUTS, FEATURES)) / math.sqrt(INPUTS)
    offsets = rng.uniform(-1, 1, FEATURES)
    mixture = rng.normal(size=(FEATURES, plant.targets))

    def functions(x: np.ndarray) -> np.ndarray:
        return np.maximum(x @ weights + offsets, 0) @ mixture

    reference = functions(rng.normal(size=(REFERENCE, INPUTS)))
    mean = reference.mean(0)
    variances, axes = np.linalg.eigh(np.cov(reference, rowvar=False))
    # Uncorrelated functions, none of them before another, and then the planted mixtures of them.
    mixed = axes / np.sqrt(variances) @ axes.T @ plant.root()
    counts = {"train": plant.rows, "validation": plant.rows // 4, "test": TEST}
    parts = np.repeat(np.array(list(counts), dtype=object), list(counts.values()))
    x = rng.normal(size=(len(parts), INPUTS))
    labels = (functions(x) - mean) @ mixed
    noise = NOISE * rng.normal(size=labels.shape)
    labels += np.where((parts == "test")[:, None], 0.0, noise)
    names = [f"y{t}" for t in range(plant.targets)]
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(INPUTS)])
    return Table(
        plant.name,
        pd.concat([frame, pd.DataFrame(labels, columns=names)], axis=1),
        dict.fromkeys(names, "number"),
        lambda table, seed: parts,
        "as many rows as planted, a quarter of that to validate, 1000 to test, all drawn by seed",
        note="test labels are the signal without noise",
    )
