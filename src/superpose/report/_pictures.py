"""Pictures of test images with their masks or boxes, drawn into the page itself."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._curves import Array, thin_curve
from ._svg import Frame, drawing, escape, key_height, place, polyline
from ._wording import number

# Told apart on any picture; beyond, colours come again.
COLOURS = (
    "#3cb4e7", "#e6194b", "#f58231", "#911eb4", "#ffe119", "#3cb44b",
    "#f032e6", "#aa6e28", "#1f4fd8", "#ff9fb2", "#00b39a", "#bfef45",
)  # fmt: skip
VEIL = 0.6  # of a mask over its image
SHOWN_WIDTH = 300  # pixels on the page at least, for what is read smaller
CURVE_POINTS, SERIES = 200, 6


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


def mask_picture(pixels: Array, true: Array, told: Array, labels: Sequence[str]) -> str:
    """Returns an image, its mask and the mask that was told, side by side.

    Shape:
        pixels: (H, W, 3) uint8; true, told: (H, W) classes, -1 without one.
    """
    colours = np.array([_rgb(c) for c in COLOURS], float)
    panels = [np.asarray(pixels, float)]
    for mask in (true, told):
        veil = colours[np.asarray(mask, int) % len(COLOURS)]
        mixed = (1 - VEIL) * np.asarray(pixels, float) + VEIL * veil
        panels.append(np.where((np.asarray(mask) >= 0)[..., None], mixed, pixels))
    whole = np.concatenate(panels, axis=1).round().astype(np.uint8)
    right = (
        float((np.asarray(true) == told)[np.asarray(true) >= 0].mean()) if (true >= 0).any() else 0
    )
    words = escape(
        f"An image, its mask and the mask that was told; {right:.0%} of the pixels agree."
    )
    wide = max(3 * SHOWN_WIDTH, whole.shape[1])
    return f'<img src="{address(whole)}" width="{wide}" alt="{words}">'


def box_picture(
    pixels: Array, objects: Mapping[str, Sequence[Sequence[float]]], labels: Sequence[str]
) -> str:
    """Returns an image with the boxes of its objects, dashed, and those that were told.

    Args:
        pixels: (H, W, 3) uint8.
        objects: ``true`` and ``told``, each object a class and a box as shares of the sides; told
            ones also a score.
        labels: Names of the classes.
    """
    high, wide = pixels.shape[:2]
    scale = max(SHOWN_WIDTH / wide, 1.0)
    wide, high = round(wide * scale), round(high * scale)
    parts = [f'<image href="{address(pixels)}" width="{wide}" height="{high}"/>']
    for name, dash in (("true", ' stroke-dasharray="4 3" opacity=".9"'), ("told", "")):
        for label, x1, y1, x2, y2, *score in objects.get(name) or []:
            shape = (
                f'x="{place(x1 * wide)}" y="{place(y1 * high)}" width="{place((x2 - x1) * wide)}" '
                f'height="{place((y2 - y1) * high)}"'
            )
            tell = f"{labels[int(label)]}" + (f", {score[0]:.2f}" if score else "")
            colour = COLOURS[int(label) % len(COLOURS)]
            parts.append(
                f'<rect {shape} fill="none" stroke="{colour}" stroke-width="1.6"{dash}>'
                f"<title>{escape(tell)}</title></rect>"
            )
    counts = [len(objects.get(name) or []) for name in ("true", "told")]
    words = escape(f"An image with {counts[0]} drawn and {counts[1]} told boxes.")
    return (
        f'<svg width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" role="img" '
        f'aria-label="{words}">{"".join(parts)}</svg>'
    )


def object_curves(curves: Sequence[tuple[str, int, Array, Array, float]], target: str = "") -> str:
    """Returns precision by recall of found objects, a curve for each class that has any.

    Args:
        curves: Label, true objects, recall and precision from the surest object on, and average
            precision of each class.
        target: The target's name.
    """
    drawn = sorted((c for c in curves if c[1] and len(c[2])), key=lambda c: -c[1])[:SERIES]
    if not drawn:
        return ""
    keys = [(f"ln s{i}", f"{number(c[4])} {c[0]}") for i, c in enumerate(drawn)]
    frame = Frame((0, 1), (0, 1), ("recall", "precision"), top=key_height(len(keys)))
    body = [frame.axes(), frame.key(keys)]
    for i, (_, _, recall, precision, _) in enumerate(drawn):
        x, y = thin_curve(frame.x(recall), frame.y(precision), CURVE_POINTS)
        body.append(f'<path class="ln s{i}" d="{polyline(x, y)}"/>')
    detail = "; ".join(f"{c[0]}: AP {number(c[4])}" for c in drawn)
    title = f"Precision and recall of {target}"
    return drawing(frame.width, frame.height, title, detail, body)
