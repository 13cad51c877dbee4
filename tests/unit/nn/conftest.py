"""Every encoder with blocks that it reads, and networks that differ in their fusion only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from superpose.nn import (
    FUSIONS,
    Architecture,
    CategoryEncoder,
    ImageEncoder,
    MultiHotEncoder,
    Network,
    NumberEncoder,
    TextEncoder,
    WordEncoder,
)

NAN = float("nan")


@dataclass
class EncoderCase:
    """A maker of fresh encoders, a maker of blocks of so many rows, and the tokens of a row."""

    make: Callable[[], nn.Module]
    rows: Callable[[int], Tensor]
    tokens: int


def _numbers(rows: int) -> Tensor:
    block = torch.randn(rows, 3)
    block[::4, 1] = NAN
    return block


def _sets(rows: int) -> Tensor:
    block = torch.randint(0, 2, (rows, 5)).float()
    block[::4, :3] = NAN
    return block


def _words(rows: int) -> Tensor:
    block = torch.randint(1, 40, (rows, 7))
    for row, length in enumerate(torch.randint(0, 8, (rows,)).tolist()):
        block[row, length:] = 0
    return block


def _spelled(rows: int) -> Tensor:
    words = _words(rows)
    spelling = torch.randint(1, 20, (rows, 7, 3)) * (words > 0)[..., None]
    return torch.cat([words[..., None], spelling], -1)


ENCODERS = {
    "number": EncoderCase(
        lambda: NumberEncoder([[-1.0, 0.0, 1.0], [0.0, 1.0], [-2.0, -1.0, 0.5, 2.0]], width=6),
        _numbers,
        3,
    ),
    "category": EncoderCase(
        lambda: CategoryEncoder([4, 3], width=6), lambda n: torch.randint(0, 3, (n, 2)), 2
    ),
    "multi-hot": EncoderCase(lambda: MultiHotEncoder([3, 2], width=6), _sets, 2),
    "text": EncoderCase(lambda: TextEncoder(40, width=16), _words, 1),
    # As it predicts: in training it hides words at random.
    "words": EncoderCase(lambda: WordEncoder(40, 20, width=16).eval(), _spelled, 1),
    "image": EncoderCase(
        lambda: ImageEncoder(width=16),
        lambda n: torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8),
        1,
    ),
}


@pytest.fixture(params=ENCODERS)
def encoder(request: pytest.FixtureRequest) -> EncoderCase:
    """Each encoder in turn; a new one is one line in ENCODERS."""
    torch.manual_seed(0)
    return ENCODERS[request.param]


@pytest.fixture(params=FUSIONS)
def fusion_name(request: pytest.FixtureRequest) -> str:
    """Each fusion in turn; a new one is held to the claims as soon as FUSIONS names it."""
    torch.manual_seed(0)
    return str(request.param)


@pytest.fixture
def make_network() -> Callable[..., Network]:
    """Maker of a small network of three targets, the middle one with three outputs."""

    def make(
        fusion: str = "task-attention", sizes: tuple[int, ...] = (2, 3, 1), **more: int
    ) -> Network:
        torch.manual_seed(0)
        encoders = {
            "numbers": ENCODERS["number"].make(),
            "categories": ENCODERS["category"].make(),
        }
        settings = {"width": 24, "members": 3, "state": 8, "rank": 4, **more}
        heads = {str(t): size for t, size in enumerate(sizes)}
        return Network(encoders, heads, Architecture(fusion=fusion, **settings))

    return make


@pytest.fixture
def blocks() -> dict[str, Tensor]:
    """Ten rows for these networks."""
    torch.manual_seed(1)
    return {"numbers": ENCODERS["number"].rows(10), "categories": ENCODERS["category"].rows(10)}


@pytest.fixture
def permute() -> Callable[[nn.Module, Tensor, int], None]:
    """Reorder in place every axis of length T of a module's parameters, T unlike other widths."""

    @torch.no_grad()
    def permute(module: nn.Module, order: Tensor, targets: int) -> None:
        for parameter in module.parameters():
            for axis, length in enumerate(parameter.shape):
                if length == targets:
                    parameter.copy_(parameter.index_select(axis, order).clone())

    return permute
