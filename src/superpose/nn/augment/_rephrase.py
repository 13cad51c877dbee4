"""Texts in other words: translated to another language and back while a kind is fitted."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from superpose.columns import warn
from superpose.nn.backbones._checkpoints import (
    TEXT_FILES,
    find_model,
    refused,
    require_transformers,
)
from superpose.nn.backbones._translate import Translator

from ._augment import Augment

BESIDE = ("tokenizer_config.json", "special_tokens_map.json", "generation_config.json")
MODELS = "a model that turns texts into texts (T5, NLLB, mBART, BART)"


class TranslatorOptions(BaseModel):
    """A model that turns a text into another one.

    Args:
        model: folder with config.json, tokenizer.json and model.safetensors, or a name on the hub
            of Hugging Face.
        prefix: what the model wants before every text, such as "translate English to German: ".
        source: language of the texts as a model of many languages names it, such as eng_Latn.
        target: the language to translate to, likewise.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    model: str = Field(min_length=1)
    prefix: str = ""
    source: str | None = None
    target: str | None = None


def rephrased(
    column: str, texts: Sequence[str], steps: Sequence[TranslatorOptions], folder: str
) -> dict[str, str]:
    """Pass texts from model to model and return those that come back in other words.

    Args:
        column: the column that holds them.
        texts: each of them once is enough.
        steps: the models, such as one to another language and one back.
        folder: that of the table, where folders of models may lie.

    Raises:
        DataError: a model is not there or can't be read.
        MissingExtraError: transformers is not installed.

    Source:
        Sennrich, Haddow and Birch 2016, section 3, used here to vary texts and not to add some.
    """
    require_transformers(column)
    texts = list(dict.fromkeys(texts))
    told: list[str | None] = list(texts)
    for step in steps:
        at = [place for place, text in enumerate(told) if text]
        found = _translate(column, folder, step, tuple(str(told[p]) for p in at))
        for place, text in zip(at, found, strict=True):
            told[place] = text
    lost = sum(not text for text in told)
    if lost:
        warn(
            f"input {column!r}: {lost} of {len(texts)} texts are not rephrased, as they are too "
            f"long for the models or came back empty"
        )
    return {a: b for a, b in zip(texts, told, strict=True) if b and a.split() != b.split()}


@lru_cache(maxsize=8)  # a table is read again for questions to a run
def _translate(
    column: str, folder: str, step: TranslatorOptions, texts: tuple[str, ...]
) -> tuple[str | None, ...]:
    home = find_model(column, step.model, folder, TEXT_FILES, BESIDE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            translate = Translator(home, step.prefix, step.source, step.target)
            return tuple(translate(texts))
    except Exception as fault:  # a checkpoint may fail in any way
        raise refused(column, home, "texts", MODELS, fault) from None


@dataclass(frozen=True)
class RephraseAugment(Augment):
    """Put for some rows of a batch what is said in other words.

    Args:
        share: Chance of a text with other words to be replaced.
        before: Encoded texts, each of them once.
        after: The same in other words.

    Shape:
        before, after (n, L); a block (P, B, L).

    Example:
        >>> vary = RephraseAugment(1.0, torch.tensor([[5, 7]]), torch.tensor([[8, 0]]))
        >>> vary(torch.tensor([[[5, 7], [7, 5]]]))[0].tolist()
        [[[8, 0], [7, 5]]]
    """

    share: float
    before: Tensor
    after: Tensor

    def __call__(self, block: Tensor) -> tuple[Tensor, None]:
        keys, before, after = (part.to(block.device) for part in self._by_key)
        at = torch.searchsorted(keys, _keys(block)).clamp(max=len(keys) - 1)
        # A key may stand for several rows by chance: what is replaced is the very row.
        same = (before[at] == block).all(-1)
        chosen = same & (torch.rand(same.shape, device=block.device) < self.share)
        return torch.where(chosen[..., None], after[at], block), None

    @cached_property
    def _by_key(self) -> tuple[Tensor, Tensor, Tensor]:
        """Keys of the texts in order, and the texts before and after in that order."""
        keys, order = _keys(self.before).sort()
        return keys, self.before[order], self.after[order]


def _keys(rows: Tensor) -> Tensor:
    """A number for each row of whole numbers, (..., L) -> (...)."""
    places = torch.arange(1, rows.shape[-1] + 1, device=rows.device)
    # Whole numbers wrap around, which mixes them.
    return (rows * (places * 0x9E3779B97F4A7C1 + 1)).sum(-1)
