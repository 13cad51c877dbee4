"""Random variations of words while networks learn: made unknown, or replaced by synonyms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from superpose.columns import read_whole
from superpose.errors import DataError, Faults, message, place

from ._augment import Augment
from ._rephrase import RephraseAugment, TranslatorOptions

PAD, UNKNOWN = 0, 1
SHOWN_LINES = 3


class DropOptions(BaseModel):
    """How histories are varied while the network learns; validation and test rows never are.

    Args:
        drop: share of the members that are made unknown, from 0 to below 1.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    drop: float = Field(default=0.1, ge=0, lt=1)


class TextAugmentOptions(DropOptions):
    """How texts are varied while the network learns; validation and test rows never are.

    Args:
        drop: share of the words that are made unknown, from 0 to below 1.
        synonyms: path of a file with a word, a tab, and its synonyms between commas on each line,
            from the folder of the table.
        replace: share of the words with synonyms that are replaced by one, from 0 to 1.
        translate: models that texts are passed through one after the other, such as one to another
            language and one back; what comes out says the same in other words.
        rephrase: share of the texts that stand in those words, from 0 to 1.
    """

    synonyms: str | None = Field(default=None, min_length=1)
    replace: float = Field(default=0.1, ge=0, le=1)
    translate: list[TranslatorOptions] = Field(default_factory=list)
    rephrase: float = Field(default=0.3, ge=0, le=1)


def read_synonyms(path: Path, column: str) -> dict[str, list[str]]:
    """Read a file of words with their synonyms, in small letters.

    Raises:
        DataError: the file can't be read, or a line that is not a word, a tab and single words.
    """
    try:
        lines = read_whole(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        reason = "no such file" if isinstance(fault, FileNotFoundError) else str(fault)
        given = f"synonyms {path} can't be read: {reason}"
        fix = "give the path of a file with a word, a tab, and its synonyms between commas"
        raise DataError(message(place(column=column), given, fix=fix)) from None
    found: dict[str, list[str]] = {}
    wrong = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        word, _, rest = line.lower().partition("\t")
        others = [other.strip() for other in rest.split(",")]
        # A label belongs to one word: two in its place would have none, or one too many.
        if not all(len(one.split()) == 1 for one in (word, *others)):
            wrong.append(number)
            continue
        found.setdefault(word.strip(), []).extend(o for o in others if o != word.strip())
    faults = Faults(DataError)
    for number in wrong[:SHOWN_LINES]:
        allowed = "a single word, a tab, and single words between commas"
        faults.add(place(file=path, line=number), f"{lines[number - 1]!r} given", allowed)
    faults.add_rest(place(file=path), len(wrong) - SHOWN_LINES, "so it is in {} more lines")
    faults.raise_any()
    return found


@dataclass(frozen=True)
class TokenAugment(Augment):
    """Replace words by others that mean the same, and make some unknown; every place stays.

    Only whole texts that are rephrased have other places.

    Args:
        drop: Chance of a word to become unknown.
        replace: Chance of a word with others to be replaced by one of them.
        others: For numbers of words the encodings of what may stand for them.
        rephrase: What puts whole texts in other words before that.

    Example:
        >>> vary = TokenAugment(0.0, 1.0, {5: [[8]]})
        >>> vary(torch.tensor([[[5, 7, 0]]]))[0].tolist()
        [[[8, 7, 0]]]
    """

    drop: float
    replace: float = 0.0
    others: Mapping[int, Sequence[Sequence[int]]] | None = None
    rephrase: RephraseAugment | None = None

    def __call__(self, block: Tensor) -> tuple[Tensor, None]:
        if self.rephrase:
            block, _ = self.rephrase(block)
        # Words that are also read by their spelling have several numbers.
        out = block if block.ndim == 4 else block[..., None]
        draw = torch.rand(3, *out.shape[:3], device=block.device)
        there = out[..., 0] != PAD
        if self.others and self.replace:
            counts, starts, flat = (part.to(block.device) for part in self._table)
            number = out[..., 0].clamp(max=len(counts) - 1)
            known = there & (number == out[..., 0]) & (counts[number] > 0)
            pick = starts[number] + (draw[1] * counts[number]).long()
            chosen = flat[torch.where(known, pick, 0)]
            out = torch.where((known & (draw[0] < self.replace))[..., None], chosen, out)
        unknown = torch.zeros(out.shape[-1], dtype=out.dtype, device=block.device)
        unknown[0] = UNKNOWN
        out = torch.where((there & (draw[2] < self.drop))[..., None], unknown, out)
        return out.reshape(block.shape), None

    @cached_property
    def _table(self) -> tuple[Tensor, Tensor, Tensor]:
        """How many others each number has, where they begin, and all of them, (n, width)."""
        assert self.others is not None
        counts = np.zeros(max(self.others) + 1, np.int64)
        for number, several in self.others.items():
            counts[number] = len(several)
        rows = [row for number in sorted(self.others) for row in self.others[number]]
        flat = np.array(rows, np.int64)
        starts = np.cumsum(counts) - counts
        return torch.from_numpy(counts), torch.from_numpy(starts), torch.from_numpy(flat)
