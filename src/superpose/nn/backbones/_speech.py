"""Pretrained models of speech and sound as encoders of waveforms."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from superpose.nn.encoders._maps import where_seen
from superpose.nn.encoders._vectors import VectorEncoder

from ._pretrained import Tuning, by_layer, frozen, pretrained_model, with_adapters

# Both draw from numpy's random stream or skip layers; a seed has to fix every number.
STEADY = {"apply_spec_augment": False, "layerdrop": 0.0}


def speech_model(config: dict[str, Any], folder: Path | None) -> nn.Module:
    """Build a model of ``transformers`` that reads a waveform.

    Args:
        config: What stands in its config.json.
        folder: Folder with its weights as safetensors; None starts with random ones.

    Raises:
        ValueError: It reads something else than a waveform, or the file lacks weights.
    """
    model = pretrained_model({**config, **STEADY}, folder, complete=True)
    if not hasattr(model, "_get_feat_extract_output_lengths"):
        reads = getattr(model, "main_input_name", "something else")
        raise ValueError(
            f"a model of type {config.get('model_type')} reads {reads}, not a waveform"
        )
    return model


def mean_of_frames(model: nn.Module, waves: Tensor, inside: nn.Module | None = None) -> Tensor:
    """Average the last hidden states of a sound's own frames, not of what fills its row.

    Args:
        model: A model of ``speech_model``, or one with adapters around it.
        waves: Samples, NaN behind the end of a sound.
        inside: The model itself where ``model`` has adapters around it.

    Shape:
        waves (B, T) -> (B, D).
    """
    heard = ~waves.isnan()
    # The first sample stays visible, so that a row without a sound does not divide by zero.
    heard = heard | (torch.arange(waves.shape[-1], device=waves.device) == 0)
    with warnings.catch_warnings():  # WavLM hands torch a bias and a mask of two types
        warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
        out = model(input_values=waves.nan_to_num(), attention_mask=heard.long())
    states = out.last_hidden_state
    count = cast(Any, inside or model)._get_feat_extract_output_lengths(heard.sum(-1)).clamp(min=1)
    own = torch.arange(states.shape[-2], device=waves.device) < count[..., None]
    return torch.where(own[..., None], states, 0.0).sum(-2) / count[..., None]


class PretrainedAudio(nn.Module):
    """Read sounds with a pretrained model that is trained further.

    Its convolutions stay as they are, as its authors say; above them the steps are smaller from
    layer to layer downwards. Networks that are trained together under ``vmap`` can't hold it.

    Args:
        config: What stands in the model's config.json.
        folder: Folder with its weights; None where they come from a bundle.
        mean: Of the token, over training rows, as others have trained the model.
        scale: Its standard deviation.
        tuning: What is trained of it.

    Shape:
        block (B, T) samples, NaN behind the end of a sound -> tokens (B, 1, D).

    Source:
        Baevski et al. 2020 (wav2vec 2.0), section 3 and appendix B, where the feature encoder is
        not trained further. Layer-wise rates: Howard and Ruder 2018, section 3.2. Adapters: LoRA,
        Hu et al. 2022.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        config: dict[str, Any],
        folder: Path | None,
        *,
        mean: Sequence[float],
        scale: Sequence[float],
        tuning: Tuning,
    ) -> None:
        super().__init__()
        model = speech_model(config, folder)
        by_layer(model, tuning.rate, tuning.decay)
        for weight in cast(nn.Module, model.feature_extractor).parameters():
            weight.requires_grad_(False)
        self._inside = [model]  # in a list: with adapters it is a part of the other
        self.model = with_adapters(model) if tuning.adapters else model
        for name, value in (("mean", mean), ("scale", scale)):
            self.register_buffer(name, torch.tensor(value), persistent=False)
        self.out_features = len(mean)

    def forward(self, block: Tensor) -> Tensor:
        vector = (mean_of_frames(self.model, block, self._inside[0]) - self.mean) / self.scale
        return where_seen(~block[..., 0].isnan(), vector[..., None, :])


class FrozenSounds:
    """Run a model of waveforms as others have trained it."""

    def require_sound_model(self, home: Path) -> None:
        """Load the model; raises whatever it raises where it does not read waveforms."""
        frozen(speech_model, home)

    @torch.no_grad()
    def sound_vector(self, home: Path, wave: np.ndarray) -> np.ndarray:
        """Average the vectors of the frames of a sound, (T,) -> (D,)."""
        return mean_of_frames(frozen(speech_model, home), torch.from_numpy(wave)[None])[0].numpy()


def pretrained_audio_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of an input of kind "pretrained-audio"."""
    kind = kinds[0]
    if not kind.trained:
        return VectorEncoder(len(kind.mean), width)
    tuning = Tuning.of(kind.settings)
    return PretrainedAudio(
        kind.config, kind.weights, mean=kind.mean, scale=kind.scale, tuning=tuning
    )
