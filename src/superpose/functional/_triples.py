"""Embeddings of the entities of a knowledge graph, learned from its triples."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

BATCH = 512
RATE = 0.1  # of Adagrad, as its authors have it
PENALTY = 0.01  # N3, times the mean cube of what a batch uses
MOST_SCORED = 2000  # entities that a batch is scored against; of larger graphs a random sample


def embed_triples(
    triples: np.ndarray, *, entities: int, relations: int, size: int, epochs: int, seed: int = 0
) -> np.ndarray:
    """Learn a vector for each entity, so that true triples score higher than others.

    Every triple is learned in both directions. A tail is distinguished from all others of the
    graph by one softmax; the cubes of the moduli are penalised.

    Args:
        triples: Numbers of head, relation and tail, (N, 3).
        entities: Entities of the graph (at least 2).
        relations: Relations of the graph (at least 1).
        size: Numbers of a vector, even: real and imaginary halves.
        epochs: Passes over the triples (at least 1).
        seed: Seed of the start and of the order.

    Shape:
        -> (entities, size), float32.

    Example:
        >>> ring = np.array([[i, 0, (i + 1) % 6] for i in range(6)])
        >>> embed_triples(ring, entities=6, relations=1, size=8, epochs=2).shape
        (6, 8)

    Source:
        ComplEx, Trouillon et al. 2016, eq. 10, trained as Lacroix et al. 2018 do: reciprocal
        relations, full softmax, N3 (departs on graphs of more than `MOST_SCORED` entities, where
        the softmax is over a random sample).
    """
    generator = torch.Generator().manual_seed(seed)
    rank = size // 2

    def start(rows: int) -> Tensor:
        drawn = torch.randn(2, rows, rank, generator=generator) / math.sqrt(rank)
        return drawn.requires_grad_()

    nodes = start(entities)
    links = start(2 * relations)
    head, link, tail = torch.from_numpy(np.asarray(triples, np.int64)).unbind(1)
    both_ways = torch.stack(
        [torch.cat([head, tail]), torch.cat([link, link + relations]), torch.cat([tail, head])]
    )
    optimizer = torch.optim.Adagrad([nodes, links], lr=RATE)
    for _ in range(epochs):
        for chosen in torch.randperm(both_ways.shape[1], generator=generator).split(BATCH):
            h, r, t = both_ways[:, chosen]
            others = None
            if entities > MOST_SCORED:
                drawn = torch.randint(entities, (MOST_SCORED,), generator=generator)
                others = torch.cat([t, drawn])
                t = torch.arange(len(t))
            loss = _loss(nodes, links, (h, r, t), others=others)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return torch.cat([*nodes.detach()], -1).numpy()


def _loss(
    nodes: Tensor,
    links: Tensor,
    triples: tuple[Tensor, Tensor, Tensor],
    *,
    others: Tensor | None,
) -> Tensor:
    """The loss of triples whose tails are distinguished from `others`, or from all nodes."""
    h, r, t = triples
    a, b = nodes[:, h]
    c, d = links[:, r]
    # (a + bi)(c + di), then the real part of its product with the conjugate of each tail.
    real = a * c - b * d
    imaginary = a * d + b * c
    pool = nodes if others is None else nodes[:, others]
    scores = real @ pool[0].T + imaginary @ pool[1].T
    tails = pool[:, t]
    cubes = sum(((x**2).sum(0) + 1e-9).pow(1.5).sum() for x in (nodes[:, h], links[:, r], tails))
    return F.cross_entropy(scores, t) + PENALTY * cubes / len(h)
