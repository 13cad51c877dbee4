"""Text read by a pretrained language model, as it is or trained further."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from superpose.columns import Column, as_text, as_words, is_list, missing, plain, warn
from superpose.kinds._checkpoint import (
    TEXT_FILES,
    Checkpoint,
    Share,
    find_model,
    require_transformers,
)
from superpose.kinds._input import InputHints, LoadBackbone, no_backbone
from superpose.kinds._lru_cache import LRUCache
from superpose.kinds._options import Options
from superpose.kinds.items._embedding import VectorInput, as_features, standardised

from ._text import MOST_WORDS_READ

BATCH = 64
_CACHE = LRUCache()


class TextBackbone(Protocol):
    """What runs a language model as others have trained it."""

    def hidden_dim(self, config: dict[str, Any]) -> int:
        """Numbers of a vector of the model with this config.json."""

    def text_vectors(self, home: Path, ids: np.ndarray, pad: int) -> np.ndarray:
        """Means of the tokens' vectors: ids (n, S) -> (n, D)."""

    def word_vectors(
        self, home: Path, ids: np.ndarray, first: np.ndarray, *, pad: int
    ) -> np.ndarray:
        """The vector of the first token of each word, NaN where there is no word.

        Shape:
            ids (n, S), first (n, W), positions from 1, 0 without a word -> (n, W, D).
        """


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
class PretrainedTextInput(Checkpoint, VectorInput):
    """Text, read by a language model of `transformers` that others have trained.

    With ``train: nothing`` a text is the mean of its tokens' vectors, made once; else the model is
    a part of the network and travels in the bundle. Trees read the vectors in either case. Where
    words get a label each, a word is read as the first of its tokens. Needs the extra
    `superpose[text]`.
    """

    name: ClassVar[str] = "pretrained-text"
    options: ClassVar[type[Options]] = PretrainedTextOptions
    hints: ClassVar[InputHints] = InputHints(
        takes_lists=True,
        fit_needs=frozenset({"folder", "load_backbone"}),
        encode_needs=frozenset({"load_backbone"}),
    )
    needed: ClassVar[tuple[str, ...]] = TEXT_FILES
    tokenizer: str
    pad: int
    mean: list[float] = field(default_factory=list)  # known once the model has read the texts
    scale: list[float] = field(default_factory=list)
    count: int = 0
    words: int = 0  # most words of a row where words get a label each, else 0

    @property
    def target_options(self) -> dict[str, Any]:
        return {"places": self.words} if self.words else {}

    @property
    def padding(self) -> int:
        return self.pad

    @classmethod
    def fit(
        cls,
        column: str,
        values: Column,
        *,
        folder: str = "",
        load_backbone: LoadBackbone = no_backbone,
        divided: bool = False,
        **options: Any,
    ) -> Self:
        settings = PretrainedTextOptions.model_validate(options)
        require_transformers(column)
        home = find_model(column, settings.encoder, folder, files=TEXT_FILES)
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
            kind.words = int(np.clip(longest, 1, min(MOST_WORDS_READ, settings.length)))
        if divided and not kind.trained:
            vectors = kind._word_vectors(values, load_backbone())
            kind.take_moments(vectors.reshape(-1, vectors.shape[-1]))
        else:
            kind.take_moments(kind._text_vectors(values, load_backbone()))
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
        ids = self._ids_of(texts)
        block[:, : ids.shape[1]] = ids
        block[[not text for text in texts]] = self.pad
        return block

    def _text_vectors(self, values: Column, backbone: TextBackbone) -> np.ndarray:
        """Vectors of texts by the model as others have trained it, NaN where there is no text."""
        texts = _texts(values)
        order = _in_order(texts)

        def read(positions: list[int]) -> list[np.ndarray]:
            ids = self._ids_of([order[position] for position in positions])
            return list(backbone.text_vectors(self.folder_of_model(), ids, self.pad))

        keys = [(self.home, self.settings["length"], text) for text in order]
        known = dict(zip(order, _CACHE(keys, read, BATCH), strict=True))
        vectors = np.full((len(texts), backbone.hidden_dim(self.config)), np.nan, np.float32)
        for row, text in enumerate(texts):
            if text:
                vectors[row] = known[text]
        return vectors

    def _ids_of(self, texts: Sequence[str]) -> np.ndarray:
        rows = [tokens.ids for tokens in self._tokens.encode_batch(list(texts))]
        block = np.full((len(rows), max(map(len, rows))), self.pad, np.int64)
        for row, ids in enumerate(rows):
            block[row, : len(ids)] = ids
        return block

    def _pieces(self, rows: Sequence[Sequence[str]]) -> np.ndarray:
        """Numbers of tokens and the positions of words' first ones, (N, S, 2), from 1."""
        block = np.zeros((len(rows), self.settings["length"], 2), np.int64)
        block[..., 0] = self.pad
        tokenized = self._tokens.encode_batch(list(map(list, rows)), is_pretokenized=True)
        for row, (words, tokens) in enumerate(zip(rows, tokenized, strict=True)):
            if not words:
                continue
            block[row, : len(tokens.ids), 0] = tokens.ids
            owners = [-1 if owner is None else owner for owner in tokens.word_ids]
            at = 0
            first = np.searchsorted(np.maximum.accumulate(owners), np.arange(len(words)))
            for word in range(min(self.words, max(owners, default=-1) + 1)):
                # A word that no token stands for has the next one's; beyond the last none is read.
                at = int(first[word]) + 1
                block[row, word, 1] = at
        return block

    def _word_vectors(self, values: Column, backbone: TextBackbone) -> np.ndarray:
        """Vectors of words by the model as others have trained it, (N, W, D), else NaN."""
        rows = _divided(values)
        order = _in_order(rows)

        def read(positions: list[int]) -> list[np.ndarray]:
            pieces = self._pieces([order[position] for position in positions])
            used = max(1, int((pieces[..., 0] != self.pad).sum(-1).max()))
            first = pieces[:, : self.words, 1]
            vectors = backbone.word_vectors(
                self.folder_of_model(), pieces[:, :used, 0], first, pad=self.pad
            )
            counts = (first > 0).sum(-1).tolist()
            # Copies, so that the padding of a batch is not kept beside its rows.
            return [own[:count].copy() for own, count in zip(vectors, counts, strict=True)]

        keys = [(self.home, self.settings["length"], self.words, row) for row in order]
        known = dict(zip(order, _CACHE(keys, read, BATCH), strict=True))
        hidden_dim = backbone.hidden_dim(self.config)
        block = np.full((len(rows), self.words, hidden_dim), np.nan, np.float32)
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

    def encode(self, values: Column, *, load_backbone: LoadBackbone = no_backbone) -> np.ndarray:
        if self.trained and not self.words:
            return self._ids(values)
        if self.trained:
            block = self._pieces(_divided(values))
            self._warn_of_long(values, (block[..., 1] > 0).sum(axis=1))
            return block
        if not self.words:
            vectors = self._text_vectors(values, load_backbone())
            return standardised(vectors, self.mean, self.scale)
        vectors = self._word_vectors(values, load_backbone())
        self._warn_of_long(values, (~np.isnan(vectors[..., 0])).sum(axis=1))
        return standardised(vectors, self.mean, self.scale)

    def features(
        self, values: Column, *, load_backbone: LoadBackbone = no_backbone
    ) -> tuple[np.ndarray, list[bool], list[str]]:
        vectors = self._text_vectors(values, load_backbone())
        vectors[missing(values)] = np.nan
        return as_features(self.column, vectors)

    def describe(self) -> str:
        return f"{'words' if self.words else 'text'} read by {self.how}"


def _in_order(texts: Sequence[Any]) -> list[Any]:
    """Distinct texts, or rows of words, as they are read: a set has another order in each process.

    Those of a length stand together, so that a batch has little padding.
    """
    return sorted({text for text in texts if text}, key=lambda text: (len(text), text))


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
