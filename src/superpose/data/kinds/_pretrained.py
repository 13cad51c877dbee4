"""Text read by a pretrained language model, as it is or trained further."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pyarrow.compute as pc
import torch
from pydantic import Field
from torch import nn

from superpose.errors import DataError, MissingExtraError, listing, message, place
from superpose.nn import PretrainedText, mean_of_tokens, pretrained_model

from ._embedding import VectorInput, moments
from ._options import Options
from ._values import Column, as_text, missing

FILES = ("config.json", "tokenizer.json", "model.safetensors")
BATCH = 64
HOW = {"nothing": "as it is", "adapters": "with adapters", "all": "trained further"}
Share = Annotated[float, Field(gt=0, le=1)]
CACHED = 200_000  # vectors of texts that are kept: importance and trees ask for the same ones again


class PretrainedTextOptions(Options):
    """Options of text that a pretrained model reads.

    Args:
        encoder: folder with config.json, tokenizer.json and model.safetensors, or a name on the
            hub of Hugging Face.
        train: what is trained of it: nothing, low-rank adapters, or all its weights.
        length: tokens of a text that are read.
        rate: steps of its weights as a share of those of the others.
        decay: what that share is times for each layer further down.
    """

    encoder: str = Field(min_length=1)
    train: Literal["nothing", "adapters", "all"] = "nothing"
    length: int = Field(default=128, ge=2, le=512)
    rate: Share = 0.02
    decay: Share = 0.9


@dataclass(kw_only=True)
class PretrainedTextInput(VectorInput):
    """Text, read by a language model of `transformers` that others have trained.

    With ``train: nothing`` a text is the mean of its tokens' vectors, made once; else the model is
    a part of the network and travels in the bundle. Trees read the vectors in either case. Needs
    the extra `superpose[text]`.
    """

    name: ClassVar[str] = "pretrained-text"
    options: ClassVar[type[Options]] = PretrainedTextOptions
    needs_folder: ClassVar[bool] = True
    settings: dict[str, Any]
    home: str  # where the model was found
    config: dict[str, Any]
    tokenizer: str
    pad: int
    mean: list[float] = field(default_factory=list)  # known once the model has read the texts
    scale: list[float] = field(default_factory=list)
    count: int = 0

    @property
    def slow(self) -> bool:
        return self.trained

    @property
    def trained(self) -> bool:
        """Whether the model is a part of the network."""
        return bool(self.settings["train"] != "nothing")

    @classmethod
    def fit(cls, column: str, values: Column, folder: str = "", **options: Any) -> Self:
        settings = PretrainedTextOptions.model_validate(options)
        require_transformers(column)
        home = find_model(column, settings.encoder, folder)
        config = json.loads((home / "config.json").read_text(encoding="utf-8"))
        text = (home / "tokenizer.json").read_text(encoding="utf-8")
        kind = cls(
            column=column,
            settings=settings.model_dump(),
            home=str(home),
            config=config,
            tokenizer=text,
            pad=int(config.get("pad_token_id") or 0),
        )
        found = moments(kind._vectors(values))
        kind.mean, kind.scale, kind.count = found["mean"], found["scale"], found["count"]
        return kind

    @cached_property
    def _tokens(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(self.tokenizer)
        tokenizer.enable_truncation(self.settings["length"])
        tokenizer.no_padding()
        return tokenizer

    def _ids(self, values: Column) -> np.ndarray:
        """Numbers of tokens (N, S), padding throughout where there is no text."""
        texts = pc.fill_null(as_text(values), "").to_pylist()
        block = np.full((len(texts), self.settings["length"]), self.pad, np.int64)
        found = self._ids_of(texts)
        block[:, : found.shape[1]] = found
        block[[not text for text in texts]] = self.pad
        return block

    def _vectors(self, values: Column) -> np.ndarray:
        """Vectors of texts by the model as others have trained it, NaN where there is no text."""
        texts = pc.fill_null(as_text(values), "").to_pylist()
        known = _known(self.home, self.settings["length"])
        fresh = sorted({text for text in texts if text and text not in known}, key=len)
        if len(known) + len(fresh) > CACHED:
            known.clear()
            fresh = sorted({text for text in texts if text}, key=len)
        model = _frozen(find_model(self.column, self.home, ""))
        for start in range(0, len(fresh), BATCH):
            part = fresh[start : start + BATCH]
            ids = torch.from_numpy(self._ids_of(part))
            with torch.no_grad():
                found = mean_of_tokens(model, ids, self.pad).numpy()
            known.update(zip(part, found, strict=True))
        width = int(model.config.hidden_size)  # type: ignore[union-attr, arg-type]
        vectors = np.full((len(texts), width), np.nan, np.float32)
        for row, text in enumerate(texts):
            if text:
                vectors[row] = known[text]
        return vectors

    def _ids_of(self, texts: Sequence[str]) -> np.ndarray:
        rows = [found.ids for found in self._tokens.encode_batch(list(texts))]
        block = np.full((len(rows), max(map(len, rows))), self.pad, np.int64)
        for row, ids in enumerate(rows):
            block[row, : len(ids)] = ids
        return block

    def encode(self, values: Column, folder: str = "") -> np.ndarray:
        return self._ids(values) if self.trained else super().encode(values)

    def features(
        self, values: Column, folder: str = ""
    ) -> tuple[np.ndarray, list[bool], list[str]]:
        found = self._vectors(values)
        found[missing(values)] = np.nan
        names = [f"{self.column} ({i})" for i in range(found.shape[1])]
        return found, [False] * len(names), names

    @classmethod
    def encoder(cls, kinds: Sequence[Any], width: int) -> nn.Module:
        kind = kinds[0]
        if not kind.trained:
            return super().encoder(kinds, width)
        home, settings = Path(kind.home), kind.settings
        return PretrainedText(
            kind.config,
            home if all((home / file).is_file() for file in FILES) else None,
            kind.pad,
            settings["train"] == "adapters",
            settings["rate"],
            settings["decay"],
        )

    def describe(self) -> str:
        kind = self.config.get("model_type", "model")
        return f"text read by {self.settings['encoder']} ({kind}), {HOW[self.settings['train']]}"


@lru_cache(maxsize=4)
def _known(home: str, length: int) -> dict[str, np.ndarray]:
    """The vectors of texts that a model has read."""
    return {}


@lru_cache(maxsize=2)
def _frozen(folder: Path) -> nn.Module:
    """A model as others have trained it."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return pretrained_model(config, folder).eval()


