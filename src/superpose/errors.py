"""Every error that a user can meet: where it is, what was given, what is allowed, what to do next.

A message is written in one order, so that it can be read at a glance:

    superpose.yaml:12: targets[2].kind: 'numbr' given; allowed: number; did you mean 'number'?

Faults of the same input are gathered in a `Faults` and raised together, so that nobody mends a file
one error at a time. The command line turns every `SuperposeError` into its text and exit code 2.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

# What moves the cursor, hides text or turns its direction; lone surrogates can't be written at all.
_CONTROLS = ("Cc", "Cs", "Zl", "Zp")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# More than this many names in one message are no longer read; the rest is counted.
SHOWN_NAMES = 12
# Faults of one sort that are named one by one; the rest is counted.
SHOWN_FAULTS = 3


class SuperposeError(Exception):
    """Something that the user can mend; its arguments are the messages of one or more faults.

    Example:
        >>> print(SuperposeError("a: wrong", "b: wrong too"))
        2 faults:
          - a: wrong
          - b: wrong too
    """

    @property
    def faults(self) -> tuple[str, ...]:
        """The message of each fault, in the order in which they were added."""
        return tuple(str(arg) for arg in self.args)

    def __str__(self) -> str:
        if len(self.faults) <= 1:
            return "".join(self.faults)
        return "\n  - ".join([f"{len(self.faults)} faults:", *self.faults])


class ConfigError(SuperposeError):
    """The settings are wrong: an unknown key, a value outside its range, two settings at odds."""


class DataError(SuperposeError):
    """The data is wrong: a missing file or column, a value of the wrong type, no labels."""


class TrainingError(SuperposeError):
    """Training can't go on: a loss that is not a number, an output folder that is taken."""


class BundleError(SuperposeError):
    """A bundle can't be read or written: damaged, incomplete, or of another format."""


