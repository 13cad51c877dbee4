"""Pretrained models of ``transformers``, and those of language as encoders of text."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


def pretrained_model(
    config: dict[str, Any], folder: Path | None, complete: bool = False
) -> nn.Module:
    """Build a model of ``transformers`` from its configuration, with its weights if there are any.

    Code that a checkpoint brings along is never run.

    Args:
        config: What stands in its config.json.
        folder: Folder with its weights as safetensors; None starts with random ones.
        complete: Whether the file must have every weight but those of a pooler.

    Raises:
        ValueError: With ``complete``, the file lacks weights.
    """
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    known = AutoConfig.for_model(**config)
    if folder is None:
        return AutoModel.from_config(known)
    shown, loudness = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    if complete:  # what is missing is told here; the head of another task is not missed
        logging.set_verbosity_error()
    try:
        model, found = AutoModel.from_pretrained(
            folder,
            config=known,
            use_safetensors=True,
            dtype=torch.float32,
            trust_remote_code=False,
            output_loading_info=True,
        )
    finally:
        logging.set_verbosity(loudness)
        if shown:
            logging.enable_progress_bar()
    lacking = sorted(name for name in found["missing_keys"] if "pooler" not in name)
    if complete and lacking:
        raise ValueError(
            f"its file lacks {len(lacking)} weights of the model, such as {lacking[0]}"
        )
    return model


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
        model = pretrained_model(config, folder)
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
        return get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=targets))
