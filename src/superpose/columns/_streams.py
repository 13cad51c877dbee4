"""Sound files that were written as streams: their heads don't tell how much sound there is."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import Any, NamedTuple

# Programs that don't know the length yet write the largest number that fits, or nearly so: 2^32 - 1
# (ffmpeg), 2^31 - 1 less a head (sox), 2^31 (arecord).
LARGEST = (2**31, 2**32)
NEAR = 2**16
# libsndfile gives 2^63 - 1 frames where the head of a FLAC file has none.
UNKNOWN_FRAMES = 2**62
KNOWN = (b"LIST", b"fact", b"PEAK", b"bext", b"cue ", b"smpl", b"inst", b"id3 ", b"ID3 ", b"JUNK")


class _Data(NamedTuple):
    """The samples of a WAV file: where they begin, how many the head states and there are."""

    start: int
    stated: int
    there: int


def _data_of(path: str | Path) -> _Data | None:
    """Where the samples of a WAV file are; None in files of other formats."""
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        while len(chunk := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", chunk)
            if name == b"data":
                start = file.tell()
                there = os.fstat(file.fileno()).st_size - start
                # Of an empty sound nothing follows but remarks.
                if size == 0 and file.read(4) in KNOWN:
                    there = 0
                return _Data(start, size, there)
            file.seek(size + size % 2, os.SEEK_CUR)
    return None


def is_stream(path: str | Path) -> bool:
    """Whether the head of a WAV file leaves the length open, or states one that can't be meant."""
    data = _data_of(path)
    if data is None or data.there == 0:
        return False
    near = any(abs(data.stated - largest) <= NEAR for largest in LARGEST)
    return data.stated == 0 or (near and data.there < data.stated)


def readable_sound(path: str) -> Any:
    """What soundfile reads a file from: its path, or its content with the length filled in.

    libsndfile reads to the end where the length is too large, and nothing where it is 0.
    """
    data = _data_of(path)
    if data is None or data.stated or not data.there:
        return path
    content = bytearray(Path(path).read_bytes())
    content[data.start - 4 : data.start] = struct.pack("<I", min(data.there, 2**32 - 1))
    return io.BytesIO(content)
