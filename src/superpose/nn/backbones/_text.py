"""Pretrained models of language: as they are, and as encoders that are trained further."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from superpose.nn.encoders._maps import MapEncoder, without_padding
from superpose.nn.encoders._vectors import VectorEncoder
from superpose.nn.encoders._words import DROPOUT, BothWays

from ._pretrained import Tuning, by_layer, frozen, pretrained_model, with_adapters


def token_states(model: nn.Module, block: Tensor, pad: int) -> Tensor:
    """Return the last hidden states of a text's tokens.

    Shape:
        block (B, S) int -> (B, S, D).
    """
    # The first position stays visible, so that an empty text does not divide by zero.
    visible = (block != pad) | (torch.arange(block.shape[-1], device=block.device) == 0)
    return model(input_ids=block, attention_mask=visible.long()).last_hidden_state


def first_pieces(states: Tensor, first: Tensor) -> Tensor:
    """Take for each word the state of its first token, which stands for the word.

    Shape:
        states (B, S, D), first (B, W) int, positions from 1, 0 where there is no word -> (B, W, D).

    Source:
        Devlin et al. 2019 (BERT), section 5.3.
    """
    index = (first - 1).clamp(min=0)[..., None]
    return states.gather(-2, index.expand(*first.shape, states.shape[-1]))


def mean_of_tokens(model: nn.Module, block: Tensor, pad: int) -> Tensor:
    """Average the last hidden states of a text's tokens.

    Shape:
        block (B, S) int -> (B, D); an empty text has zeros.
    """
    hidden = token_states(model, block, pad)
    shown = (block != pad)[..., None].to(hidden.dtype)
    return (hidden * shown).sum(-2) / shown.sum(-2).clamp(min=1)


class FrozenText:
    """Run a language model as others have trained it."""

    def hidden_dim(self, config: dict[str, Any]) -> int:
        """Return the numbers of a vector of the model with this config.json."""
        from transformers import AutoConfig

        return int(AutoConfig.for_model(**config).hidden_size)  # some write it as `dim`

    @torch.no_grad()
    def text_vectors(self, home: Path, ids: np.ndarray, pad: int) -> np.ndarray:
        """Average the vectors of the tokens of texts, ids (n, S) -> (n, D)."""
        return mean_of_tokens(frozen(pretrained_model, home), torch.from_numpy(ids), pad).numpy()

    @torch.no_grad()
    def word_vectors(
        self, home: Path, ids: np.ndarray, first: np.ndarray, *, pad: int
    ) -> np.ndarray:
        """Return the vector of the first token of each word, NaN where there is no word.

        Shape:
            ids (n, S), first (n, W), positions from 1, 0 without a word -> (n, W, D).
        """
        states = token_states(frozen(pretrained_model, home), torch.from_numpy(ids), pad)
        index = torch.from_numpy(first)
        return first_pieces(states, index).masked_fill((index == 0)[..., None], torch.nan).numpy()


class PretrainedText(nn.Module):
    """Read text with a pretrained language model that is trained further.

    The lower a layer, the smaller its steps: layer l of L takes ``rate * decay ** (L - l)`` of the
    steps of the other weights, and embeddings less than the first. Networks that are trained
    together under ``vmap`` can't hold it.

    Args:
        config: What stands in the model's config.json.
        folder: Folder with its weights; None where they come from a bundle.
        pad: Number of the token that fills a row.
        tuning: What is trained of it.

    Shape:
        block (B, S) int -> tokens (B, 1, D) with D the width of the model.

    Source:
        Layer-wise rates: Howard and Ruder 2018, section 3.2. Adapters: LoRA, Hu et al. 2022.
    """

    def __init__(
        self,
        config: dict[str, Any],
        folder: Path | None,
        pad: int,
        *,
        tuning: Tuning,
    ) -> None:
        super().__init__()
        model = pretrained_model(config, folder)
        by_layer(model, tuning.rate, tuning.decay)
        self.model = with_adapters(model) if tuning.adapters else model
        self.pad = pad
        self.out_features = int(model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    def forward(self, block: Tensor) -> Tensor:
        return mean_of_tokens(self.model, block, self.pad)[..., None, :]


class PretrainedWords(MapEncoder):
    """Read words with a pretrained language model that is trained further, for a label each.

    Args:
        reader: The model, as in ``PretrainedText``.
        words: Most words W of a row.

    Shape:
        block (B, S, 2) int, the numbers of a row's tokens and, word by word, the position of its
        first one, from 1 -> tokens (B, 1, 2 D); ``map(block)`` -> (B, W, D).
    """

    def __init__(self, reader: PretrainedText, words: int) -> None:
        super().__init__()
        self.reader, self.words = reader, words
        self.map_features = reader.out_features
        self.out_features = 2 * reader.out_features

    def _first(self, block: Tensor) -> Tensor:
        return block[..., : self.words, 1]

    def map(self, block: Tensor) -> Tensor:
        states = token_states(self.reader.model, block[..., 0], self.reader.pad)
        return first_pieces(states, self._first(block))

    def seen(self, block: Tensor) -> Tensor:
        return self._first(block) > 0

    def trimmed(self, block: Tensor) -> Tensor:
        return without_padding(block, block[..., 0] != self.reader.pad)


class WordVectors(MapEncoder):
    """Read words, each a vector that a language model has made, in both directions.

    Args:
        size: Numbers of a vector.
        width: Smallest width d of a word; it has at least 128 numbers.

    Shape:
        block (B, W, size) float, NaN where a row has no word -> tokens (B, 1, 2 d);
        ``map(block)`` -> (B, W, d).

    Example:
        >>> WordVectors(5, width=16)(torch.zeros(2, 3, 5)).shape
        torch.Size([2, 1, 256])

    Source:
        Devlin et al. 2019 (BERT), section 5.3: a BiLSTM over states that stay as they are.
    """

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        d = max(128, width + width % 2)
        self.read = BothWays(size, d)
        self.map_features = d
        self.out_features = 2 * d

    def map(self, block: Tensor) -> Tensor:
        x = F.dropout(block.nan_to_num(), DROPOUT, self.training)
        return F.dropout(self.read(x, self.seen(block)), DROPOUT, self.training)

    def seen(self, block: Tensor) -> Tensor:
        return ~block[..., 0].isnan()

    def trimmed(self, block: Tensor) -> Tensor:
        return without_padding(block, self.seen(block))


def pretrained_text_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of an input of kind "pretrained-text"."""
    kind = kinds[0]
    if not kind.trained:
        size = len(kind.mean)
        return WordVectors(size, width) if kind.words else VectorEncoder(size, width)
    reader = PretrainedText(kind.config, kind.weights, kind.pad, tuning=Tuning.of(kind.settings))
    return PretrainedWords(reader, kind.words) if kind.words else reader
