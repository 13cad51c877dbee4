"""The references and the no-harm test."""

from typing import Annotated, Literal

from pydantic import Field

from ._section import Auto, Copies, Section


class ProofConfig(Section):
    """The references and the no-harm test.

    Args:
        references: which single-task models each target is tested against.
        trees: which boosted trees stand among them; auto is hist, and catboost where installed.
        alpha: chance, per run, that any target worse than its reference is deployed.
        folds: folds of the out-of-fold predictions for small tables; auto is 5, or 10 below 800
            rows; 1 is one validation split, which is also the rule for large tables.
        repeats: how often the folds are drawn anew.
    """

    references: Literal["all", "none", "trees", "network"] = "all"
    trees: Auto | Annotated[list[Literal["hist", "catboost", "lightgbm"]], Field(min_length=1)] = (
        "auto"
    )
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    folds: Auto | Copies = "auto"
    repeats: Copies = 1
