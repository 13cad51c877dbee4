"""Text that is written for a row by a pretrained decoder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import torch
from pydantic import Field
from torch import Tensor, nn

from superpose.columns import Column, as_text, warn
from superpose.distributions import PROBABILITY_FLOOR
from superpose.errors import DataError, message, place
from superpose.kinds._beside import Beside
from superpose.kinds._options import Options
from superpose.kinds._plot_rows import few_rows, shown
from superpose.kinds._target import TargetKind, too_few_labels
from superpose.kinds.tabular._number import quantile_edges
from superpose.nn import (
    TEXT_FILES,
    Checkpoint,
    Share,
    TextDecoder,
    find_model,
    require_transformers,
)

from ._chrf import chrf

CODE = 16  # numbers in which a measured text is told to other targets


class GeneratedTextOptions(Options):
    """Options of text that is written.

    Args:
        decoder: folder with config.json, tokenizer.json and model.safetensors of a decoder, or a
            name on the hub of Hugging Face.
        train: what is trained of it: nothing, low-rank adapters, or all its weights.
        prefix: vectors that stand before the text and tell the decoder what to write.
        tokens: most tokens of a text; what is longer is cut.
        beams: texts that are held side by side in writing; 1 takes the likeliest token each time.
        rate: steps of the decoder's weights as a share of those of the others.
    """

    decoder: str = Field(min_length=1)
    train: Literal["nothing", "adapters", "all"] = "nothing"
    prefix: int = Field(default=8, ge=1, le=64)
    tokens: int = Field(default=32, ge=2, le=256)
    beams: int = Field(default=1, ge=1, le=16)
    rate: Share = 0.02


@dataclass(kw_only=True)
class GeneratedTextTarget(Checkpoint, TargetKind):
    """Text that a pretrained decoder of `transformers` writes, told what to write by the row.

    Labels are the numbers of their tokens, NaN behind the end. Canonical prediction: how likely
    each token of the row's label is behind those before it, NaN where the table has no label; then
    the tokens that are written. No two of them can be mixed, so that one model ships whole. Needs
    the extra `superpose[text]`.
    """

    name: ClassVar[str] = "generated-text"
    options: ClassVar[type[Options]] = GeneratedTextOptions
    tree: ClassVar[str] = "none"
    metric: ClassVar[str] = "perplexity"
    higher_is_better: ClassVar[bool] = False
    needs_folder: ClassVar[bool] = True
    slow: ClassVar[bool] = True
    fitted_loss: ClassVar[bool] = False
    own_head: ClassVar[bool] = True
    reads_labels: ClassVar[bool] = True
    blends: ClassVar[bool] = False
    needed: ClassVar[tuple[str, ...]] = TEXT_FILES
    named: ClassVar[str] = "decoder"
    tokenizer: str
    end: int  # number of the token that ends a text
    edges: list[list[float]]

    @property
    def length(self) -> int:
        """Most tokens L of a text."""
        return int(self.settings["tokens"])

    @property
    def size(self) -> int:
        return 2 * self.length

    @property
    def width(self) -> int:
        return 2 * self.length

    @classmethod
    def fit(cls, column: str, values: Column, folder: str = "", **options: Any) -> Self:
        settings = GeneratedTextOptions.model_validate(options)
        labelled = len(values) - as_text(values).null_count
        if labelled < 2:
            raise too_few_labels(column, labelled)
        require_transformers(column)
        home = find_model(column, settings.decoder, folder, TEXT_FILES)
        config = json.loads((home / "config.json").read_text(encoding="utf-8"))
        kind = cls(
            column=column,
            settings=settings.model_dump(),
            home=str(home),
            config=config,
            tokenizer=(home / "tokenizer.json").read_text(encoding="utf-8"),
            end=_require_decoder(column, home, config),
            edges=[],
        )
        told = kind._told(kind.encode(values))
        kind.edges = [quantile_edges(part[~np.isnan(part)]) for part in told.T]
        return kind

    @cached_property
    def _tokens(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(self.tokenizer)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def encode(self, values: Column, folder: str = "") -> np.ndarray:
        texts = as_text(values).to_pylist()
        block, cut = self.unlabelled(len(texts)), 0
        known = [row for row, text in enumerate(texts) if text is not None]
        rows = self._tokens.encode_batch([texts[row] for row in known], add_special_tokens=False)
        for row, found in zip(known, rows, strict=True):
            ids = [*found.ids, self.end]
            cut += len(ids) > self.length
            block[row, : len(ids)] = ids[: self.length]
        if cut:
            warn(
                f"target {self.column!r}: {cut} text(s) have more than {self.length} tokens and "
                f"are cut; a larger `tokens` reads more"
            )
        return block

    def unlabelled(self, rows: int) -> np.ndarray:
        return np.full((rows, self.length), np.nan, np.float32)

    def balanced(self, y: np.ndarray) -> np.ndarray:
        """How many tokens a row has."""
        count = (~np.isnan(y)).sum(axis=1)
        return np.where(count > 0, count, np.nan)

    def exact(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        return np.concatenate([np.where(np.isnan(y), np.nan, 1.0), y], axis=1)

    def head(self, state: int) -> nn.Module:
        settings = self.settings
        return TextDecoder(
            self.config,
            self.weights,
            state,
            settings["prefix"],
            settings["tokens"],
            self.end,
            settings["train"],
            settings["rate"],
            settings["beams"],
        )

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        known = ~y.isnan()
        each = torch.where(known, -out[..., : y.shape[-1]], 0.0)
        return each.sum(-1) / known.sum(-1).clamp(min=1)

    def predict(self, out: Tensor) -> Tensor:
        half = out.shape[-1] // 2
        return torch.cat([out[..., :half].exp(), out[..., half:]], -1)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """The mean log-loss of the tokens of a row."""
        count = (~np.isnan(y)).sum(axis=-1)
        return np.where(count > 0, -self.log_likelihood(y, pred) / np.maximum(count, 1), np.nan)

    def log_likelihood(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        known = ~np.isnan(y)
        chances = np.clip(np.asarray(pred, np.float64)[..., : self.length], PROBABILITY_FLOOR, 1.0)
        told = np.where(known, np.log(chances), 0.0).sum(axis=-1)
        return np.where(known.any(axis=-1), told, np.nan)

    def constant(self, y: np.ndarray) -> np.ndarray:
        """The text that most rows have, and of each place how likely its tokens are on average.

        The mean is that of logarithms, so that its log-loss is that of the frequencies of tokens at
        each place.
        """
        y = np.asarray(y, np.float64)
        chances = np.ones(self.length)
        for place_, ids in enumerate(y.T):
            _, counts = np.unique(ids[~np.isnan(ids)], return_counts=True)
            shares = counts / max(counts.sum(), 1)
            chances[place_] = np.exp((shares * np.log(shares)).sum())
        rows = y[self.known(y)]
        if not len(rows):
            return np.concatenate([chances, np.full(self.length, float(self.end))])
        texts, counts = np.unique(self._whole(rows), axis=0, return_counts=True)
        return np.concatenate([chances, texts[counts.argmax()]])

    def _whole(self, ids: np.ndarray) -> np.ndarray:
        """Tokens (N, L) with the end in place of what is missing behind it."""
        return np.where(np.isnan(ids), self.end, ids)

    @cached_property
    def _codes(self) -> np.ndarray:
        count = max(int(self._tokens.get_vocab_size()), self.end + 1)
        drawn = np.random.default_rng(0).normal(size=(count, CODE))
        return np.asarray(drawn, np.float32)

    @property
    def reveal_edges(self) -> list[list[float]]:
        return self.edges

    def reveal(self, y: np.ndarray) -> np.ndarray:
        """Which tokens a text has, as the mean of a random code of each, (N, R)."""
        return self._told(y)

    def _told(self, y: np.ndarray) -> np.ndarray:
        known = ~np.isnan(y)
        codes = self._codes[np.where(known, y, 0).astype(int)] * known[..., None]
        count = known.sum(axis=1, keepdims=True)
        mean = codes.sum(axis=1) / np.sqrt(np.maximum(count, 1))
        return np.where(count > 0, mean, np.nan).astype(np.float32)

    # Texts have no order in which one could lie between two others: they join no copula, a draw is
    # what is written, and how much an outcome would tell about them is not known.

    def scores(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        return np.where(self.known(y), 0.0, np.nan)[:, None]

    def at_scores(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        ids = np.asarray(pred, np.float64)[..., self.length :].round()
        behind = np.cumsum(ids == self.end, axis=-1) - (ids == self.end) > 0
        return np.where(behind, np.nan, ids)

    def given_scores(self, pred: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        return np.asarray(pred, np.float64)

    def information(self, told: np.ndarray) -> np.ndarray:
        return np.zeros(told.shape[1])

    def texts(self, ids: np.ndarray) -> list[str]:
        """Tokens (N, L) as text, each up to the token that ends it."""
        rows = self._whole(ids).round().astype(int).tolist()
        kept = [row[: row.index(self.end)] if self.end in row else row for row in rows]
        return list(self._tokens.decode_batch(kept, skip_special_tokens=True))

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        names = ("perplexity", "exact_match", "chrf", "log_loss")
        if not len(y):
            return dict.fromkeys(names, np.nan)
        true, told = self.texts(y), self.texts(pred[:, self.length :])
        mean = -self.log_likelihood(y, pred).sum() / (~np.isnan(y)).sum()
        same = [a == b for a, b in zip(true, told, strict=True)]
        values = (np.exp(mean), np.mean(same), chrf(true, told), self.row_loss(y, pred).mean())
        return dict(zip(names, map(float, values), strict=True))

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        ids = np.asarray(pred, np.float64)[:, self.length :]
        return {self.column: pa.array(self.texts(ids), pa.string())}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        """The text alone: there are more texts than could be listed."""
        return self.decode(pred)

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        rows = few_rows(self.row_loss(y, pred))
        true, told = self.texts(y[rows]), self.texts(pred[rows, self.length :])
        found = [
            {"row": row, "true": a, "told": [[b, None]]}
            for row, a, b in zip(shown(beside.table, rows), true, told, strict=True)
        ]
        return {"kind": self.name, "y": y[self.known(y)], "examples": found}

    def describe(self) -> str:
        return f"text of at most {self.length} tokens, written by {self.how}"


def _require_decoder(column: str, home: Path, config: dict[str, Any]) -> int:
    """Make sure that a model writes text, and return the number of the token that ends it.

    Raises:
        DataError: a model that reads only, or one that names no end.
    """
    from transformers.models.auto import modeling_auto as known

    kind = str(config.get("model_type"))
    # Models of both lists, such as BERT, are trained to fill gaps and made to write in name only.
    writes = kind in known.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    fills = kind in known.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    where = place(column=column)
    if not writes or fills or config.get("is_encoder_decoder"):
        given = f"the model in {home} is of type {kind}, which does not write on from a text"
        fix = "give a decoder such as gpt2, qwen2 or llama"
        raise DataError(message(where, given, "decoder-only models", fix=fix))
    end = config.get("eos_token_id")
    end = end[0] if isinstance(end, list) and end else end
    if not isinstance(end, int):
        given = f"the config.json in {home} names no token that ends a text"
        raise DataError(message(where, given, fix="write its number there as eos_token_id"))
    return end
