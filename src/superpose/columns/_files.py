"""Opening files that people name: what is missing, empty or in another encoding is refused."""

import codecs
import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TextIO

from superpose.errors import DataError, SuperposeError, did_you_mean, location, message

# 1 MiB: large enough that decoding, not reading, takes the time.
_PIECE = 1 << 20
# Of a file that is read into memory whole: graphs, synonyms and annotations of the largest public
# sets have less than half of it.
MOST_BYTES = 1 << 30
_SORTS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}


def require_regular(path: str | PathLike[str]) -> os.stat_result:
    """Makes sure, without opening it, that a path leads to a regular file: others may never end.

    Returns:
        What the system tells of the file.

    Raises:
        OSError: there is no such file, or it is a folder, a pipe, a socket or a device.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        sort = next((word for is_a, word in _SORTS.items() if is_a(status.st_mode)), "no file")
        raise OSError(f"{sort} given, not a regular file")
    return status


def read_whole(path: str | PathLike[str], most: int = MOST_BYTES) -> bytes:
    """Reads a regular file whose size is known to fit.

    Args:
        path: the file.
        most: bytes that it may have.

    Raises:
        OSError: what `require_regular` finds, or the file is larger.
    """
    size = require_regular(path).st_size
    if size > most:
        raise OSError(f"{size:,} bytes, more than the {most:,} that are read")
    return Path(path).read_bytes()


def local_path(path: str | PathLike[str], error: type[SuperposeError] = DataError) -> Path:
    """A path with `~` as the home folder.

    Args:
        path: as the user wrote it.
        error: the class of the error that is raised.

    Raises:
        SuperposeError: an address, such as one that starts with https:// or s3://.
    """
    # As a `Path` an address has one slash only; a drive of Windows has one letter.
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", text := str(path)):
        given = "an address given; nothing is read from or written to the net"
        fix = "download the file or mount its folder, and name its path"
        text = re.sub("^([^:]+):/+", r"\1://", text)
        raise error(message(text, given, "a path on this machine", fix=fix))
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~name, and nobody has that name
        return Path(path)


def require_file(path: Path, error: type[SuperposeError] = DataError) -> None:
    """Makes sure that a path leads to a file with something in it.

    Args:
        path: the file as the user named it.
        error: the class of the error that is raised.

    Raises:
        SuperposeError: there is no such file, it is a folder, a pipe, a socket or a device, it may
            not be read, or it is empty.
    """
    where = location(file=path)
    try:
        if path.is_dir():
            raise error(message(where, "a folder given", "a file"))
        if not path.exists():
            raise error(message(where, "no such file", fix=_nearby(path)))
        if require_regular(path).st_size == 0:
            raise error(message(where, "the file is empty", fix="fill it or name another"))
    except OSError as fault:
        if fault.strerror is None:  # our own word on what the path leads to
            given = str(fault).split(",")[0]
            fix = "write its content into a file and name that"
            raise error(message(where, given, "a regular file", fix=fix)) from None
        raise error(message(where, f"can't be read ({fault.strerror})")) from fault


def _nearby(path: Path) -> str:
    """What to do about a file that is not there: a near name, or which folder is missing."""
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist either"
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    return did_you_mean(path.name, names) or f"look into {folder.resolve()}"


def read_text(path: Path, error: type[SuperposeError], most: int = MOST_BYTES) -> str:
    """Reads a whole file as UTF-8.

    Args:
        path: the file.
        error: the class of the error that is raised.
        most: bytes that it may have.

    Raises:
        SuperposeError: what `require_file` and `require_utf8` find, or the file is larger.
    """
    require_file(path, error)
    if (size := path.stat().st_size) > most:
        raise error(message(location(file=path), f"{size:,} bytes given", f"at most {most:,}"))
    require_utf8(path, error)
    return path.read_text(encoding="utf-8-sig")


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Opens a text file, gzipped or not; bytes that are no UTF-8 are kept as marks."""
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
        yield file


def require_utf8(path: Path, error: type[SuperposeError] = DataError) -> None:
    """Makes sure that a text file is UTF-8, with or without a byte order mark.

    Args:
        path: the file; one that ends in .gz is unpacked on the way.
        error: the class of the error that is raised.

    Raises:
        SuperposeError: names the first byte that is no UTF-8, its line, and how to mend it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, line = 0, 1
    packed = path.suffix == ".gz"
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            while True:
                piece = file.read(_PIECE)
                # A character cut by the end of the piece before waits in the decoder.
                waiting = decoder.getstate()[0]
                try:
                    decoder.decode(piece, final=not piece)
                except UnicodeDecodeError as fault:
                    bad = (waiting + piece)[fault.start]
                    offset += fault.start - len(waiting)
                    line += (waiting + piece)[: fault.start].count(b"\n")
                    guess, convert = _conversion(path, waiting + piece)
                    raise error(
                        message(
                            location(file=path, line=line),
                            f"byte {offset} (0x{bad:02x}) is not UTF-8{guess}",
                            "UTF-8",
                            fix=convert,
                        )
                    ) from None
                if not piece:
                    return
                offset += len(piece)
                line += piece.count(b"\n")
    except (OSError, EOFError, zlib.error) as fault:
        raise error(message(location(file=path), f"can't be read ({fault})")) from fault


def _conversion(path: Path, piece: bytes) -> tuple[str, str]:
    """What the encoding of a file seems to be, and the command that converts it.

    Args:
        path: the file.
        piece: the bytes around the first one that is no UTF-8.
    """
    high = len(re.findall(rb"[\x80-\xff]", piece))
    # Frequent characters of GB 2312 and its punctuation; two accented letters of Western text that
    # stand together are hardly ever such a pair.
    in_pairs = 2 * len(re.findall(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]", piece))
    if piece[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        name = "utf-16"
    elif b"\0" in piece:
        return " and seems to be no text at all", "name a CSV, TSV or JSONL file"
    # Chinese text comes in pairs of high bytes; accents of Western text mostly stand alone.
    elif in_pairs >= 0.7 * high:
        name = "gb18030"
    else:
        name = "cp1252"
    if path.suffix == ".gz":
        return f" but seems to be {name}", "unpack the file and save it as UTF-8"
    fresh = f"{path.stem}-utf8{path.suffix}"
    return (
        f" but seems to be {name}",
        f'convert it with: iconv -f {name} -t utf-8 "{path.name}" > "{fresh}"',
    )
