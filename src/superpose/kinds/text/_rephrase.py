"""Texts in other words: passed through models of translation while a text is fitted."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from superpose.columns import warn
from superpose.kinds._checkpoint import TEXT_FILES, find_model, refused, require_transformers

from ._synonyms import TranslatorOptions

BESIDE = ("tokenizer_config.json", "special_tokens_map.json", "generation_config.json")
MODELS = "a model that turns texts into texts (T5, NLLB, mBART, BART)"


class TranslationBackbone(Protocol):
    """What runs models that turn a text into another one."""

    def translate(
        self, home: Path, step: TranslatorOptions, texts: tuple[str, ...]
    ) -> Sequence[str | None]:
        """A text for each, None for one that is too long for the model in a folder."""


def rephrase(
    texts: Sequence[str],
    steps: Sequence[TranslatorOptions],
    *,
    column: str,
    folder: str,
    backbone: TranslationBackbone,
) -> dict[str, str]:
    """Pass texts from model to model and return those that come back in other words.

    Args:
        texts: each of them once is enough.
        steps: the models, such as one to another language and one back.
        column: the column that holds the texts.
        folder: that of the table, where folders of models may lie.
        backbone: what runs the models.

    Raises:
        DataError: a model is not there or can't be read.
        MissingExtraError: transformers is not installed.

    Source:
        Sennrich, Haddow and Birch 2016, section 3, used here to augment texts and not to add some.
    """
    require_transformers(column)
    texts = list(dict.fromkeys(texts))
    others: list[str | None] = list(texts)
    for step in steps:
        index = [position for position, text in enumerate(others) if text]
        home = find_model(column, step.model, folder, files=TEXT_FILES, beside=BESIDE)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                translated = backbone.translate(home, step, tuple(str(others[p]) for p in index))
        except Exception as fault:  # a checkpoint may fail in any way
            raise refused(column, home, fault, what="texts", models=MODELS) from None
        for position, text in zip(index, translated, strict=True):
            others[position] = text
    lost = sum(not text for text in others)
    if lost:
        warn(
            f"input {column!r}: {lost} of {len(texts)} texts are not rephrased, as they are too "
            f"long for the models or came back empty"
        )
    return {a: b for a, b in zip(texts, others, strict=True) if b and a.split() != b.split()}
