"""Pretrained language models as encoders of text."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


def language_model(config: dict[str, Any], folder: Path | None, causal: bool = False) -> nn.Module:
    """Build a model of ``transformers`` from its configuration, with its weights if there are any.

    Code that a checkpoint brings along is never run.

    Args:
        config: What stands in its config.json.
        folder: Folder with its weights as safetensors; None starts with random ones.
        causal: Whether it has a head that tells the next token.
    """
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM
    from transformers.utils import logging

    known, family = AutoConfig.for_model(**config), AutoModelForCausalLM if causal else AutoModel
    if folder is None:
        return family.from_config(known)
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        return family.from_pretrained(
            folder, config=known, use_safetensors=True, dtype=torch.float32, trust_remote_code=False
        )
    finally:
        if shown:
            logging.enable_progress_bar()


def mean_of_tokens(model: nn.Module, block: Tensor, pad: int) -> Tensor:
    """Average the last hidden states of a text's tokens.

    Shape:
        block (B, S) int -> (B, D); an empty text has zeros.
    """
    seen = block != pad
    # The first place stays visible, so that an empty text does not divide by zero.
    visible = seen | (torch.arange(block.shape[-1], device=block.device) == 0)
    hidden = model(input_ids=block, attention_mask=visible.long()).last_hidden_state
    shown = seen[..., None].to(hidden.dtype)
    return (hidden * shown).sum(-2) / shown.sum(-2).clamp(min=1)


class PretrainedText(nn.Module):
    """Read text with a pretrained language model that is trained further.

    The lower a layer, the smaller its steps: layer l of L takes ``rate * decay ** (L - l)`` of the
    steps of the other weights. Networks that are trained together under ``vmap`` can't hold it.

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
        model = language_model(config, folder)
        for weight in model.parameters():
            weight.rate = rate  # type: ignore[attr-defined]
        for layers in (m for m in model.modules() if isinstance(m, nn.ModuleList)):
            for distance, layer in enumerate(reversed(layers)):
                for weight in layer.parameters():
                    weight.rate = rate * decay**distance  # type: ignore[attr-defined]
        self.model = with_adapters(model) if adapters else model
        self.pad = pad
        self.out_features = int(model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    def forward(self, block: Tensor) -> Tensor:
        return mean_of_tokens(self.model, block, self.pad)[..., None, :]


def with_adapters(model: nn.Module) -> nn.Module:
    """Freeze a model but for low-rank adapters, whose steps are those of all other weights."""
    from peft import LoraConfig, get_peft_model

    # Every linear map: names of those of the attention differ from model to model.
    with warnings.catch_warnings():  # peft asks transformers for what it will have under a new name
        warnings.simplefilter("ignore", FutureWarning)
        # It mends by itself what it warns of: the maps of GPT-2 are stored the other way round.
        warnings.filterwarnings("ignore", "fan_in_fan_out", UserWarning)
        return get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"))
