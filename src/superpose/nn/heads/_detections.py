"""The head of objects in an image: at each location of its map scores and a box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from superpose.distributions import Detections
from superpose.functional import box_overlap, center_heatmap
from superpose.nn.augment._augment import AugmentRecord

from ._base import Head

PRIOR_LOGIT = 4.0  # most locations are near no object: scores start at 0.018
FOCUS = 2.0  # ``link`` knows the slopes of this power
BOX_WEIGHT = 2.0  # of boxes beside scores in the loss
STAYS = 0.3  # of its area: an object of which less is left after moving the image is gone


@dataclass(frozen=True, eq=False)
class DetectionHead(Head):
    """A logit for each class at each location, and how far the sides of a box lie from there."""

    distribution: Detections

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls(kind.distribution)

    @property
    def n_outputs(self) -> int:
        return self.distribution.n_classes + 4

    def _split(self, out: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (..., S, C) and boxes (..., S, 4) of raw outputs."""
        out = out.unflatten(-1, (-1, self.n_outputs))
        logits = out[..., :-4] - PRIOR_LOGIT
        raw = out[..., -4:]
        high, wide = self.distribution.grid
        down = (torch.arange(high, device=out.device) + 0.5) / high
        across = (torch.arange(wide, device=out.device) + 0.5) / wide
        grid = torch.stack(torch.meshgrid(down, across, indexing="ij")[::-1], -1).flatten(0, 1)
        sides = torch.tensor(self.distribution.typical, device=out.device)
        typical = sides / F.softplus(torch.zeros(()))
        low = grid - F.softplus(raw[..., :2]) * typical
        high_corner = grid + F.softplus(raw[..., 2:]) * typical
        return logits, torch.cat([low, high_corner], -1)

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        """Return the focal loss of scores against bells, and 1 - generalised IoU of boxes.

        In units of the mean number of objects.

        Source:
            Quality focal loss, Li et al. 2020 ("Generalized Focal Loss"), eq. 3, with bells as the
            quality.
        """
        known = ~y.isnan().any(-1)
        objects = torch.where(known[..., None], y, -1.0).unflatten(-1, (-1, 5))
        logits, boxes = self._split(out)
        expected = center_heatmap(objects, self.distribution.grid, self.distribution.n_classes)
        score = logits.sigmoid()
        entropy = F.binary_cross_entropy_with_logits(
            logits, expected.heat.expand_as(logits), reduction="none"
        )
        heat = (entropy * (score - expected.heat).abs() ** FOCUS).sum((-2, -1))
        apart = (1 - box_overlap(boxes, expected.boxes, generalized=True)) * expected.share
        loss = (heat + BOX_WEIGHT * apart.sum(-1)) / self.distribution.objects_per_row
        return torch.where(known, loss, 0.0)

    def link(self, out: Tensor) -> Tensor:
        """Return scores as chances; a focal loss is least at others, nearer to a half.

        With s the score, e the chance and the focus 2, the loss e (1 - s)^2 (-log s) +
        (1 - e) s^2 (-log(1 - s)) is least where e = b / (a + b) with a and b the slopes of its two
        terms.

        Source:
            Charoenphakdee et al. 2021, "On Focal Loss for Class-Posterior Probability Estimation".
        """
        logits, boxes = self._split(out)
        s = logits.sigmoid()
        yes = F.logsigmoid(logits)
        no = F.logsigmoid(-logits)
        a = 2 * (1 - s) * -yes + (1 - s) * no.exp() / s.clamp(min=1e-9)
        b = 2 * s * -no + s * s / (1 - s).clamp(min=1e-9)
        return torch.cat([b / (a + b), boxes], -1).flatten(-2)

    def transform_labels(self, y: Tensor, record: AugmentRecord) -> Tensor:
        """Return boxes where their objects went; one of which little is left in sight is gone."""
        objects = y.unflatten(-1, (-1, 5))
        label = objects[..., :1]
        box = objects[..., 1:]
        # Across before down, twice: the order of the corners.
        scale, shift = (torch.cat([x.flip(-1)] * 2, -1)[..., None, :] for x in record[:2])
        corners = ((2 * box - 1 - shift) / scale + 1) / 2
        low = torch.minimum(corners[..., :2], corners[..., 2:])
        high = torch.maximum(corners[..., :2], corners[..., 2:])
        area = (high - low).prod(-1, keepdim=True)
        cut = torch.cat([low, high], -1).clamp(0, 1)
        left = (cut[..., 2:] - cut[..., :2]).prod(-1, keepdim=True)
        gone = (label < 0) | (left < STAYS * area)
        gone_row = torch.zeros(5, device=y.device)
        gone_row[0] = -1
        out = torch.where(gone, gone_row, torch.cat([label, cut], -1))
        out = torch.where(y.isnan(), y, out.flatten(-2))
        # Of objects in and beneath a piece of another image one would see parts.
        return out if record.mixed is None else out.masked_fill(record.mixed[..., None], torch.nan)
