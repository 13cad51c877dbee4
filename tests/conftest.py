"""Shared by all tests: one thread, and a small table with a target of every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.data import Codec
from superpose.data.schema._schema import ColumnSpec, Schema

INPUTS = {"width": "number", "height": "number", "colour": "category"}
TARGETS = {
    "weight": "number",
    "sick": "binary",
    "calls": "count",
    "sort": "category",
    "level": "ordinal",
    "tags": "multilabel",
}


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small tensors gain nothing from more threads, and sums keep one order."""
    torch.set_num_threads(1)


def _make_table(rows: int = 90, seed: int = 0, gaps: float = 0.15) -> pa.Table:
    """Numbers and a category that drive six targets, with gaps in inputs and labels.

    The weights are in the hundreds of thousands, so that scale matters.
    """
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, rows))
    colour = rng.integers(0, 3, rows)
    signal = x + 0.5 * z + 0.7 * (colour == 2)
    noisy = signal + 0.5 * rng.normal(size=rows)
    columns = {
        "width": x,
        "height": 100 + 20 * z,
        "colour": np.array(["red", "green", "blue"])[colour],
        "weight": 3e5 + 1e5 * noisy,
        "sick": np.where(noisy > 0.5, "yes", "no"),
        "calls": rng.poisson(np.exp(0.5 + 0.4 * signal)),
        "sort": np.array(["a", "b", "c"])[np.digitize(noisy, [-0.5, 0.8])],
        "level": np.digitize(noisy, [-1.0, 0.0, 1.0]),
        "tags": [[t for t, limit in (("p", 0.0), ("q", 0.8)) if s > limit] for s in noisy],
    }
    gappy = {}
    for name, values in columns.items():
        keep = rng.random(rows) >= (gaps if name in ("height", *TARGETS) else 0.0)
        rows_of = values if isinstance(values, list) else values.tolist()
        gappy[name] = [v if k else None for v, k in zip(rows_of, keep, strict=True)]
    return pa.table(gappy)


@pytest.fixture(scope="session")
def make_table() -> Callable[..., pa.Table]:
    """The maker of tables: rows, seed, share of gaps."""
    return _make_table


@pytest.fixture(scope="session")
def schema() -> Schema:
    """Every target kind, two input kinds."""
    return Schema(
        [ColumnSpec(name, kind) for name, kind in INPUTS.items()],
        [ColumnSpec(name, kind) for name, kind in TARGETS.items()],
    )


@pytest.fixture(scope="session")
def table() -> pa.Table:
    """Ninety rows."""
    return _make_table()


@pytest.fixture(scope="session")
def codec(table: pa.Table, schema: Schema) -> Codec:
    """Fitted on all rows of `table`."""
    return Codec.fit(table, schema, np.arange(table.num_rows))


CITIES = ["rome", "oslo", "lima", "new york", "san jose", "rio"]
DAYS = ["monday", "friday", "june first"]
FRAMES = {
    "flight": [
        "show flights from {from} to {to}",
        "{to} from {from} on {day}",
        "fly to {to} {day}",
    ],
    "fare": ["how much is a ticket to {to}", "fares from {from} to {to} on {day}"],
    "time": ["when does the plane from {from} leave", "is there one on {day} from {from}"],
}


def _make_utterances(rows: int = 90, seed: int = 0, gaps: float = 0.1) -> pa.Table:
    """Sentences with an intent and a slot for each word, with gaps in both kinds of labels."""
    rng = np.random.default_rng(seed)
    columns: dict[str, list[object]] = {"words": [], "slots": [], "intent": []}
    for _ in range(rows):
        intent = str(rng.choice(list(FRAMES)))
        words, slots = [], []
        for piece in str(rng.choice(FRAMES[intent])).split():
            name = piece.strip("{}")
            filler = {"day": DAYS}.get(name, CITIES) if piece.startswith("{") else [piece]
            chosen = str(rng.choice(filler)).split()
            words += chosen
            inside = [f"I-{name}"] * (len(chosen) - 1)
            slots += [f"B-{name}", *inside] if piece.startswith("{") else ["O"]
        labels = [None if rng.random() < gaps / 4 else slot for slot in slots]
        columns["words"].append(words)
        columns["slots"].append(None if rng.random() < gaps else labels)
        columns["intent"].append(None if rng.random() < gaps else intent)
    return pa.table(columns)


@pytest.fixture(scope="session")
def make_utterances() -> Callable[..., pa.Table]:
    """The maker of sentences: rows, seed, share of gaps."""
    return _make_utterances


@pytest.fixture(scope="session")
def save_tokenizer() -> Callable[[Path, list[str]], None]:
    """Writes a tokenizer that knows some words and divides at blanks, as checkpoints have one."""

    def save(folder: Path, words: list[str]) -> None:
        from tokenizers import Tokenizer
        from tokenizers.models import WordLevel
        from tokenizers.pre_tokenizers import Whitespace

        vocabulary = {word: number for number, word in enumerate(words)}
        tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = Whitespace()
        tokenizer.save(str(folder / "tokenizer.json"))

    return save
