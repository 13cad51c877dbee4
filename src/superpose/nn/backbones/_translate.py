"""Pretrained models that turn one text into another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from ._pretrained import without_bars

MOST_TOKENS = 256  # of a text; what is longer would come back without its end
BATCH = 16


class Translator:
    """Turn texts into other texts by a model of ``transformers`` with an encoder and a decoder.

    The likeliest token is taken each time, so that the same text gives the same one. Code that a
    checkpoint brings along is never run.

    Args:
        folder: Folder of the checkpoint with its tokenizer and its weights as safetensors.
        prefix: What stands before every text, such as T5's "translate English to German: ".
        source: Language of the texts as the tokenizer names it, such as "eng_Latn"; None where the
            model knows a single one.
        target: The language to translate to, likewise.

    Raises:
        ValueError: The tokenizer does not know a language.
    """

    def __init__(
        self,
        folder: Path,
        prefix: str = "",
        *,
        source: str | None = None,
        target: str | None = None,
    ) -> None:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
        from transformers.utils import logging

        safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, **safe)
        self.prefix = prefix
        self.start = self._language(target)
        if self._language(source) is not None:
            self.tokenizer.src_lang = source
        model: Any = AutoModelForSeq2SeqLM
        with without_bars(logging.ERROR):
            self.model: Any = model.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32, **safe
            ).eval()

    def _language(self, name: str | None) -> int | None:
        if name is None:
            return None
        number = self.tokenizer.convert_tokens_to_ids(name)
        if number is None or number == self.tokenizer.unk_token_id:
            raise ValueError(f"its tokenizer knows no language {name!r}")
        return int(number)

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> list[str | None]:
        """Return a text for each; None for one with more than 256 tokens."""
        ids = self.tokenizer([self.prefix + text for text in texts])["input_ids"]
        fits = [position for position, own in enumerate(ids) if len(own) <= MOST_TOKENS]
        fits.sort(key=lambda position: len(ids[position]))  # a batch should have little padding
        out: list[str | None] = [None] * len(texts)
        how = {"max_new_tokens": MOST_TOKENS, "num_beams": 1, "do_sample": False}
        if self.start is not None:
            how["forced_bos_token_id"] = self.start
        for begin in range(0, len(fits), BATCH):
            positions = fits[begin : begin + BATCH]
            batch = self.tokenizer.pad(
                {"input_ids": [ids[position] for position in positions]}, return_tensors="pt"
            )
            batch.pop("token_type_ids", None)
            written = self.model.generate(**batch, **how)
            texts_out = self.tokenizer.batch_decode(written, skip_special_tokens=True)
            for position, text in zip(positions, texts_out, strict=True):
                out[position] = text.strip()
        return out


class Translations:
    """Run models that turn a text into another one, each text once."""

    def translate(self, home: Path, step: Any, texts: tuple[str, ...]) -> tuple[str | None, ...]:
        """Return a text for each, None for one that is too long.

        Args:
            home: The folder of the model.
            step: Its ``prefix``, and the languages ``source`` and ``target``, where it has any.
            texts: The texts.
        """
        return _translated(home, texts, prefix=step.prefix, source=step.source, target=step.target)


@lru_cache(maxsize=8)  # a table is read again for questions to a run
def _translated(
    home: Path, texts: tuple[str, ...], *, prefix: str, source: str | None, target: str | None
) -> tuple[str | None, ...]:
    return tuple(Translator(home, prefix, source=source, target=target)(texts))
