"""How labels spell spans: the standard spelling (B-city, I-city, O) of those that nearly have it.

Labels are published in many spellings: city-B, b-city, B_city, B without a type, M for I. Taken as
they stand they would mark no spans, and every word, those outside of spans too, would be scored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

OUTSIDE = "O"
SIGNS = "BIESLUM"  # begin, inside, end, single; last and unit in BILOU; middle in BMES
ONE_TYPE = "span"  # the type of labels that are signs alone
# At most so many of the words in spans may have a label that fits to no other, and at most so many
# of a type's words another case, to be slips; more of them are meant.
SLIPS = 0.02

_BETWEEN = r"[-_:./| \u2013\u2014]+"
_FORMS = (
    re.compile(rf"(?P<sign>[{SIGNS}]){_BETWEEN}(?P<type>.+)", re.IGNORECASE),
    re.compile(rf"(?P<type>.+?){_BETWEEN}(?P<sign>[{SIGNS}])", re.IGNORECASE),
)
_OUTSIDE = {"O", "o", "0", "_"}
_STANDARD = re.compile(r"[BIESLU]-.+")


class Mark(NamedTuple):
    """What a label says: the sign, empty outside of spans, and the type of its span."""

    sign: str
    type: str

    def spelled(self) -> str:
        """The label in the standard spelling."""
        return f"{self.sign}-{self.type}" if self.sign else OUTSIDE


@dataclass(frozen=True)
class SpanLabels:
    """The labels of a target that mark spans.

    Args:
        standard: each label in the standard spelling; those that fit to no other are left out.
        slips: labels that are rare spellings of others, or fit to none.
        apart: pairs of types that differ in case only, but are frequent both.
    """

    standard: dict[str, str]
    slips: list[str] = field(default_factory=list)
    apart: list[tuple[str, str]] = field(default_factory=list)


def standard(label: str) -> bool:
    """Whether a label is spelled as the shared tasks of CoNLL spell it."""
    return label == OUTSIDE or _STANDARD.fullmatch(label) is not None


def read_span_labels(counts: Mapping[str, int]) -> SpanLabels | None:
    """Reads labels as marks of spans, or returns None where they mark none.

    Args:
        counts: how many words have each label.

    Example:
        >>> read_span_labels({"O": 9, "city-B": 3, "city-I": 2}).standard["city-B"]
        'B-city'
        >>> read_span_labels({"NOUN": 3, "VERB": 2}) is None
        True
    """
    marks = _bare(counts) or _typed(counts)
    if marks is None:
        return None
    marks, slips, apart = _one_case(marks, counts)
    if "I" not in {mark.sign for mark in marks.values()}:
        # The middle of BMES is the inside of others.
        marks = {x: m._replace(sign="I") if m.sign == "M" else m for x, m in marks.items()}
    spelled = {label: mark.spelled() for label, mark in marks.items()}
    # Of two spellings of one label the more frequent one is meant, and the other is a slip where
    # it is rare.
    totals: Counter[str] = Counter()
    for label, name in spelled.items():
        totals[name] += counts[label]
    most = {name: max(counts[x] for x in spelled if spelled[x] == name) for name in totals}
    slips |= {
        label
        for label, name in spelled.items()
        if counts[label] < most[name] and counts[label] <= _slips(totals[name])
    }
    slips |= counts.keys() - spelled.keys()
    return SpanLabels(spelled, [label for label in counts if label in slips], apart)


def mixed_labels(counts: Mapping[str, int]) -> list[str]:
    """Labels that mark no span, where others begin one in the standard spelling."""
    begun = any(standard(x) and x[0] == "B" for x in counts)
    return [x for x in counts if not standard(x)] if begun else []


def _slips(words: int) -> float:
    """The most words that count as slips among so many; one always may be."""
    return max(SLIPS * words, 1)


def _typed(counts: Mapping[str, int]) -> dict[str, Mark] | None:
    """The marks of labels that name a type before or after the sign."""
    forms = []
    for form in _FORMS:
        matches = {x: m for x in counts if (m := form.fullmatch(x))}
        forms.append((sum(counts[x] for x in matches), matches))
    inside, matches = max(forms, key=lambda one: one[0])  # of equals the sign in front
    outside = {x for x in counts if x in _OUTSIDE and x not in matches}
    others = counts.keys() - matches.keys() - outside
    if not matches or sum(counts[x] for x in others) > SLIPS * inside:
        return None
    marks = {x: Mark(m["sign"].upper(), m["type"]) for x, m in matches.items()}
    if sum(counts[x] for x in matches if standard(x)) < inside / 2:
        # Other spellings are those of words as well ("e-mail"): a type has to begin and go on.
        ways: dict[str, set[str]] = {}
        for mark in marks.values():
            ways.setdefault(mark.type.lower(), set()).add(mark.sign)
        if not outside or not any("B" in w and w & set("IMEL") for w in ways.values()):
            return None
    known = {_letters(f"{m.sign}{m.type}"): m for m in marks.values()}
    # Without the sign between, or with the sign on the other side.
    near = {
        x: known[name]
        for x in others
        for name in (_letters(x), _letters(x[-1:] + x[:-1]))
        if name in known
    }
    return marks | near | dict.fromkeys(outside, Mark("", ""))


def _bare(counts: Mapping[str, int]) -> dict[str, Mark] | None:
    """The marks of labels that are signs alone: at least B, I and O, and others of one scheme."""
    names = {x: x.upper() for x in counts}
    used = set(names.values())
    known = any(used <= set(scheme) for scheme in ("BIOES", "BILOU"))
    if not known or not used >= {"B", "I", OUTSIDE}:
        return None
    return {x: Mark(s, ONE_TYPE) if s != OUTSIDE else Mark("", "") for x, s in names.items()}


def _one_case(
    marks: Mapping[str, Mark], counts: Mapping[str, int]
) -> tuple[dict[str, Mark], set[str], list[tuple[str, str]]]:
    """Gives types that are rare spellings of others the spelling that is meant.

    Returns:
        The marks, the labels that were changed, and pairs of types that may be the same.
    """
    words: Counter[str] = Counter()
    for label, mark in marks.items():
        words[mark.type] += counts[label]
    alike: dict[str, list[str]] = {}
    for name, _ in words.most_common():
        alike.setdefault(name.casefold(), []).append(name)
    meant: dict[str, str] = {}
    apart: list[tuple[str, str]] = []
    for first, *others in alike.values():
        rare = [x for x in others if words[x] <= _slips(words[first])]
        meant |= dict.fromkeys(rare, first)
        apart += [(first, x) for x in others if x not in rare]
    changed = {label for label, mark in marks.items() if mark.type in meant}
    return {x: m._replace(type=meant.get(m.type, m.type)) for x, m in marks.items()}, changed, apart


def _letters(label: str) -> str:
    return re.sub(r"[\W_]", "", label).casefold()