class MissingExtraError(SuperposeError, ImportError):
    """A package of an optional extra is not installed.

    Args:
        package: the package that could not be imported, as `pip` calls it.
        extra: the extra of `superpose` that brings it.
        purpose: what it is needed for.

    Example:
        >>> print(MissingExtraError("pillow", "vision", "reading images"))
        reading images: the package pillow is not installed; run: pip install "superpose[vision]"
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self.package, self.extra, self.purpose = package, extra, purpose
        super().__init__(
            message(
                purpose,
                f"the package {package} is not installed",
                fix=f'run: pip install "superpose[{extra}]"',
            )
        )

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        # ImportError would rebuild it from the finished message, which is not what __init__ takes.
        return type(self), (self.package, self.extra, self.purpose)


class Faults:
    """Gathers the faults of one input and raises them as one error.

    Args:
        error: the class of the error that is raised.

    Example:
        >>> faults = Faults(DataError)
        >>> faults.add("column 'age'", "no value", fix="fill it in")
        >>> try:
        ...     faults.raise_any()
        ... except DataError as error:
        ...     print(error)
        column 'age': no value; fill it in
    """

    def __init__(self, error: type[SuperposeError]) -> None:
        self.error = error
        self.messages: list[str] = []

    def add(self, where: str, given: str, allowed: str = "", *, fix: str = "") -> None:
        """Keeps one fault; the arguments are those of `message`."""
        self.messages.append(message(where, given, allowed, fix=fix))

    def add_rest(self, where: str, count: int, text: str) -> None:
        """Keeps one line for faults that are counted, not named, if there are any.

        Args:
            where: the location, as `location` writes it.
            count: how many there are.
            text: as of `beyond`.
        """
        if count > 0:
            self.add(where, beyond(count, text))

    def extend(self, error: SuperposeError) -> None:
        """Keeps the faults of an error that was caught."""
        self.messages.extend(error.faults)

    def raise_any(self) -> None:
        """Raises every fault so far, or returns if there is none."""
        if self.messages:
            raise self.error(*self.messages)


def message(where: str, given: str, allowed: str = "", *, fix: str = "") -> str:
    """Writes one fault in the order of the house.

    Args:
        where: the location, as `location` writes it.
        given: what stands there.
        allowed: what may stand there; left out when empty.
        fix: what to do next; left out when empty.

    Example:
        >>> message("seed", "-1 given", "0 or more", fix="write another seed")
        'seed: -1 given; allowed: 0 or more; write another seed'
    """
    parts = [given, f"allowed: {allowed}" if allowed else "", fix]
    text = "; ".join(part for part in parts if part)
    return f"{where}: {text}" if where else text


def printable(text: object, keep: str = "") -> str:
    """Writes control characters as escapes, so that a name can't write over what is on a screen.

    Args:
        text: what is to be shown.
        keep: control characters that are meant as they are.

    Example:
        >>> printable("age\\x1b[2J")
        'age\\\\x1b[2J'
    """
    words = str(text)
    # Most text is plain, and tables may be long.
    if words.isprintable():
        return words
    return "".join(
        char.encode("unicode_escape").decode()
        if char not in keep and (unicodedata.category(char) in _CONTROLS or char in _BIDI)
        else char
        for char in words
    )


def location(
    *,
    file: object = None,
    line: int | None = None,
    key: str = "",
    column: str | None = None,
    row: int | None = None,
) -> str:
    """Names a location in a file, in the settings or in a table.

    Args:
        file: path of the file.
        line: line in the file, counted from 1 as editors do.
        key: path of a setting, as `key_path` writes it.
        column: name of a column.
        row: row of the table, counted from 0 as frames do; the header is no row.

    Example:
        >>> location(file="superpose.yaml", line=12, key="targets[2].kind")
        'superpose.yaml:12: targets[2].kind'
        >>> location(column="age", row=7)
        "column 'age', row 7"
    """
    parts: list[str] = []
    if file is not None:
        parts.append(printable(file if line is None else f"{file}:{line}"))
    if key:
        parts.append(key)
    cell = [] if column is None else [f"column {column!r}"]
    if row is not None:
        cell.append(f"row {row}")
    if cell:
        parts.append(", ".join(cell))
    return ": ".join(parts)


def key_path(keys: Sequence[str | int]) -> str:
    """Writes the way to a setting as a person would type it.

    Example:
        >>> key_path(["targets", 2, "kind"])
        'targets[2].kind'
    """
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{printable(key)}" if text else printable(key)
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Guesses the word that was meant, or returns an empty string when nothing is near.

    Case, blanks and punctuation are passed over first, so that `pm25` finds `PM2.5`.

    Example:
        >>> did_you_mean("targts", ["data", "targets"])
        "did you mean 'targets'?"
    """
    names = list(known)
    plain = {name: re.sub(r"[\W_]", "", name).lower() for name in names}
    wanted = re.sub(r"[\W_]", "", word).lower()
    for name in names:
        if wanted and plain[name] == wanted:
            return f"did you mean {name!r}?"
    if not wanted:
        return ""
    # 0.6 is the library's own default; it finds two swapped or missing letters in short words.
    near = difflib.get_close_matches(wanted, list(plain.values()), n=1, cutoff=0.6)
    if not near:
        return ""
    return f"did you mean {next(name for name in names if plain[name] == near[0])!r}?"


def beyond(count: int, text: str) -> str:
    """Counts what a message does not name; nothing where all is named.

    Args:
        count: how many there are beyond those that are named.
        text: words with `{}` for the count, and `{s}` for the ending of several.

    Example:
        >>> beyond(2, "; so it is in {} more row{s}")
        '; so it is in 2 more rows'
        >>> beyond(0, " and {} more")
        ''
    """
    return text.format(count, s="s" * (count > 1)) if count > 0 else ""


def listing(names: Iterable[object], shown: int = SHOWN_NAMES) -> str:
    """Lists names for a message; what goes beyond `shown` is counted.

    Example:
        >>> listing("abcd", shown=2)
        'a, b and 2 more'
    """
    words = [printable(name) for name in names]
    if len(words) <= shown:
        return ", ".join(words)
    return f"{', '.join(words[:shown])} and {len(words) - shown} more"
