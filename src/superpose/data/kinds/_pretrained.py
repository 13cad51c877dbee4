"""Text read by a pretrained language model, as it is or trained further."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from pydantic import Field
from torch import nn

from superpose.errors import DataError, MissingExtraError, listing, message, place
from superpose.nn import (
    PretrainedText,
    PretrainedWords,
    WordVectors,
    first_pieces,
    mean_of_tokens,
    pretrained_model,
    token_states,
)

from ._embedding import VectorInput, moments
from ._options import Options
from ._text import MOST_PLACES
from ._values import Column, as_text, is_list, missing, plain, warn
from ._words import as_words

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


CACHED_ROWS = 20_000  # sentences whose words' vectors are kept, some 20 kB each


@dataclass(kw_only=True)
class PretrainedTextInput(VectorInput):
    """Text, read by a language model of `transformers` that others have trained.

    With ``train: nothing`` a text is the mean of its tokens' vectors, made once; else the model is
    a part of the network and travels in the bundle. Trees read the vectors in either case. Where
    words get a label each, a word is read as the first of its tokens. Needs the extra
    `superpose[text]`.
    """

    name: ClassVar[str] = "pretrained-text"
    options: ClassVar[type[Options]] = PretrainedTextOptions
    needs_folder: ClassVar[bool] = True
    takes_lists: ClassVar[bool] = True
    settings: dict[str, Any]
    home: str  # where the model was found
    config: dict[str, Any]
    tokenizer: str
    pad: int
    mean: list[float] = field(default_factory=list)  # known once the model has read the texts
    scale: list[float] = field(default_factory=list)
    count: int = 0
    words: int = 0  # most words of a row where words get a label each, else 0

    @property
    def places(self) -> int | None:
        return self.words or None

    @property
    def slow(self) -> bool:
        return self.trained

    @property
    def absent(self) -> int:
        return self.pad

    @property
    def trained(self) -> bool:
        """Whether the model is a part of the network."""
        return bool(self.settings["train"] != "nothing")

    @classmethod
    def fit(
        cls, column: str, values: Column, folder: str = "", divided: bool = False, **options: Any
    ) -> Self:
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
        if divided:
            longest = max(map(len, _divided(values)), default=1)
            kind.words = int(np.clip(longest, 1, min(MOST_PLACES, settings.length)))
        if divided and not kind.trained:
            found = moments(kind._word_vectors(values).reshape(-1, kind._width))
        else:
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
        texts = _texts(values)
        block = np.full((len(texts), self.settings["length"]), self.pad, np.int64)
        found = self._ids_of(texts)
        block[:, : found.shape[1]] = found
        block[[not text for text in texts]] = self.pad
        return block

    def _vectors(self, values: Column) -> np.ndarray:
        """Vectors of texts by the model as others have trained it, NaN where there is no text."""
        texts = _texts(values)
        known = _known(self.home, self.settings["length"])
        fresh = sorted({text for text in texts if text and text not in known}, key=_by_length)
        if len(known) + len(fresh) > CACHED:
            known.clear()
            fresh = sorted({text for text in texts if text}, key=_by_length)
        model = _frozen(find_model(self.column, self.home, ""))
        for start in range(0, len(fresh), BATCH):
            part = fresh[start : start + BATCH]
            ids = torch.from_numpy(self._ids_of(part))
            with torch.no_grad():
                found = mean_of_tokens(model, ids, self.pad).numpy()
            known.update(zip(part, found, strict=True))
        vectors = np.full((len(texts), self._width), np.nan, np.float32)
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

    @property
    def _width(self) -> int:
        """Numbers of a vector."""
        from transformers import AutoConfig

        return int(AutoConfig.for_model(**self.config).hidden_size)  # some write it as `dim`

    def _pieces(self, rows: Sequence[Sequence[str]]) -> np.ndarray:
        """Numbers of tokens and the places of words' first ones, (N, S, 2), from 1."""
        block = np.zeros((len(rows), self.settings["length"], 2), np.int64)
        block[..., 0] = self.pad
        found = self._tokens.encode_batch(list(map(list, rows)), is_pretokenized=True)
        for row, (words, told) in enumerate(zip(rows, found, strict=True)):
            if not words:
                continue
            block[row, : len(told.ids), 0] = told.ids
            owners = [-1 if owner is None else owner for owner in told.word_ids]
            at, first = 0, np.searchsorted(np.maximum.accumulate(owners), np.arange(len(words)))
            for word in range(min(self.words, max(owners, default=-1) + 1)):
                # A word that no token stands for has the next one's; beyond the last none is read.
                at = int(first[word]) + 1
                block[row, word, 1] = at
        return block

    def _word_vectors(self, values: Column) -> np.ndarray:
        """Vectors of words by the model as others have trained it, (N, W, D), else NaN."""
        rows = _divided(values)
        known = _known_words(self.home, self.settings["length"], self.words)
        fresh = sorted({row for row in rows if row and row not in known}, key=_by_length)
        if len(known) + len(fresh) > CACHED_ROWS:
            known.clear()
            fresh = sorted({row for row in rows if row}, key=_by_length)
        model = _frozen(find_model(self.column, self.home, ""))
        for start in range(0, len(fresh), BATCH):
            part = fresh[start : start + BATCH]
            pieces = torch.from_numpy(self._pieces(part))
            used = max(1, int((pieces[..., 0] != self.pad).sum(-1).max()))
            first = pieces[:, : self.words, 1]
            with torch.no_grad():
                states = token_states(model, pieces[:, :used, 0], self.pad)
                found = first_pieces(states, first).masked_fill((first == 0)[..., None], torch.nan)
            many = (first > 0).sum(-1).tolist()
            # Copies, so that the padding of a batch is not kept beside its rows.
            for own, vectors, count in zip(part, found.numpy(), many, strict=True):
                known[own] = vectors[:count].copy()
        block = np.full((len(rows), self.words, self._width), np.nan, np.float32)
        for row, words in enumerate(rows):
            if words:
                block[row, : len(known[words])] = known[words]
        return block

    def _warn_of_long(self, values: Column, read: np.ndarray) -> None:
        counts = np.array([len(words) for words in _divided(values)])
        long = counts > read
        if long.any():
            row = int(np.argmax(long))
            warn(
                f"input {self.column!r}, row {row}: {counts[row]} words, of which {read[row]} are "
                f"read; in {int(long.sum())} such row(s) the words beyond get no label; a larger "
                f"`length` reads more tokens"
            )

    def encode(self, values: Column, folder: str = "") -> np.ndarray:
        if not self.words:
            return self._ids(values) if self.trained else super().encode(values)
        if self.trained:
            block = self._pieces(_divided(values))
            self._warn_of_long(values, (block[..., 1] > 0).sum(axis=1))
            return block
        vectors = self._word_vectors(values)
        self._warn_of_long(values, (~np.isnan(vectors[..., 0])).sum(axis=1))
        centred = vectors - np.asarray(self.mean, np.float32)
        return np.asarray(centred / np.asarray(self.scale, np.float32), np.float32)

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
            return (
                WordVectors(len(kind.mean), width) if kind.words else super().encoder(kinds, width)
            )
        home, settings = Path(kind.home), kind.settings
        reader = PretrainedText(
            kind.config,
            home if all((home / file).is_file() for file in FILES) else None,
            kind.pad,
            settings["train"] == "adapters",
            settings["rate"],
            settings["decay"],
        )
        return PretrainedWords(reader, kind.words) if kind.words else reader

    def describe(self) -> str:
        kind = self.config.get("model_type", "model")
        what, how = "words" if self.words else "text", HOW[self.settings["train"]]
        return f"{what} read by {self.settings['encoder']} ({kind}), {how}"


@lru_cache(maxsize=4)
def _known(home: str, length: int) -> dict[str, np.ndarray]:
    """The vectors of texts that a model has read."""
    return {}


@lru_cache(maxsize=2)
def _known_words(home: str, length: int, words: int) -> dict[tuple[str, ...], np.ndarray]:
    """The vectors of the words of sentences that a model has read."""
    return {}


def _by_length(one: str | tuple[str, ...]) -> tuple[int, Any]:
    """The order in which texts are read: a set has another one in each process."""
    return len(one), one


def _divided(values: Column) -> list[tuple[str, ...]]:
    """The words of each row, as they are divided."""
    words, rows = as_words(values)
    text = pc.fill_null(as_text(pa.chunked_array([words])), "").to_pylist()
    ends = np.cumsum(np.bincount(rows, minlength=len(values)))
    starts = np.concatenate([[0], ends[:-1]])
    return [tuple(text[a:b]) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def _texts(values: Column) -> list[str]:
    """Texts, "" where there is none; words that are divided already with blanks between them."""
    if is_list(plain(values).type):
        return [" ".join(words) for words in _divided(values)]
    return pc.fill_null(as_text(values), "").to_pylist()


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
