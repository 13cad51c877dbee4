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
from pydantic import Field

from superpose.columns import Column, as_text, warn
from superpose.distributions import Text
from superpose.errors import DataError, location, message
from superpose.kinds._beside import Beside
from superpose.kinds._checkpoint import (
    TEXT_FILES,
    Checkpoint,
    Share,
    find_model,
    require_transformers,
)
from superpose.kinds._hints import TargetHints
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._options import Options
from superpose.kinds._plot_rows import few_rows, shown
from superpose.kinds._raw_labels import any_label
from superpose.kinds._target import TargetKind, too_few_labels
from superpose.kinds.tabular._number import quantile_edges

from ._chrf import chrf

CODE = 16  # numbers by which other targets read a measured text


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
    """Text that a pretrained decoder of `transformers` writes, steered by the row.

    Labels are the numbers of their tokens, NaN behind the end. No two predictions can be mixed, so
    that one model ships whole. Needs the extra `superpose[text]`.
    """

    name: ClassVar[str] = "generated-text"
    options: ClassVar[type[Options]] = GeneratedTextOptions
    metric: ClassVar[str] = "perplexity"
    higher_is_better: ClassVar[bool] = False
    hints: ClassVar[TargetHints] = TargetHints(
        reads_files=True,
        raw_labels=any_label,  # no two texts need be the same
        skip_cross_fitting=True,
        custom_head=True,
        reads_labels=True,
    )
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
    def distribution(self) -> Text:
        return Text(self.length, self.end)

    @classmethod
    def fit(cls, column: str, values: Column, folder: str = "", **options: Any) -> Self:
        settings = GeneratedTextOptions.model_validate(options)
        labelled = len(values) - as_text(values).null_count
        if labelled < 2:
            raise too_few_labels(column, labelled)
        require_transformers(column)
        home = find_model(column, settings.decoder, folder, files=TEXT_FILES)
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
        code = kind._code(kind.encode(values))
        kind.edges = [quantile_edges(part[~np.isnan(part)]) for part in code.T]
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
        block = self.distribution.missing(len(texts))
        n_cut = 0
        known = [row for row, text in enumerate(texts) if text is not None]
        rows = self._tokens.encode_batch([texts[row] for row in known], add_special_tokens=False)
        for row, tokens in zip(known, rows, strict=True):
            ids = [*tokens.ids, self.end]
            n_cut += len(ids) > self.length
            block[row, : len(ids)] = ids[: self.length]
        if n_cut:
            warn(
                f"target {self.column!r}: {n_cut} text(s) have more than {self.length} tokens and "
                f"are cut; a larger `tokens` reads more"
            )
        return block

    def strata(self, y: np.ndarray) -> np.ndarray:
        """How many tokens a row has."""
        count = (~np.isnan(y)).sum(axis=1)
        return np.where(count > 0, count, np.nan)

    @cached_property
    def _codes(self) -> np.ndarray:
        count = max(int(self._tokens.get_vocab_size()), self.end + 1)
        drawn = np.random.default_rng(0).normal(size=(count, CODE))
        return np.asarray(drawn, np.float32)

    @property
    def observed(self) -> ObservedColumns:
        """Which tokens a text has, as the mean of a random code of each."""
        return ObservedColumns(self.edges, self._code)

    def _code(self, y: np.ndarray) -> np.ndarray:
        known = ~np.isnan(y)
        codes = self._codes[np.where(known, y, 0).astype(int)] * known[..., None]
        count = known.sum(axis=1, keepdims=True)
        mean = codes.sum(axis=1) / np.sqrt(np.maximum(count, 1))
        return np.where(count > 0, mean, np.nan).astype(np.float32)

    def texts(self, ids: np.ndarray) -> list[str]:
        """Tokens (N, L) as text, each up to the token that ends it."""
        rows = self.distribution.filled(ids).round().astype(int).tolist()
        kept = [row[: row.index(self.end)] if self.end in row else row for row in rows]
        return list(self._tokens.decode_batch(kept, skip_special_tokens=True))

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        names = ("perplexity", "exact_match", "chrf", "log_loss")
        if not len(y):
            return dict.fromkeys(names, np.nan)
        distribution = self.distribution
        true = self.texts(y)
        written = self.texts(distribution.written(pred))
        mean = -distribution.log_prob(y, pred).sum() / (~np.isnan(y)).sum()
        same = [a == b for a, b in zip(true, written, strict=True)]
        loss = distribution.row_loss(y, pred).mean()
        values = (np.exp(mean), np.mean(same), chrf(true, written), loss)
        return dict(zip(names, map(float, values), strict=True))

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        texts = self.texts(self.distribution.written(pred))
        return {self.column: pa.array(texts, pa.string())}

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        distribution = self.distribution
        rows = few_rows(distribution.row_loss(y, pred))
        true = self.texts(y[rows])
        written = self.texts(distribution.written(pred[rows]))
        examples = [
            {"row": row, "true": a, "told": [[b, None]]}
            for row, a, b in zip(shown(beside.table, rows), true, written, strict=True)
        ]
        return {"chart": "examples", "y": y[distribution.known(y)], "examples": examples}

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
    where = location(column=column)
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