def find_model(column: str, encoder: str, folder: str, files: Sequence[str] = FILES) -> Path:
    """Find the folder of a model: as named, from the folder of the table, or from the hub.

    Args:
        column: the column that it reads.
        encoder: the folder, or a name on the hub.
        folder: that of the table.
        files: what the folder has to hold.

    Raises:
        DataError: a folder that lacks files, or a name that the hub can't be asked for.
    """
    for home in (Path(folder, encoder), Path(encoder)):
        if home.is_dir():
            lacking = [file for file in files if not (home / file).is_file()]
            if lacking:
                given = f"the folder {home} lacks {listing(lacking)}"
                fix = "give the folder of a checkpoint of transformers with all of them"
                raise DataError(message(place(column=column), given, listing(files), fix))
            return home
    if Path(encoder).is_absolute() or encoder.startswith(".") or encoder.count("/") > 1:
        given = f"no folder {encoder}"
        raise DataError(message(place(column=column), given, fix="give the folder of the model"))
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(encoder, allow_patterns=list(files)))
    except Exception as fault:  # its errors are of many libraries, from sockets upwards
        reason = (str(fault).splitlines() or [type(fault).__name__])[0]
        given = f"no folder {encoder!r}, and the hub does not give it ({reason[:120]})"
        fix = "give the folder of a checkpoint, or check the name and the connection"
        raise DataError(message(place(column=column), given, fix=fix)) from None


def read_json(column: str, file: Path) -> dict[str, Any]:
    """Read an object from a file of a checkpoint.

    Raises:
        DataError: it is no JSON, or no object.
    """
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as fault:
        told = f"not JSON ({str(fault)[:80]})"
    if isinstance(told, dict):
        return told
    given = f"{file} holds {str(told)[:120]}"
    fix = "copy the checkpoint anew"
    raise DataError(message(place(column=column), given, "an object of JSON", fix)) from None


def require_transformers(column: str) -> None:
    """Raise MissingExtraError where transformers is not installed."""
    try:
        import transformers  # noqa: F401
    except ImportError:
        purpose = f"reading column {column!r} with a pretrained model"
        raise MissingExtraError("transformers", "text", purpose) from None
