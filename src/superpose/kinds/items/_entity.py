"""Entities of a knowledge graph: a name in the table, a vector learned from the graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field

from superpose.columns import Column, as_text, counted, find, read_whole, warn
from superpose.errors import DataError, did_you_mean, location, message
from superpose.kinds._input import InputHints
from superpose.kinds._options import Options

from ._embedding import VectorInput, moments, standardised

MOST_ENTITIES = 20_000  # their vectors travel in the bundle as numbers of a JSON file
EPOCHS = 100
FEWEST_TRIPLES = 2


class EntityOptions(Options):
    """Options of an entity.

    Args:
        graph: path of the triples, a file of lines with head, relation and tail between tabs, from
            the folder of the table.
        size: numbers of a vector, even.
        pretrained: whether the vectors are learned from the graph; the control is random ones.
    """

    graph: str = Field(min_length=1)
    size: int = Field(default=32, ge=2, le=512, multiple_of=2)
    pretrained: bool = True


@dataclass(kw_only=True)
class EntityInput(VectorInput):
    """The name of an entity of a graph, read as a vector that its triples have taught.

    ``graph``, ``size`` and ``pretrained`` are options. A name that the graph lacks is refused in
    training, and read as missing later.

    Source:
        ComplEx, see `superpose.functional.embed_triples`.
    """

    name: ClassVar[str] = "entity"
    options: ClassVar[type[Options]] = EntityOptions
    hints: ClassVar[InputHints] = InputHints(fit_needs=frozenset({"folder"}), encoder="vectors")
    entities: list[str]
    vectors: list[list[float]]
    triples: int
    pretrained: bool = True

    @classmethod
    def fit(cls, column: str, values: Column, *, folder: str = "", **options: Any) -> Self:
        settings = EntityOptions.model_validate(options)
        triples = read_triples(Path(folder, settings.graph), column)
        heads, relations, tails = zip(*triples, strict=True)
        entities = sorted({*heads, *tails})
        links = sorted(set(relations))
        if len(entities) > MOST_ENTITIES:
            given = f"the graph has {len(entities)} entities"
            raise DataError(message(location(column=column), given, f"at most {MOST_ENTITIES}"))
        _require_known(column, values, entities)
        if settings.pretrained:
            from superpose.functional import embed_triples  # the only part that needs torch

            order = {name: i for i, name in enumerate(entities)}
            kinds = {name: i for i, name in enumerate(links)}
            numbers = np.array([(order[h], kinds[r], order[t]) for h, r, t in triples])
            vectors = embed_triples(
                numbers,
                entities=len(entities),
                relations=len(links),
                size=settings.size,
                epochs=EPOCHS,
            )
        else:
            drawn = np.random.default_rng(0).normal(size=(len(entities), settings.size))
            vectors = np.asarray(drawn, np.float32)
        # Five digits: the JSON of a bundle is not to be larger than it must.
        rounded = [[float(f"{x:.5g}") for x in row] for row in vectors]
        mean, scale, _ = moments(np.asarray(rounded, np.float32))
        return cls(
            column=column,
            entities=entities,
            vectors=rounded,
            triples=len(triples),
            pretrained=settings.pretrained,
            mean=mean,
            scale=scale,
            count=len(values) - as_text(values).null_count,
        )

    @cached_property
    def _table(self) -> np.ndarray:
        return np.asarray(self.vectors, np.float32)

    def encode(self, values: Column) -> np.ndarray:
        text = as_text(values)
        index = find(text, self.entities)
        strangers = np.asarray(text.is_valid()) & (index < 0)
        if strangers.any():
            row = int(np.argmax(strangers))
            warn(
                f"input {self.column!r}, row {row}: {text[row].as_py()!r} is not in the graph; "
                f"{int(strangers.sum())} such value(s) count as missing"
            )
        vectors = np.full((len(index), self._table.shape[1]), np.nan, np.float32)
        vectors[index >= 0] = self._table[index[index >= 0]]
        return standardised(vectors, self.mean, self.scale)

    def describe(self) -> str:
        how = f"learned from {self.triples} triples" if self.pretrained else "random"
        return f"{len(self.entities)} entities, vectors of {len(self.mean)} numbers, {how}"


def _require_known(column: str, values: Column, entities: list[str]) -> None:
    """Make sure that the graph has every entity of the training rows.

    Raises:
        DataError: the first row whose entity the graph lacks.
    """
    text = as_text(values)
    unknown = [name for name in counted(text)[0] if name not in set(entities)]
    if unknown:
        row = text.to_pylist().index(unknown[0])
        more = f", and {len(unknown) - 1} other names" if len(unknown) > 1 else ""
        raise DataError(
            message(
                location(column=column, row=row),
                f"{unknown[0]!r} is not in the graph{more}",
                fix=did_you_mean(unknown[0], entities)
                or "add its triples, or leave the cell empty",
            )
        )


def read_triples(path: Path, column: str) -> list[tuple[str, str, str]]:
    """Read a file of head, relation and tail, line by line with tabs between them.

    Raises:
        DataError: the file can't be read, a line that has not three parts, or hardly any line.
    """
    try:
        lines = read_whole(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        reason = "no such file" if isinstance(fault, FileNotFoundError) else str(fault)
        given = f"graph {path} can't be read: {reason}"
        fix = "give the path of a file with head, relation and tail between tabs on each line"
        raise DataError(message(location(column=column), given, fix=fix)) from None
    triples = []
    for number, line in enumerate(lines, start=1):
        parts = [part.strip() for part in line.split("\t")]
        if not line.strip():
            continue
        if len(parts) != 3 or not all(parts):
            given = f"{len(parts)} part{'s' * (len(parts) != 1)} given"
            allowed = "head, relation and tail, with a tab between them"
            raise DataError(message(location(file=path, line=number), given, allowed))
        triples.append((parts[0], parts[1], parts[2]))
    if len(triples) < FEWEST_TRIPLES:
        given = f"{len(triples)} triples given"
        raise DataError(message(location(file=path), given, f"{FEWEST_TRIPLES} or more"))
    return triples
