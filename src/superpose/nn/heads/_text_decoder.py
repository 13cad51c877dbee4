"""The head of a target that is text: a pretrained decoder that a task's state sets going."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from superpose.nn.backbones._pretrained import pretrained_model, with_adapters

HIDDEN = 256  # width between a state and the prefix
LENGTH = 4  # how far apart prefixes begin, in units of words; at 1 they take twice the steps


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How a decoder writes, and what is trained of it.

    Args:
        prefix: Vectors of the prefix (at least 1).
        tokens: Most tokens L of a text, the one that ends it counted.
        end: Number of the token that ends a text.
        train: What is trained of the decoder: nothing, low-rank adapters, or all its weights.
        rate: Size of the steps of its weights, as a share of those of the others, above 0.
        beams: Texts that are kept side by side in writing; 1 takes the likeliest token each time.
    """

    prefix: int
    tokens: int
    end: int
    train: Literal["nothing", "adapters", "all"] = "nothing"
    rate: float = 0.02
    beams: int = 1


class TextDecoder(nn.Module):
    """Write text that begins with a prefix: vectors that a task's state is turned into.

    The decoder reads the prefix as if it were words that stand before the text. Networks that are
    trained together under ``vmap`` can't hold it.

    Args:
        config: What stands in the model's config.json.
        folder: Folder with its weights; None where they come from a bundle.
        task_dim: Width D of the task state.
        writing: How it writes, and what is trained of it.

    Shape:
        state (B, D), labels (B, L) with NaN behind the end -> (B, 2 L): the logarithm of the
        probability of each token of the label, NaN without labels; and the tokens that are written,
        zeros in training.

    Source:
        ClipCap, Mokady et al. 2021, section 3.1; prefixes that condition a frozen decoder: Li and
        Liang 2021. Departs by reading the state of a task in place of an image.
    """

    def __init__(
        self,
        config: dict[str, Any],
        folder: Path | None,
        *,
        task_dim: int,
        writing: Writing,
    ) -> None:
        super().__init__()
        model: Any = pretrained_model(config, folder, causal=True)
        words = model.get_input_embeddings().weight
        self.writing = writing
        # Normalised, because what is alike in all states would hide how they differ.
        self.read = nn.Sequential(
            nn.LayerNorm(task_dim),
            nn.Linear(task_dim, HIDDEN),
            nn.Tanh(),
            nn.Linear(HIDDEN, writing.prefix * words.shape[1]),
        )
        last = cast(nn.Linear, self.read[3])
        nn.init.normal_(last.weight, std=LENGTH * float(words.detach().std()) / HIDDEN**0.5)
        nn.init.zeros_(last.bias)
        for weight in model.parameters():
            weight.rate = writing.rate
            weight.requires_grad_(writing.train != "nothing")
        self.model = with_adapters(model) if writing.train == "adapters" else model

    def forward(self, state: Tensor, labels: Tensor | None = None) -> Tensor:
        begun = self.read(state).unflatten(-1, (self.writing.prefix, -1))
        chances = state.new_full((len(state), self.writing.tokens), torch.nan)
        if labels is not None:
            log_probabilities = self._chances(begun, labels)
            chances = F.pad(
                log_probabilities, (0, self.writing.tokens - log_probabilities.shape[-1]), value=0.0
            )
        if self.training:
            return torch.cat([chances, torch.zeros_like(chances)], -1)
        return torch.cat([chances, self._written(begun).to(chances.dtype)], -1)

    def _chances(self, begun: Tensor, labels: Tensor) -> Tensor:
        """Return how likely each token of a label is behind those before it, (B, S), as logs."""
        longest = max(1, int((~labels.isnan()).sum(-1).max()))
        ids = labels[:, :longest].nan_to_num(nan=self.writing.end).long()
        words = self.model.get_input_embeddings()(ids[:, :-1])  # type: ignore[operator]
        out = self.model(inputs_embeds=torch.cat([begun, words], 1))
        logits = out.logits[:, self.writing.prefix - 1 :].float()
        return F.log_softmax(logits, -1).gather(-1, ids[..., None])[..., 0]

    @torch.no_grad()
    def _written(self, begun: Tensor) -> Tensor:
        """Return the tokens of the text that is written, (B, L), the end repeated behind it."""
        from transformers import GenerationConfig

        how = GenerationConfig(
            max_new_tokens=self.writing.tokens,
            num_beams=self.writing.beams,
            do_sample=False,
            eos_token_id=self.writing.end,
            pad_token_id=self.writing.end,
        )
        seen = torch.ones(begun.shape[:2], dtype=torch.long, device=begun.device)
        ids = self.model.generate(  # type: ignore[operator]
            inputs_embeds=begun, attention_mask=seen, generation_config=how
        )
        return F.pad(
            ids[:, : self.writing.tokens],
            (0, self.writing.tokens - ids.shape[1]),
            value=self.writing.end,
        )
