"""Pictures of test images with their masks or boxes, drawn into the page itself."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from superpose.record import ObjectClass, ObjectsRecord

from ._curves import Array, thin_curve
from ._svg import Frame, coord, drawing, escape, key_height, polyline
from ._wording import number

# Told apart on any picture; beyond, colours come again.
COLOURS = (
    "#3cb4e7", "#e6194b", "#f58231", "#911eb4", "#ffe119", "#3cb44b",
    "#f032e6", "#aa6e28", "#1f4fd8", "#ff9fb2", "#00b39a", "#bfef45",
)  # fmt: skip
VEIL = 0.6  # of a mask over its image
SHOWN_WIDTH = 300  # pixels on the page at least, for what is read smaller
CURVE_POINTS = 200
SERIES = 6


def png(pixels: Any) -> bytes:
    """Writes an image file.

    Args:
        pixels: uint8 (H, W, 3).

    Example:
        >>> png(np.zeros((2, 3, 3), np.uint8))[1:4]
        b'PNG'
    """
    high, wide, _ = pixels.shape
    rows = np.concatenate(
        [np.zeros((high, 1), np.uint8), pixels.astype(np.uint8).reshape(high, -1)], axis=1
    )
    head = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def address(pixels: Any) -> str:
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode("ascii")


def _rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def colour_key(labels: Sequence[str]) -> str:
    """Returns the classes with their colours."""
    items = [
        f'<span><i style="background:{COLOURS[k % len(COLOURS)]}"></i>'
        f"<bdi>{escape(label)}</bdi></span>"
        for k, label in enumerate(labels)
    ]
    return f'<div class="key">{"".join(items)}</div>'


def mask_picture(pixels: Array, true: Array, pred: Array) -> str:
    """Returns an image, its mask and the predicted mask, side by side.

    Shape:
        pixels: (H, W, 3) uint8; true, pred: (H, W) classes, -1 without one.
    """
    colours = np.array([_rgb(c) for c in COLOURS], float)
    panels = [np.asarray(pixels, float)]
    for mask in (true, pred):
        veil = colours[mask.astype(int) % len(COLOURS)]
        mixed = (1 - VEIL) * np.asarray(pixels, float) + VEIL * veil
        panels.append(np.where((mask >= 0)[..., None], mixed, pixels))
    whole = np.concatenate(panels, axis=1).round().astype(np.uint8)
    known = true >= 0
    right = float((true == pred)[known].mean()) if known.any() else 0.0
    words = escape(f"An image, its mask and the predicted mask; {right:.0%} of the pixels agree.")
    wide = max(3 * SHOWN_WIDTH, whole.shape[1])
    return f'<img src="{address(whole)}" width="{wide}" alt="{words}">'


def box_picture(pixels: Array, objects: ObjectsRecord, labels: Sequence[str]) -> str:
    """Returns an image with the boxes of its objects, dashed, and those that are predicted.

    Args:
        pixels: (H, W, 3) uint8.
        objects: What is there, and what is predicted.
        labels: Names of the classes.
    """
    high, wide = pixels.shape[:2]
    scale = max(SHOWN_WIDTH / wide, 1.0)
    wide, high = round(wide * scale), round(high * scale)
    parts = [f'<image href="{address(pixels)}" width="{wide}" height="{high}"/>']
    dashed = ' stroke-dasharray="4 3" opacity=".9"'
    for own, dash in ((objects.true, dashed), (objects.pred, "")):
        for label, x1, y1, x2, y2, *score in own:
            shape = (
                f'x="{coord(x1 * wide)}" y="{coord(y1 * high)}" width="{coord((x2 - x1) * wide)}" '
                f'height="{coord((y2 - y1) * high)}"'
            )
            tip = f"{labels[int(label)]}" + (f", {score[0]:.2f}" if score else "")
            colour = COLOURS[int(label) % len(COLOURS)]
            parts.append(
                f'<rect {shape} fill="none" stroke="{colour}" stroke-width="1.6"{dash}>'
                f"<title>{escape(tip)}</title></rect>"
            )
    words = escape(
        f"An image with {len(objects.true)} drawn and {len(objects.pred)} predicted boxes."
    )
    return (
        f'<svg width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" role="img" '
        f'aria-label="{words}">{"".join(parts)}</svg>'
    )


def object_curves(classes: Sequence[ObjectClass], target: str = "") -> str:
    """Returns precision by recall of detected objects, a curve for each class that has any.

    Args:
        classes: How well the objects of each class are detected.
        target: The target's name.
    """
    known = [one for one in classes if one.n_true and len(one.curve.recall)]
    drawn = sorted(known, key=lambda one: -one.n_true)[:SERIES]
    if not drawn:
        return ""
    keys = [(f"ln s{i}", f"{number(one.ap50)} {one.label}") for i, one in enumerate(drawn)]
    frame = Frame((0, 1), (0, 1), ("recall", "precision"), top=key_height(len(keys)))
    body = [frame.axes(), frame.key(keys)]
    for i, one in enumerate(drawn):
        line = (frame.x(one.curve.recall), frame.y(one.curve.precision))
        x, y = thin_curve(*line, CURVE_POINTS)
        body.append(f'<path class="ln s{i}" d="{polyline(x, y)}"/>')
    return drawing(
        frame.width,
        frame.height,
        title=f"Precision and recall of {target}",
        detail="; ".join(f"{one.label}: AP {number(one.ap50)}" for one in drawn),
        body=body,
    )
