"""Stages of a run that are kept as they end, so that a killed run does not train twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import torch

from superpose.training import load_checkpoint, save_checkpoint


class Kept(Protocol):
    """A fitted model that can be written and read."""

    held_out: Any

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]: ...

    @classmethod
    def from_state(cls, facts: Any, arrays: Any) -> Self: ...


Model = TypeVar("Model", bound=Kept)


class Stages:
    """Run named stages once.

    Args:
        folder: Where finished stages are written; None runs everything anew.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def run(self, name: str, fit: Callable[[Path | None], Model], family: type[Model]) -> Model:
        """Fit a stage, or read it if it has been fitted.

        Args:
            name: Name of the stage, unique in the run.
            fit: Fits it; gets the file for checkpoints within the stage.
            family: Class of the result.
        """
        if self.folder is None:
            return fit(None)
        done, under_way = self.folder / f"{name}.done", self.folder / f"{name}.checkpoint"
        if done.is_file():
            return self._read(done, family)
        model = fit(under_way)
        self._write(done, model)
        under_way.unlink(missing_ok=True)
        return model

    def run_all(
        self,
        name: str,
        keys: Sequence[str],
        fit: Callable[[Path | None], dict[str, Model]],
        family: type[Model],
    ) -> dict[str, Model]:
        """Fit a stage that gives one model for each key, or read them if it has been fitted."""
        if self.folder is None:
            return fit(None)
        files = {key: self.folder / f"{name}-{place}.done" for place, key in enumerate(keys)}
        if all(file.is_file() for file in files.values()):
            return {key: self._read(file, family) for key, file in files.items()}
        under_way = self.folder / f"{name}.checkpoint"
        models = fit(under_way)
        for key, model in models.items():
            self._write(files[key], model)
        under_way.unlink(missing_ok=True)
        return models

    @staticmethod
    def _write(path: Path, model: Kept) -> None:
        facts, arrays = model.state()
        held = model.held_out if isinstance(model.held_out, list) else [model.held_out]
        tensors = {
            f"model/{k}": torch.as_tensor(np.require(v, requirements="W"))
            for k, v in arrays.items()
        }
        tensors |= {f"held/{i}": torch.as_tensor(h) for i, h in enumerate(held)}
        kept = {"facts": facts, "list": isinstance(model.held_out, list)}
        save_checkpoint(path, kept, tensors)

    @staticmethod
    def _read(path: Path, family: type[Model]) -> Model:
        kept, tensors = load_checkpoint(path)
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        model = family.from_state(
            kept["facts"], {k[6:]: v for k, v in arrays.items() if k.startswith("model/")}
        )
        held = [arrays[f"held/{i}"] for i in range(sum(k.startswith("held/") for k in arrays))]
        model.held_out = held if kept["list"] else held[0]
        return model
