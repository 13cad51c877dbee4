"""Text: words of prose, words that are divided already, or characters as of molecules."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import (
    Column,
    as_text,
    as_words,
    index_in_row,
    is_list,
    missing,
    plain,
    spelling,
    warn,
)
from superpose.errors import DataError, location, message
from superpose.kinds._input import InputHints, InputKind, LoadBackbone, no_backbone
from superpose.kinds._options import Options, augment_settings

from ._rephrase import rephrase
from ._synonyms import TextAugmentOptions, read_synonyms

BUCKETS = 4096
MOST_TOKENS = 64  # per row; attention costs their square
MOST_WORDS_READ = 256  # per row, of words that may get a label each; their number is the cost
MOST_WORDS = 20_000  # numbers of divided words; the others are read by their spelling
MOST_GRAMS = 256  # features for trees
MOST_CHARACTERS = 4000  # per row; what comes later is not read
PAD, UNKNOWN, FIRST = 0, 1, 2
_CJK = r"([\p{Han}\p{Hiragana}\p{Katakana}])"  # written without blanks: each sign is a word
_NO_WORD = r"[^\p{L}\p{N}_']+"
# Any odd multiplier mixes 32-bit codes well; this one is the golden ratio of 2^64.
_MIX = np.uint64(0x9E3779B97F4A7C15)
_CODE = np.uint64((1 << 53) - 1)  # codes are kept in JSON, which holds 53 bits safely


def _clean(values: Column) -> pa.Array:
    return pc.utf8_slice_codeunits(pc.fill_null(as_text(values), ""), 0, MOST_CHARACTERS)


def _combine(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # hashing wraps around on purpose
        return (left ^ (right + _MIX + (left << np.uint64(6)) + (left >> np.uint64(2)))) * _MIX


def _word_codes(text: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """A hash per lowercased word and the row of each word."""
    text = pc.replace_substring_regex(pc.utf8_lower(text), _CJK, r" \1 ")
    lists = pc.utf8_split_whitespace(pc.replace_substring_regex(text, _NO_WORD, " "))
    words = pc.list_flatten(lists)
    rows = np.asarray(pc.list_parent_indices(lists))
    keep = pc.not_equal(words, "")
    return _hashes(words.filter(keep)), rows[np.asarray(keep)]


def _divided(values: Column) -> tuple[pa.Array, np.ndarray]:
    """Words that are divided already, a gap in a list as a word without letters, and their rows."""
    words, rows = as_words(values)
    return pc.fill_null(as_text(pa.chunked_array([words])), ""), rows


def _hashes(words: pa.Array) -> np.ndarray:
    coded = words.dictionary_encode()
    # The only loop is over distinct words.
    hashes = np.array([zlib.crc32(w.encode()) for w in coded.dictionary.to_pylist()], np.uint64)
    index = np.asarray(coded.indices).astype(np.int64)
    return hashes[index] if len(hashes) else np.zeros(0, np.uint64)


def _spellings(words: pa.Array) -> np.ndarray:
    coded = words.dictionary_encode()
    return spelling(coded.dictionary.to_pylist())[np.asarray(coded.indices).astype(np.int64)]


def _character_codes(text: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The code point of each character and the row of each character; case is kept."""
    lengths = np.asarray(pc.utf8_length(text)).astype(np.int64)
    points = np.frombuffer("".join(text.to_pylist()).encode("utf-32-le"), np.uint32)
    return points.astype(np.uint64), np.repeat(np.arange(len(text)), lengths)


def _following(codes: np.ndarray, rows: np.ndarray, step: int) -> np.ndarray:
    """The code ``step`` positions later in the same row, 0 past its end."""
    later = np.zeros_like(codes)
    if step < len(codes):
        later[:-step] = np.where(rows[step:] == rows[:-step], codes[step:], 0)
    return later


