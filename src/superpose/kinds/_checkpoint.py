"""Checkpoints of `transformers`: where they lie, what their files say, what is trained of them.

Nothing here runs a model: `superpose.nn` does, and whoever fits a kind hands that to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from superpose.columns import read_whole
from superpose.errors import DataError, MissingExtraError, listing, location, message

TEXT_FILES = ("config.json", "tokenizer.json", "model.safetensors")
SIGNAL_FILES = ("config.json", "model.safetensors", "preprocessor_config.json")
HOW = {"nothing": "as it is", "adapters": "with adapters", "all": "trained further"}
Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(kw_only=True)
class Checkpoint:
    """What kinds with a pretrained model have in common; stands before the base of the kind."""

    needed: ClassVar[tuple[str, ...]]  # what the folder of a model has to hold
    named: ClassVar[str] = "encoder"  # the option that names it
    column: str
    settings: dict[str, Any]
    home: str  # where the model was found
    config: dict[str, Any]

    @property
    def trained(self) -> bool:
        """Whether the model is a part of the network."""
        return bool(self.settings["train"] != "nothing")

    @property
    def skip_cross_fitting(self) -> bool:
        return self.trained

    @property
    def weights(self) -> Path | None:
        """The folder with the weights that training starts from; None where a bundle has them."""
        home = Path(self.home)
        return home if all((home / file).is_file() for file in self.needed) else None

    @property
    def how(self) -> str:
        """Which model it is, and what is trained of it."""
        kind = self.config.get("model_type", "model")
        return f"{self.settings[self.named]} ({kind}), {HOW[self.settings['train']]}"

    def folder_of_model(self) -> Path:
        """The folder with the model as its authors left it, wherever it lies on this machine."""
        # A checkpoint of the hub may lie elsewhere on the machine that predicts.
        name = self.home if Path(self.home).is_dir() else self.settings[self.named]
        return find_model(self.column, name, "", files=self.needed)


def find_model(
    column: str, encoder: str, folder: str, *, files: Sequence[str], beside: Sequence[str] = ()
) -> Path:
    """Find the folder of a model: as named, from the folder of the table, or from the hub.

    Args:
        column: the column that it reads.
        encoder: the folder, or a name on the hub.
        folder: that of the table.
        files: what the folder has to hold.
        beside: patterns of what is taken from the hub too, if it is there.

    Raises:
        DataError: a folder that lacks files, or a name that the hub does not have.
    """
    for home in (Path(folder, encoder), Path(encoder)):
        if home.is_dir():
            lacking = [file for file in files if not (home / file).is_file()]
            if lacking:
                given = f"the folder {home} lacks {listing(lacking)}"
                fix = "give the folder of a checkpoint of transformers with all of them"
                raise DataError(message(location(column=column), given, listing(files), fix=fix))
            return home
    if Path(encoder).is_absolute() or encoder.startswith(".") or encoder.count("/") > 1:
        given = f"no folder {encoder}"
        raise DataError(message(location(column=column), given, fix="give the folder of the model"))
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(encoder, allow_patterns=[*files, *beside]))
    except Exception as fault:  # its errors are of many libraries, from sockets upwards
        reason = (str(fault).splitlines() or [type(fault).__name__])[0]
        given = f"no folder {encoder!r}, and the hub does not give it ({reason[:120]})"
        fix = "give the folder of a checkpoint, or check the name and the connection"
        raise DataError(message(location(column=column), given, fix=fix)) from None


def read_json(column: str, file: Path) -> dict[str, Any]:
    """Read an object from a file of a checkpoint.

    Raises:
        DataError: it is no JSON, or no object.
    """
    try:
        content = json.loads(read_whole(file))
    except (OSError, ValueError, RecursionError) as fault:
        content = f"not JSON ({str(fault)[:80]})"
    if isinstance(content, dict):
        return content
    given = f"{file} holds {str(content)[:120]}"
    fix = "copy the checkpoint anew"
    raise DataError(message(location(column=column), given, "an object of JSON", fix=fix)) from None


def require_transformers(column: str) -> None:
    """Raise MissingExtraError where transformers is not installed."""
    try:
        import transformers  # noqa: F401
    except ImportError:
        purpose = f"reading column {column!r} with a pretrained model"
        raise MissingExtraError("transformers", "text", purpose) from None


def refused(column: str, home: Path, fault: Exception, *, what: str, models: str) -> DataError:
    """The error for a model that does not read what it should; it may raise whatever it likes.

    Args:
        column: the column that it reads.
        home: the folder of the model.
        fault: what it raised.
        what: what it should read, such as "images".
        models: which models do.
    """
    reason = (str(fault).splitlines() or [type(fault).__name__])[0]
    given = f"the model in {home} can't read {what} ({reason[:160]})"
    return DataError(
        message(location(column=column), given, models, fix="choose another checkpoint")
    )
