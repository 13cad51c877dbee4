"""What others need to know of a target kind before any of its columns is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from superpose.columns import Column

from ._raw_labels import class_codes

RawLabels = Callable[[str, Column, Mapping[str, Any]], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class TargetHints:
    """What a target kind declares for reading, splitting, training and evaluating its columns.

    Args:
        scale: what labels are on: classes without order, classes in an order, or sizes.
        raw_labels: labels as plain numbers without any fitting, float64 (N,) or (N, L), NaN where
            missing; splits deal them out, and leaks are looked for with them.
        takes_lists: whether a label may be a list or a structure.
        reads_files: whether labels are paths of files, so that they are read from a folder.
        tree_task: the task in which boosted trees predict it; None where they can't.
        labels_of: what sort of input has a label at each of its locations; None for one in a row.
        reads_input: whether labels are read beside the values of that input, as boxes in pixels.
        looks_ahead: whether labels lie some steps ahead of the windows that are cut of a series.
        has_items: whether a table or columns may describe what its labels name.
        mixes_labels: whether labels can be laid together from two rows, as those of two images.
        skip_cross_fitting: whether networks take so long that one validation split decides, however
            few rows there are.
        custom_head: whether its head is a module of its own, not a linear map of the task's state.
        reads_labels: whether that module reads labels, to learn or to score with.
        guess_from: what a column without a kind has to be to be guessed as this one: values that it
            `accepts`, an ordered category of a frame, lists as long as those of another column, or
            names of image files beside other images. None: it is guessed by rules of values, or not
            at all.
        guess_reason: the reason that the user sees then.
    """

    scale: Literal["nominal", "ordinal", "interval"] = "nominal"
    raw_labels: RawLabels = class_codes
    takes_lists: bool = False
    reads_files: bool = False
    tree_task: str | None = None
    labels_of: Literal["words", "image"] | None = None
    reads_input: bool = False
    looks_ahead: bool = False
    has_items: bool = False
    mixes_labels: bool = False
    skip_cross_fitting: bool = False
    custom_head: bool = False
    reads_labels: bool = False
    guess_from: Literal["values", "ordered levels", "word lists", "image files"] | None = None
    guess_reason: str = ""
