"""Objects in an image, each with a class and a box: detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from superpose.columns import (
    TOLD,
    Column,
    are_shares,
    counted,
    frame_notes,
    is_list,
    read_objects,
    shares_of,
    sizes_of,
    warn,
)
from superpose.distributions import (
    PROBABILITY_FLOOR,
    class_at,
    class_given,
    class_information,
    class_scores,
)
from superpose.errors import SHOWN_FAULTS, DataError, Faults, listing, place
from superpose.functional import Peaks, bumps, overlap, peaks
from superpose.kinds._beside import Beside
from superpose.kinds._metrics import nan_mean
from superpose.kinds._options import Levels, Options
from superpose.kinds._places import PlacesTarget
from superpose.kinds._target import too_few_labels
from superpose.nn import Moved

from ._box_scores import box_average_precision, require_scorer
from ._plot_pictures import box_facts

MOST_CLASSES = 1000
PRIOR_LOGIT = 4.0  # most places are near no object: scores start at 0.018
FOCUS = 2.0  # `predict` knows the slopes of this power
BOX_WEIGHT = 2.0  # of boxes beside scores in the loss
SHOWN = 0.3  # score from which an object is told
LEAST = 0.003  # score from which it is scored, as average precision reads the unsure ones too
RIGHT = 0.5  # IoU from which a box is right
STAYS = 0.3  # of its area: an object of which less is left after moving the image is gone
ROOM = 2  # times as many objects as the fullest training image may have
ROWS_AT_ONCE = 64  # rows whose bumps are held at once


class BoxesOptions(Options):
    """Options of boxes.

    Args:
        of: the image that the boxes are in; may be left out where it is the only image.
        levels: names of the classes; without, those that occur.
    """

    of: str | None = Field(default=None, min_length=1)
    levels: Levels | None = Field(default=None, min_length=1, max_length=MOST_CLASSES)


@dataclass(kw_only=True)
class BoxesTarget(PlacesTarget):
    """Objects in an image: a list of classes and boxes in pixels of the image as it is shown.

    Where no box of the training rows leaves 0 to 1 they are shares of the sides. Objects marked
    ``iscrowd`` or ``difficult`` are left out.

    A row that was looked at and has no object is an empty list; a row that nobody looked at is
    null. Labels (N, 5 K): class and box of up to K objects, boxes as shares of the sides, class -1
    where a row has fewer, NaN without labels. Canonical prediction: for each place of the image's
    map a score for each class, how near the centre of such an object is, and the box (x1, y1, x2,
    y2) of the object that is nearest; all side by side, float32.

    ``source`` in the options is the column of the images; without it boxes are shares of sides.

    Example:
        >>> cell = [{"class": "red", "box": [0.0, 0.0, 0.5, 0.5]}]
        >>> kind = BoxesTarget.fit("cells", pa.chunked_array([[cell, [], None]]), grid=[4, 4])
        >>> kind.encode(pa.chunked_array([[cell, [], None]]))[:, :5].tolist()
        [[0.0, 0.0, 0.0, 0.5, 0.5], [-1.0, 0.0, 0.0, 0.0, 0.0], [nan, nan, nan, nan, nan]]
    """

    name: ClassVar[str] = "boxes"
    options: ClassVar[type[Options]] = BoxesOptions
    metric: ClassVar[str] = "map50"
    higher_is_better: ClassVar[bool] = True
    takes_lists: ClassVar[bool] = True
    needs_folder: ClassVar[bool] = True
    needs_source: ClassVar[bool] = True
    slow: ClassVar[bool] = True
    counts: list[int]  # objects of each class in training rows
    grid: list[int]
    most: int  # objects of a row
    typical: list[float]  # half the width and height of an object, as shares of the sides
    objects: float  # of a row, on the mean
    skips: bool = False
    shares: bool = False  # whether boxes are written as shares of the sides, not in pixels

    @property
    def places(self) -> int:
        """Places of a row's map."""
        return self.grid[0] * self.grid[1]

    @property
    def place_size(self) -> int:
        return len(self.levels) + 4

    @property
    def size(self) -> int:
        return self.places * self.place_size

    @property
    def _grid(self) -> tuple[int, int]:
        return self.grid[0], self.grid[1]

    @property
    def constant_reason(self) -> str | None:
        return None if sum(self.counts) else "no training row has an object"

    @classmethod
    def holds(cls, values: Column) -> bool:
        kind = values.type
        if not is_list(kind) or not pa.types.is_struct(kind.value_type):
            return False
        return {"class", "box"} <= {field.name for field in kind.value_type}

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        require_scorer(column)
        skips = bool(options.get("skips"))
        beside = {key: options[key] for key in ("folder", "source") if key in options}
        read, ignored = read_objects(column, values)
        shares = "source" in beside and are_shares(read)
        found = shares_of(column, read, skips=skips, **beside, tell=False, shares=shares)
        if len(found) < 2:
            raise too_few_labels(column, len(found))
        names = [name for objects in found.values() for name, _ in objects]
        occur, times = counted(pa.array(names, pa.large_string()))
        levels = [str(level) for level in options.get("levels") or sorted(occur)]
        if not levels or len(levels) > MOST_CLASSES:
            what = f"{len(levels)} different classes of objects; allowed: 1 to {MOST_CLASSES}"
            raise DataError(f"target {column!r}: {what}; check what stands under class")
        seen = dict(zip(occur, map(int, times), strict=True))
        boxes = np.array([box for objects in found.values() for _, box in objects]).reshape(-1, 4)
        sides = (boxes[:, 2:] - boxes[:, :2]).mean(axis=0) / 2 if len(boxes) else [0.1, 0.1]
        source, folder = options.get("source"), options.get("folder", "")
        notes, conversions = frame_notes(
            column, read, ignored=ignored, shares=shares, source=source, folder=folder
        )
        return cls(
            column=column,
            notes=notes,
            conversions=conversions,
            shares=shares,
            of=options.get("of", "image"),
            levels=levels,
            counts=[seen.get(level, 0) for level in levels],
            grid=list(options.get("grid") or [16, 16]),
            most=max(8, ROOM * max(map(len, found.values()))),
            typical=[float(x) for x in sides],
            objects=max(len(boxes) / len(found), 1.0),
            skips=skips,
        )

    def encode(self, values: Column, folder: str = "", source: Column | None = None) -> np.ndarray:
        read, _ = read_objects(self.column, values)
        found = shares_of(
            self.column, read, skips=self.skips, folder=folder, source=source, shares=self.shares
        )
        index = {name: n for n, name in enumerate(self.levels)}
        block, faults, lost = self.unlabelled(len(values)), Faults(DataError), 0
        for row, objects in found.items():
            strangers = sorted({name for name, _ in objects} - index.keys())
            if strangers and len(faults.found) < SHOWN_FAULTS:
                given, fix = f"class {strangers[0]!r}", "name it under levels, or mend it"
                allowed = listing(self.levels)
                faults.add(place(column=self.column, row=row), given, allowed, fix=fix)
            own = [[index[n], *box] for n, box in objects if n in index]
            lost += max(len(own) - self.most, 0)
            padded = np.zeros((self.most, 5), np.float32)
            padded[:, 0] = -1
            if own:
                padded[: len(own)] = own[: self.most]
            block[row] = padded.ravel()
        faults.raise_any()
        if lost:
            warn(f"target {self.column!r}: {lost} objects beyond {self.most} of a row are left out")
        return block

    def unlabelled(self, rows: int) -> np.ndarray:
        return np.full((rows, 5 * self.most), np.nan, np.float32)

    def follow(self, y: Tensor, moved: Moved) -> Tensor:
        """Boxes where their objects went; one of which little is left in the image is gone."""
        objects = y.unflatten(-1, (-1, 5))
        label, box = objects[..., :1], objects[..., 1:]
        # Across before down, twice: the order of the corners.
        scale, shift = (torch.cat([x.flip(-1)] * 2, -1)[..., None, :] for x in moved[:2])
        went = ((2 * box - 1 - shift) / scale + 1) / 2
        low, high = went[..., :2], went[..., 2:]
        low, high = torch.minimum(low, high), torch.maximum(low, high)
        area = (high - low).prod(-1, keepdim=True)
        cut = torch.cat([low, high], -1).clamp(0, 1)
        left = (cut[..., 2:] - cut[..., :2]).prod(-1, keepdim=True)
        gone = (label < 0) | (left < STAYS * area)
        gone_row = torch.zeros(5, device=y.device)
        gone_row[0] = -1
        out = torch.where(gone, gone_row, torch.cat([label, cut], -1))
        out = torch.where(y.isnan(), y, out.flatten(-2))
        # Of objects in and beneath a piece of another image one would see parts.
        return out if moved.mixed is None else out.masked_fill(moved.mixed[..., None], torch.nan)

    def _parts(self, out: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (..., S, C) and boxes (..., S, 4) of raw outputs."""
        out = out.unflatten(-1, (-1, self.place_size))
        logits, raw = out[..., :-4] - PRIOR_LOGIT, out[..., -4:]
        high, wide = self.grid
        down = (torch.arange(high, device=out.device) + 0.5) / high
        across = (torch.arange(wide, device=out.device) + 0.5) / wide
        grid = torch.stack(torch.meshgrid(down, across, indexing="ij")[::-1], -1).flatten(0, 1)
        typical = torch.tensor(self.typical, device=out.device) / F.softplus(torch.zeros(()))
        low = grid - F.softplus(raw[..., :2]) * typical
        high_corner = grid + F.softplus(raw[..., 2:]) * typical
        return logits, torch.cat([low, high_corner], -1)

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        """Focal loss of scores against bumps, and 1 - generalised IoU of boxes, per object.

        Source:
            Quality focal loss, Li et al. 2020 ("Generalized Focal Loss"), eq. 3, with bumps as the
            quality.
        """
        known = ~y.isnan().any(-1)
        objects = torch.where(known[..., None], y, -1.0).unflatten(-1, (-1, 5))
        logits, boxes = self._parts(out)
        told = bumps(objects, self._grid, len(self.levels))
        score = logits.sigmoid()
        entropy = F.binary_cross_entropy_with_logits(
            logits, told.heat.expand_as(logits), reduction="none"
        )
        heat = (entropy * (score - told.heat).abs() ** FOCUS).sum((-2, -1))
        apart = (1 - overlap(boxes, told.boxes, generous=True)) * told.share
        loss = (heat + BOX_WEIGHT * apart.sum(-1)) / self.objects
        return torch.where(known, loss, 0.0)

    def predict(self, out: Tensor) -> Tensor:
        """Scores as chances; a focal loss is least at others, nearer to a half.

        With s the score, e the chance and the focus 2, the loss e (1 - s)^2 (-log s) +
        (1 - e) s^2 (-log(1 - s)) is least where e = b / (a + b) with a and b the slopes of its two
        terms.

        Source:
            Charoenphakdee et al. 2021, "On Focal Loss for Class-Posterior Probability Estimation".
        """
        logits, boxes = self._parts(out)
        s, yes, no = logits.sigmoid(), F.logsigmoid(logits), F.logsigmoid(-logits)
        a = 2 * (1 - s) * -yes + (1 - s) * no.exp() / s.clamp(min=1e-9)
        b = 2 * s * -no + s * s / (1 - s).clamp(min=1e-9)
        return torch.cat([b / (a + b), boxes], -1).flatten(-2)

    def _told(self, pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores (N, S, C) and boxes (N, S, 4) of canonical predictions."""
        parts = np.reshape(pred, (*np.shape(pred)[:-1], self.places, self.place_size))
        return parts[..., :-4], parts[..., -4:]

    def objects_of(self, y: np.ndarray) -> np.ndarray:
        """Labels as (N, K, 5), without an object where a row has no labels."""
        objects = np.where(np.isnan(y), -1.0, y).reshape(len(y), self.most, 5)
        return np.asarray(objects, np.float32)

    def _bumps(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What places of labelled rows have to tell, as arrays."""
        told = bumps(torch.from_numpy(self.objects_of(y)), self._grid, len(self.levels))
        return told.heat.numpy(), told.boxes.numpy(), told.share.numpy()

    def exact(self, y: np.ndarray) -> np.ndarray:
        heat, boxes, share = self._bumps(y)
        _, near = self._parts(torch.zeros(self.size))
        boxes = np.where(share[..., None] > 0, boxes, near.numpy())
        told = np.concatenate([heat, boxes], axis=-1).reshape(len(y), self.width)
        told[~self.known(y)] = np.nan
        return np.asarray(told, np.float32)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """What a row's map gets wrong, in units of the mean number of objects.

        The squared distance between scores and bumps, which is proper for the mean bump, and one
        minus the IoU of the boxes told around the centre of each object.
        """
        out = np.full(len(y), np.nan)
        for rows in np.split(np.arange(len(y)), range(ROWS_AT_ONCE, len(y), ROWS_AT_ONCE)):
            if not len(rows):
                continue
            heat, boxes, share = self._bumps(y[rows])
            scores, said = self._told(np.asarray(pred[rows]))
            wrong = np.square(scores - heat, dtype=np.float64).sum(axis=(1, 2))
            same = overlap(torch.from_numpy(said.astype(np.float32)), torch.from_numpy(boxes))
            out[rows] = wrong + ((1 - same.numpy()) * share).sum(axis=1, dtype=np.float64)
        return np.where(self.known(y), out / self.objects, np.nan)

    def constant(self, y: np.ndarray) -> np.ndarray:
        rows = np.flatnonzero(self.known(y))
        _, near = self._parts(torch.zeros(self.size))
        heat = np.zeros((self.places, len(self.levels)))
        for row in rows:  # one at a time: all bumps of a thousand images don't fit into memory
            heat += self._bumps(y[row : row + 1])[0][0] / len(rows)
        return np.concatenate([heat, near.numpy()], axis=-1).ravel()

    def found(self, pred: np.ndarray, least: float = SHOWN) -> list[Peaks]:
        """The objects of each row that are told with at least this score."""
        scores, boxes = self._told(np.asarray(pred))
        return peaks(scores, boxes, grid=self._grid, least=least, most=self.most)

    def paired(self, y: np.ndarray, pred: np.ndarray) -> tuple[np.ndarray, ...]:
        """Pair what is told with what is there: each told object takes the true one it covers most.

        Returns:
            Class, score and whether it is right (IoU 0.5 or more, of a true object that no surer
            one has taken) of each told object, and the number of true objects by class (C,).
        """
        objects, parts = self.objects_of(y), []
        for own, true in zip(self.found(pred, LEAST), objects, strict=True):
            right = np.zeros(len(own.label), bool)
            same = overlap(torch.tensor(own.box)[:, None], torch.tensor(true[None, :, 1:])).numpy()
            same = np.where(own.label[:, None] == true[None, :, 0], same, -1.0)
            for n in range(len(own.label)):  # the surest first
                best = int(same[n].argmax())
                if same[n, best] >= RIGHT:
                    right[n], same[:, best] = True, -1.0
            parts.append((own.label, own.score, right))
        label, score, right = (np.concatenate([[], *x]) for x in zip(*parts, strict=True))
        there = objects[..., 0][objects[..., 0] >= 0].astype(int)
        return label, score, right.astype(bool), np.bincount(there, minlength=len(self.levels))

    @property
    def shown(self) -> float:
        """Score from which an object is told."""
        return SHOWN

    @property
    def reveal_edges(self) -> list[list[float]]:
        return [[0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0]] * len(self.levels)

    def reveal(self, y: np.ndarray) -> np.ndarray:
        """The number of objects of each class, (N, C)."""
        label = self.objects_of(y)[..., 0]
        counts = np.stack([(label == c).sum(axis=1) for c in range(len(self.levels))], axis=1)
        found = counts.astype(np.float32)
        found[~self.known(y)] = np.nan
        return found

    def balanced(self, y: np.ndarray) -> np.ndarray:
        return self.reveal(y)

    def log_likelihood(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """Of the bumps, as if each place were asked by itself whether an object's centre is near.

        Neighbours answer alike, so it overstates; differences between two predictions of one row
        are what it is for.
        """
        heat, _, _ = self._bumps(y)
        p = np.clip(self._told(np.asarray(pred, np.float64))[0], PROBABILITY_FLOOR, 1 - 1e-6)
        each = heat * np.log(p) + (1 - heat) * np.log(1 - p)
        return np.where(self.known(y), each.sum(axis=(1, 2)), np.nan)

    # Of the latent variables each stands for one object that the map tells: is it there?

    @property
    def latent(self) -> int:
        return self.most

    def _chances(self, pred: np.ndarray) -> tuple[list[Peaks], np.ndarray]:
        """What may be there, and the probabilities (N, K, 2) that each of them is not and is."""
        found = self.found(pred, LEAST)
        there = np.zeros((len(found), self.most))
        for row, own in enumerate(found):
            there[row, : len(own.score)] = own.score
        return found, np.stack([1 - there, there], axis=-1)

    def scores(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        found, chances = self._chances(pred)
        is_there = np.zeros(chances.shape[:2])
        for row, (own, objects) in enumerate(zip(found, self.objects_of(y), strict=True)):
            true = objects[objects[:, 0] >= 0]
            if len(true) and len(own.label):
                same = overlap(torch.tensor(own.box)[:, None], torch.tensor(true[None, :, 1:]))
                hit = (same.numpy() >= RIGHT) & (own.label[:, None] == true[None, :, 0])
                is_there[row, : len(own.label)] = hit.any(axis=1)
        is_there[~self.known(y)] = np.nan
        return class_scores(chances, is_there, share)

    def at_scores(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        found, chances = self._chances(pred)
        drawn = class_at(chances, np.reshape(z, chances.shape[:2]))
        block = self.unlabelled(len(found)).astype(np.float64)
        for row, own in enumerate(found):
            objects = np.zeros((self.most, 5))
            objects[:, 0] = -1
            kept = drawn[row, : len(own.label)] > 0
            box = own.box[kept].clip(0, 1)
            objects[: kept.sum()] = np.column_stack([own.label[kept], box])
            block[row] = objects.ravel()
        return block

    def given_scores(self, pred: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        found, chances = self._chances(pred)
        moved = class_given(chances, mean, sd)[..., 1]
        out = np.array(pred, np.float64).reshape(len(pred), self.places, -1)
        for row, own in enumerate(found):
            out[row, own.place, own.label] = moved[row, : len(own.label)]
        return out.reshape(len(pred), -1)

    def information(self, told: np.ndarray) -> np.ndarray:
        found, _ = self._chances(told.mean(axis=0))
        scores, _ = self._told(told)
        bits = np.zeros(told.shape[1])
        for row, own in enumerate(found):
            p = scores[:, row, own.place, own.label]  # (n, K)
            bits[row] = class_information(np.stack([1 - p, p], axis=-1)).sum()
        return bits

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        objects = self.objects_of(y)
        every, half = box_average_precision(objects, self.found(pred, LEAST), len(self.levels))
        true, told = self.reveal(y), self.count(pred)
        return {
            "map50": nan_mean(half),
            "map": nan_mean(every),
            "count_error": float(np.abs(true - told).mean()) if len(y) else np.nan,
            **{f"ap50_{name}": float(x) for name, x in zip(self.levels, half, strict=True)},
        }

    def count(self, pred: np.ndarray) -> np.ndarray:
        """Objects of each class that are told, (N, C)."""
        counts = [np.bincount(own.label, minlength=len(self.levels)) for own in self.found(pred)]
        return np.asarray(counts, float).reshape(-1, len(self.levels))

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return box_facts(self, beside.pixels, y, pred)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        """Lists of objects, boxes as shares of the sides; `in_source` turns them into pixels."""
        rows: list[Any] = []
        for gone, own in zip(np.isnan(pred).any(axis=1), self.found(pred), strict=True):
            parts = zip(own.label, own.box.clip(0, 1).tolist(), own.score.tolist(), strict=True)
            told = [{"class": self.levels[c], "box": b, "score": s} for c, b, s in parts]
            rows.append(None if gone else told)
        return {self.column: pa.array(rows, TOLD)}

    def in_source(self, told: pa.Array, source: Column, **options: Any) -> pa.Array:
        """Decoded boxes in pixels of the image of each row as it is shown, or as shares."""
        if self.shares:
            return told
        sizes, _ = sizes_of(source, options.get("folder", ""))
        rows = told.to_pylist()
        for row, objects in enumerate(rows):
            if objects and row in sizes:
                high, wide = sizes[row].tolist()
                for one in objects:
                    x1, y1, x2, y2 = one["box"]
                    one["box"] = [x1 * wide, y1 * high, x2 * wide, y2 * high]
        return pa.array(rows, TOLD)

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        """The number of objects of each class to expect: the sum of the chances of all."""
        sums = np.zeros((len(pred), len(self.levels)))
        for row, own in enumerate(self.found(pred, LEAST)):
            np.add.at(sums[row], own.label, own.score)
        sums[np.isnan(pred).any(axis=1)] = np.nan
        return {
            f"{self.column}={name}": pa.array(sums[:, c], from_pandas=True)
            for c, name in enumerate(self.levels)
        }

    def describe(self) -> str:
        kinds = f"{len(self.levels)} class{'es' * (len(self.levels) != 1)}"
        return f"boxes of objects of {kinds} in {self.of!r}, {self.objects:.1f} in an image"
