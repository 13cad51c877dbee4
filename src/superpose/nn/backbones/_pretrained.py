"""Pretrained models of ``transformers``, and those of language as encoders of text."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from superpose.nn.encoders._maps import MapEncoder, without_padding
from superpose.nn.encoders._words import DROPOUT, BothWays


def pretrained_model(
    config: dict[str, Any], folder: Path | None, causal: bool = False, complete: bool = False
) -> nn.Module:
    """Build a model of ``transformers`` from its configuration, with its weights if there are any.

    Code that a checkpoint brings along is never run.

    Args:
        config: What stands in its config.json.
        folder: Folder with its weights as safetensors; None starts with random ones.
        causal: Whether it has a head that tells the next token.
        complete: Whether the file must have every weight but those of a pooler.

    Raises:
        ValueError: With ``complete``, the file lacks weights.
    """
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM
    from transformers.utils import logging

    known = AutoConfig.for_model(**config)
    family: Any = AutoModelForCausalLM if causal else AutoModel
    model: nn.Module
    if folder is None:
        model = family.from_config(known)
        return model
    # What is missing is told here; the head of another task is not missed.
    with without_bars(logging.ERROR if complete else None):
        model, found = family.from_pretrained(
            folder,
            config=known,
            use_safetensors=True,
            dtype=torch.float32,
            trust_remote_code=False,
            output_loading_info=True,
        )
    lacking = sorted(name for name in found["missing_keys"] if "pooler" not in name)
    if complete and lacking:
        raise ValueError(
            f"its file lacks {len(lacking)} weights of the model, such as {lacking[0]}"
        )
    return model


@contextmanager
def without_bars(loudness: int | None = None) -> Iterator[None]:
    """Let ``transformers`` draw no bars for what takes no time, and be as loud as told."""
    from transformers.utils import logging

    shown, before = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    if loudness is not None:
        logging.set_verbosity(loudness)
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if shown:
            logging.enable_progress_bar()


def token_states(model: nn.Module, block: Tensor, pad: int) -> Tensor:
    """Return the last hidden states of a text's tokens.

    Shape:
        block (B, S) int -> (B, S, D).
    """
    # The first place stays visible, so that an empty text does not divide by zero.
    visible = (block != pad) | (torch.arange(block.shape[-1], device=block.device) == 0)
    return model(input_ids=block, attention_mask=visible.long()).last_hidden_state


def first_pieces(states: Tensor, first: Tensor) -> Tensor:
    """Take for each word the state of its first token, which stands for the word.

    Shape:
        states (B, S, D), first (B, W) int, places from 1, 0 where there is no word -> (B, W, D).

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


def by_layer(model: nn.Module, rate: float, decay: float) -> None:
    """Tell each weight of a model its share of the learning rate, by its layer.

    What stands before the first layer is one more layer below; what stands behind is as the last.

    Example:
        >>> model = nn.Sequential(nn.Linear(1, 1), nn.ModuleList([nn.Linear(1, 1)] ))
        >>> by_layer(model, 0.1, 0.5)
        >>> [w.rate for w in model.parameters()]
        [0.05, 0.05, 0.1, 0.1]
    """
    lists = [(name, m) for name, m in model.named_modules() if isinstance(m, nn.ModuleList)]
    outer = [(n, m) for n, m in lists if not any(n.startswith(f"{o}.") for o, _ in lists)]
    layers = [f"{name}.{k}." for name, m in outer for k in range(len(m))]
    reached = -1
    for name, weight in model.named_parameters():
        reached = next((k for k, layer in enumerate(layers) if name.startswith(layer)), reached)
        weight.rate = rate * decay ** (len(layers) - 1 - reached)  # type: ignore[attr-defined]


class PretrainedText(nn.Module):
    """Read text with a pretrained language model that is trained further.

    The lower a layer, the smaller its steps: layer l of L takes ``rate * decay ** (L - l)`` of the
    steps of the other weights, and embeddings less than the first. Networks that are trained
    together under ``vmap`` can't hold it.

    Args:
        config: What stands in the model's config.json.
        folder: Folder with its weights; None where they come from a bundle.
        pad: Number of the token that fills a row.
        adapters: Whether only low-rank adapters of its attention are trained.
        rate: Size of its steps, as a share of those of the other weights, above 0.
        decay: What a layer's share is times for each layer above it, above 0 and at most 1.

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
        adapters: bool = False,
        rate: float = 0.02,
        decay: float = 0.9,
    ) -> None:
        super().__init__()
        model = pretrained_model(config, folder)
        by_layer(model, rate, decay)
        self.model = with_adapters(model) if adapters else model
        self.pad = pad
        self.out_features = int(model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    def forward(self, block: Tensor) -> Tensor:
        return mean_of_tokens(self.model, block, self.pad)[..., None, :]


class PretrainedWords(MapEncoder):
    """Read words with a pretrained language model that is trained further, for a label each.

    Args:
        reader: The model, as ``PretrainedText`` holds it.
        words: Most words W of a row.

    Shape:
        block (B, S, 2) int, the numbers of a row's tokens and, word by word, the place of its first
        one, from 1 -> tokens (B, 1, 2 D); ``map(block)`` -> (B, W, D).
    """

    def __init__(self, reader: PretrainedText, words: int) -> None:
        super().__init__()
        self.reader, self.words = reader, words
        self.map_features, self.out_features = reader.out_features, 2 * reader.out_features

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
        self.map_features, self.out_features = d, 2 * d

    def map(self, block: Tensor) -> Tensor:
        x = F.dropout(block.nan_to_num(), DROPOUT, self.training)
        return F.dropout(self.read(x, self.seen(block)), DROPOUT, self.training)

    def seen(self, block: Tensor) -> Tensor:
        return ~block[..., 0].isnan()

    def trimmed(self, block: Tensor) -> Tensor:
        return without_padding(block, self.seen(block))


def with_adapters(model: nn.Module) -> nn.Module:
    """Freeze a model but for low-rank adapters, whose steps are those of all other weights."""
    from peft import LoraConfig, get_peft_model

    # Every linear map: names of those of the attention differ from model to model. A convolutional
    # network has none; then every convolution that reads all channels.
    linear = any(isinstance(module, nn.Linear) for module in model.modules())
    targets: str | list[str] = "all-linear"
    if not linear:
        targets = [
            name
            for name, module in model.named_modules()
            if isinstance(module, nn.Conv2d) and module.groups == 1
        ]
    with warnings.catch_warnings():  # peft asks transformers for what it will have under a new name
        warnings.simplefilter("ignore", FutureWarning)
        # It mends by itself what it warns of: the maps of GPT-2 are stored the other way round.
        warnings.filterwarnings("ignore", "fan_in_fan_out", UserWarning)
        return get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=targets))
