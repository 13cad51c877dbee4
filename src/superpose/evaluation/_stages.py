"""Stages of a run that are kept as they end, so that a killed run does not train twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch

from superpose.models import MODELS, Fitted, Model
from superpose.training import load_checkpoint, save_checkpoint

M = TypeVar("M", bound=Model)


class Stages:
    """Run named stages once.

    Args:
        folder: Where finished stages are written; None runs everything anew.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def run(self, name: str, fit: Callable[[Path | None], Fitted[M]]) -> Fitted[M]:
        """Fit a model, or read it if it has been fitted.

        Args:
            name: Name of the stage, unique in the run.
            fit: Fits it; gets the file for checkpoints within the stage.
        """
        return self.run_all(name, [name], lambda path: [fit(path)])[0]

    def run_short(self, name: str, fit: Callable[[], Fitted[M]]) -> Fitted[M]:
        """Fit a model that keeps no checkpoint on the way, or read it if it has been fitted."""
        return self.run(name, lambda _: fit())

    def run_all(
        self, name: str, keys: Sequence[str], fit: Callable[[Path | None], list[Fitted[M]]]
    ) -> list[Fitted[M]]:
        """Fit several models, or read them if all have been fitted.

        Args:
            name: Name of the stage, unique in the run.
            keys: Names of files for the models, unique in the run.
            fit: Fits them; gets the file for checkpoints within the stage.
        """
        if self.folder is None:
            return fit(None)
        files = [self.folder / f"{key}.done" for key in keys]
        if all(file.is_file() for file in files):
            return [cast(Fitted[M], _read(file)) for file in files]
        under_way = self.folder / f"{name}.checkpoint"
        fitted_models = fit(under_way)
        for file, fitted in zip(files, fitted_models, strict=True):
            _write(file, fitted)
        under_way.unlink(missing_ok=True)
        return fitted_models


def _write(path: Path, fitted: Fitted[Any]) -> None:
    facts, arrays = fitted.model.to_state()
    pred = fitted.oof_predictions
    tensors = {f"model/{name}": _tensor(array) for name, array in arrays.items()}
    tensors |= {f"oof/{index}": torch.as_tensor(z) for index, z in enumerate(pred.values())}
    kept = {"family": fitted.model.family, "facts": facts, "oof": list(pred)}
    save_checkpoint(path, kept, tensors)


def _tensor(array: Any) -> torch.Tensor:
    return torch.as_tensor(np.require(array, requirements="W"))


def _read(path: Path) -> Fitted[Model]:
    kept, tensors = load_checkpoint(path)
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    first = "model/"
    own = {name.removeprefix(first): a for name, a in arrays.items() if name.startswith(first)}
    model = MODELS[kept["family"]]().from_state(kept["facts"], own)
    return Fitted(model, {name: arrays[f"oof/{index}"] for index, name in enumerate(kept["oof"])})
