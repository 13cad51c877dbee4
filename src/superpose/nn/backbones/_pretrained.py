"""Pretrained models of ``transformers``: loaded, and what is trained of them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

Build = Callable[[dict[str, Any], Path | None], nn.Module]


@dataclass(frozen=True)
class Tuning:
    """How a pretrained model is trained further.

    Args:
        adapters: Whether only low-rank adapters are trained.
        rate: Size of its steps, as a share of those of the other weights, above 0.
        decay: What a layer's share is times for each layer above it, above 0 and at most 1.
    """

    adapters: bool = False
    rate: float = 0.02
    decay: float = 0.9

    @classmethod
    def of(cls, settings: dict[str, Any]) -> Tuning:
        """Return the tuning that the settings of a kind want."""
        return cls(settings["train"] == "adapters", settings["rate"], settings["decay"])


@lru_cache(maxsize=4)
def frozen(build: Build, folder: Path) -> nn.Module:
    """Load a model as others have trained it, once."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return build(config, folder).eval()


def pretrained_model(
    config: dict[str, Any], folder: Path | None, *, causal: bool = False, complete: bool = False
) -> nn.Module:
    """Build a model of ``transformers`` from its configuration, with its weights if there are any.

    Code that a checkpoint brings along is never run.

    Args:
        config: What stands in its config.json.
        folder: Folder with its weights as safetensors; None starts with random ones.
        causal: Whether it has a head that predicts the next token.
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
    # What is missing is reported here; the head of another task is not missed.
    with without_bars(logging.ERROR if complete else None):
        model, info = family.from_pretrained(
            folder,
            config=known,
            use_safetensors=True,
            dtype=torch.float32,
            trust_remote_code=False,
            output_loading_info=True,
        )
    lacking = sorted(name for name in info["missing_keys"] if "pooler" not in name)
    if complete and lacking:
        raise ValueError(
            f"its file lacks {len(lacking)} weights of the model, such as {lacking[0]}"
        )
    return model


@contextmanager
def without_bars(loudness: int | None = None) -> Iterator[None]:
    """Let ``transformers`` draw no bars for what takes no time, and set how loud it is."""
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


def by_layer(model: nn.Module, rate: float, decay: float) -> None:
    """Set the share of the learning rate of each weight of a model, by its layer.

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
    layer_index = -1
    for name, weight in model.named_parameters():
        layer_index = next(
            (k for k, layer in enumerate(layers) if name.startswith(layer)), layer_index
        )
        weight.rate = rate * decay ** (len(layers) - 1 - layer_index)  # type: ignore[attr-defined]


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
    with warnings.catch_warnings():  # peft uses a name of transformers that will change
        warnings.simplefilter("ignore", FutureWarning)
        # It mends by itself what it warns of: the maps of GPT-2 are stored the other way round.
        warnings.filterwarnings("ignore", "fan_in_fan_out", UserWarning)
        return get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=targets))