def _grams(codes: np.ndarray, rows: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all runs of 1 to ``longest`` codes within a row, and their rows."""
    run = _combine(np.full_like(codes, 1), codes)
    hashes = [run]
    where = [rows]
    alive = np.ones(len(codes), bool)
    for step in range(1, longest):
        later = _following(codes, rows, step)
        alive = alive & (later > 0)
        run = _combine(run + np.uint64(step), later)
        hashes.append(run[alive])
        where.append(rows[alive])
    return np.concatenate(hashes) & _CODE, np.concatenate(where)


class TextOptions(Options):
    """Options of a text.

    Args:
        augment: how texts are augmented while the network learns: drop, synonyms, replace,
            translate, rephrase; they are not unless it is set.
    """

    augment: TextAugmentOptions | Literal["off"] | None = None


@dataclass(kw_only=True)
class TextInput(InputKind):
    """Text as word numbers for the network and counts of its most telling runs for trees.

    Where most texts are one long word (molecules, sequences) the tokens are overlapping triples of
    characters instead. Lists of words, and text whose words get a label each, are divided at their
    blanks and nowhere else, and every word is also read by its spelling. ``unit`` in the options
    ("word", "character" or "divided") decides by hand.

    Example:
        >>> kind = TextInput.fit("note", pa.chunked_array([["A red door", "a blue door"]]))
        >>> numbers = kind.encode(pa.chunked_array([["Red door!", None]]))
        >>> numbers.shape, (numbers > 0).sum(axis=1).tolist()
        ((2, 3), [2, 0])
    """

    name: ClassVar[str] = "text"
    options: ClassVar[type[Options]] = TextOptions
    hints: ClassVar[InputHints] = InputHints(
        # Synonyms are a file, and other words come from models.
        takes_lists=True,
        fit_needs=frozenset({"folder", "load_backbone"}),
    )
    unit: str
    length: int
    known: list[int] | None  # hashes of the fitted tokens, most frequent first; None = buckets
    grams: list[int]
    reason: str | None = None
    augmented: dict[str, Any] | None = None
    synonyms: dict[str, list[str]] = field(default_factory=dict)  # of words of the training rows
    rephrased: dict[str, str] = field(default_factory=dict, repr=False)  # training texts

    @property
    def vocabulary(self) -> int:
        """Number of token numbers, padding and unknown included."""
        return BUCKETS if self.known is None else len(self.known) + FIRST

    @property
    def drop_reason(self) -> str | None:
        return self.reason

    @classmethod
    def fit(
        cls,
        column: str,
        values: Column,
        *,
        folder: str = "",
        load_backbone: LoadBackbone = no_backbone,
        **options: Any,
    ) -> Self:
        lists = is_list(plain(values).type)
        unit = "divided" if lists else options.get("unit") or _guess_unit(_clean(values))
        kind = cls(column=column, unit=unit, length=1, known=None, grams=[])
        kind.augmented = augment_settings(options.get("augment"), TextAugmentOptions, default=False)
        kind._rephrase(values, folder, load_backbone)
        codes, rows = kind._codes(values)
        counts = np.bincount(rows, minlength=len(values))
        filled = counts[counts > 0]
        if not len(filled):
            kind.reason = "empty"
            return kind
        whole = unit == "divided"  # a word beyond the length would get no label
        longest = min(filled.max(), MOST_WORDS_READ) if whole else np.quantile(filled, 0.95)
        kind.length = int(np.clip(np.ceil(longest), 1, MOST_WORDS_READ if whole else MOST_TOKENS))
        more = kind._codes(pa.chunked_array([pa.array(list(kind.rephrased.values()), pa.string())]))
        tokens = np.concatenate([kind._tokens(codes, rows), kind._tokens(*more)])
        distinct, times = np.unique(tokens, return_counts=True)
        if whole or len(distinct) <= BUCKETS - FIRST:
            most = distinct[np.lexsort((distinct, -times))][:MOST_WORDS]
            kind.known = [int(c) for c in most]
        kind._read_synonyms(folder)
        kind.grams = _telling(*_grams(codes, rows, kind._longest), len(values))
        if not lists and pc.count_distinct(_clean(values)).as_py() == 1:
            kind.reason = "constant"
        return kind

    def _rephrase(self, values: Column, folder: str, load_backbone: LoadBackbone) -> None:
        """Have training texts put in other words, where the settings ask for it."""
        settings = TextAugmentOptions.model_validate(self.augmented or {})
        if not settings.translate or not settings.rephrase:
            return
        if self.unit != "word":
            given = f"`translate` given for a text that is read by its {self.unit} parts"
            allowed = "texts of prose whose words have no labels"
            raise DataError(message(location(column=self.column), given, allowed, fix="remove it"))
        texts = [text for text in _clean(values).to_pylist() if text.strip()]
        self.rephrased = rephrase(
            texts, settings.translate, column=self.column, folder=folder, backbone=load_backbone()
        )

    def state(self) -> dict[str, Any]:
        # What training rows say has no place in a bundle.
        return {key: value for key, value in super().state().items() if key != "rephrased"}

    def _read_synonyms(self, folder: str) -> None:
        """Make synonyms known words where they may stand."""
        synonyms = (self.augmented or {}).get("synonyms")
        if synonyms is None:
            return
        if self.unit == "character":
            given = "synonyms given for a text that is read by its characters"
            raise DataError(message(location(column=self.column), given, fix="remove them"))
        known = None if self.known is None else set(self.known)
        for word, several in read_synonyms(Path(folder, synonyms), self.column).items():
            code = self._code_of(word)
            others = [o for o in several if self._code_of(o) is not None]
            if others and code is not None and (known is None or code in known):
                self.synonyms[word] = others
        if not self.synonyms:
            given = f"none of the words in {synonyms} is in the training rows"
            fix = "write a word of the rows, a tab, and its synonyms between commas on each line"
            raise DataError(message(location(column=self.column), given, fix=fix))
        if self.known is not None and known is not None:
            words = (word for others in self.synonyms.values() for word in others)
            every = dict.fromkeys(self._code_of(word) for word in words)
            self.known += [code for code in every if code is not None and code not in known]

    def _code_of(self, word: str) -> int | None:
        """The code of a word; None where it is read as several, such as "e-mail" in prose."""
        codes, rows = self._codes(pa.chunked_array([[word]]))
        return int(self._tokens(codes, rows)[0]) if len(codes) == 1 else None

    def synonym_numbers(self) -> dict[int, list[list[int]]]:
        """For the number of a word what may stand in its place, each encoded as a word is."""
        others: dict[int, list[list[int]]] = {}
        for word, several in self.synonyms.items():
            codes = [self._code_of(one) for one in (word, *several)]
            numbers = self._numbers(np.array(codes, np.uint64))
            rows = numbers[:, None]
            if self.unit == "divided":
                rows = np.column_stack([rows, _spellings(pa.array([word, *several]))])
            others.setdefault(int(numbers[0]), []).extend(rows[1:].tolist())
        return others

    def rephrased_texts(self) -> tuple[np.ndarray, np.ndarray]:
        """Training texts that are known in other words, encoded, and those other words."""
        before, after = (
            self.encode(pa.chunked_array([pa.array(texts, pa.string())]))
            for texts in (list(self.rephrased), list(self.rephrased.values()))
        )
        return before, after

    @property
    def target_options(self) -> dict[str, Any]:
        return {"places": self.length} if self.unit == "divided" else {}

    @property
    def _longest(self) -> int:
        return 3 if self.unit == "character" else 2

    def _codes(self, values: Column) -> tuple[np.ndarray, np.ndarray]:
        if self.unit == "divided":
            words, rows = _divided(values)
            return _hashes(pc.utf8_lower(words)), rows
        text = _clean(values)
        return _word_codes(text) if self.unit == "word" else _character_codes(text)

    def _tokens(self, codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if self.unit == "character":
            second, third = _following(codes, rows, 1), _following(codes, rows, 2)
            codes = _combine(_combine(codes, second), third)
        return _combine(np.full_like(codes, 7), codes) & _CODE

    def _numbers(self, tokens: np.ndarray) -> np.ndarray:
        if self.known is None:
            return np.asarray((tokens % np.uint64(BUCKETS - 1)).astype(np.int64) + 1)
        at = _lookup(tokens, self.known)
        return np.where(at < 0, UNKNOWN, at + FIRST)

    def encode(self, values: Column) -> np.ndarray:
        codes, rows = self._codes(values)
        numbers = self._numbers(self._tokens(codes, rows))
        position = index_in_row(rows, len(values))
        fits = position < self.length
        if self.unit == "divided":
            self._warn_of_long(rows, fits)
            numbers = np.column_stack([numbers, _spellings(_divided(values)[0])])
        block = np.full((len(values), self.length, *numbers.shape[1:]), PAD, np.int64)
        block[rows[fits], position[fits]] = numbers[fits]
        return block

    def _warn_of_long(self, rows: np.ndarray, fits: np.ndarray) -> None:
        if not fits.all():
            row = int(rows[np.argmin(fits)])
            warn(
                f"input {self.column!r}, row {row}: {int((rows == row).sum())} words; the longest "
                f"row that is read has {self.length}; in {len(np.unique(rows[~fits]))} such row(s) "
                f"the words beyond are not read and get no label"
            )

    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        n_rows = len(values)
        n_grams = len(self.grams)
        codes, rows = self._codes(values)
        hashes, where = _grams(codes, rows, self._longest)
        index = _lookup(hashes, self.grams)
        seen = index >= 0
        cells = np.bincount(where[seen] * n_grams + index[seen], minlength=n_rows * n_grams)
        lengths = np.bincount(rows, minlength=n_rows)
        matrix = np.column_stack([lengths, cells.reshape(n_rows, n_grams)]).astype(np.float32)
        matrix[missing(values)] = np.nan
        names = [f"{self.column} (length)", *(f"{self.column} (run {i})" for i in range(n_grams))]
        return matrix, [False] * (n_grams + 1), names

    def describe(self) -> str:
        if self.unit == "divided":
            return (
                f"words as divided, {self.vocabulary - FIRST} known, at most {self.length} in a row"
            )
        size = "hashed" if self.known is None else f"{len(self.known)} distinct"
        return f"{self.unit}s, {size}, the first {self.length} of a text"


def _guess_unit(text: pa.Array) -> str:
    filled = text.filter(pc.not_equal(pc.utf8_trim_whitespace(text), ""))
    if not len(filled):
        return "word"
    blank = pc.match_substring_regex(pc.utf8_trim_whitespace(filled), r"\s|" + _CJK)
    long = pc.greater(pc.utf8_length(filled), 8)
    single = pc.and_(pc.invert(blank), long)
    return "character" if pc.mean(single.cast(pa.float64())).as_py() > 0.5 else "word"


def _lookup(codes: np.ndarray, known: list[int]) -> np.ndarray:
    """Index of each code in a list of codes, -1 where it is not listed."""
    if not known:
        return np.full(len(codes), -1)
    table = np.array(known, np.uint64)
    order = np.argsort(table)
    index = np.minimum(np.searchsorted(table, codes, sorter=order), len(table) - 1)
    return np.where(table[order[index]] == codes, order[index], -1)


def _telling(codes: np.ndarray, rows: np.ndarray, count: int) -> list[int]:
    """The runs whose presence divides the rows most evenly, at most `MOST_GRAMS`."""
    distinct, index = np.unique(codes, return_inverse=True)
    pairs = np.unique(rows.astype(np.int64) * len(distinct) + index)
    documents = np.bincount(pairs % len(distinct), minlength=len(distinct))
    # A run in one row only, or in every row, splits nothing off that a tree could learn.
    useful = np.flatnonzero((documents >= min(2, count - 1)) & (documents < count))
    share = documents[useful] / count
    order = useful[np.lexsort((distinct[useful], -share * (1 - share)))][:MOST_GRAMS]
    return [int(c) for c in distinct[order]]
