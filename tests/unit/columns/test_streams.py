"""Sound files whose heads don't tell their length are read to the end, and counted."""

import struct

import numpy as np
import pyarrow as pa
import pytest

from superpose.columns._streams import is_stream
from superpose.errors import DataError
from superpose.kinds import INPUT_KINDS
from superpose.kinds.sound._mel import seconds_of, wave

soundfile = pytest.importorskip("soundfile")
Kind = INPUT_KINDS["audio"]
RATE = 8000
TONE = (0.5 * np.sin(2 * np.pi * 300 * np.arange(RATE // 2) / RATE)).astype(np.float32)
SIZES = [0, 2**32 - 1, 2**32 - 37, 2**31 - 1, 2**31 - 37, 2**31]


def col(values):
    return pa.chunked_array([pa.array(values, pa.string())])


def stream(folder, size, name="s.wav", samples=TONE):
    soundfile.write(folder / name, samples, RATE)
    content = bytearray((folder / name).read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", size)
    (folder / name).write_bytes(content)
    return str(folder / name)


@pytest.mark.parametrize("size", SIZES)
def test_a_stream_is_read_to_its_end_and_counted(tmp_path, size):
    path = stream(tmp_path, size)
    assert is_stream(path)
    assert seconds_of(path) == 0.5
    np.testing.assert_allclose(wave(path, RATE, 1.0), TONE, atol=1e-4)
    kind = Kind.fit("s", col(["s.wav", None]), folder=str(tmp_path), rate=RATE)
    assert (
        "1 of 1 training sounds are streams whose heads don't tell the length"
        in (kind.conversions[0])
    )


def test_a_file_that_was_cut_off_is_no_stream(tmp_path):
    soundfile.write(tmp_path / "a.wav", TONE, RATE)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[: len(whole) // 2])
    assert not is_stream(tmp_path / "a.wav")
    with pytest.raises(DataError, match=r"row 0: .* it breaks off: 3978 of 8000 bytes"):
        Kind.fit("s", col(["a.wav"]), folder=str(tmp_path), rate=RATE)


def test_an_empty_sound_with_remarks_behind_it_is_empty(tmp_path):
    path = stream(tmp_path, 0, samples=np.zeros(0))
    with open(path, "ab") as file:
        file.write(b"LIST\x04\0\0\0INFO")
    assert not is_stream(path)
    with pytest.raises(ValueError, match="there is no sound in it"):
        wave(path, RATE, 1.0)


def test_flac_without_a_length_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.flac", TONE, RATE)
    content = bytearray((tmp_path / "a.flac").read_bytes())
    head = int.from_bytes(content[18:26], "big")  # its last 36 bits are the number of samples
    content[18:26] = (head >> 36 << 36).to_bytes(8, "big")
    (tmp_path / "a.flac").write_bytes(content)
    assert seconds_of(str(tmp_path / "a.flac")) == 0
    with pytest.raises(ValueError, match="its head does not tell its length; convert it to WAV"):
        wave(str(tmp_path / "a.flac"), RATE, 1.0)


@pytest.mark.parametrize("form", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_samples_of_every_width_sound_the_same(tmp_path, form):
    soundfile.write(tmp_path / "a.wav", TONE, RATE, subtype=form)
    np.testing.assert_allclose(wave(str(tmp_path / "a.wav"), RATE, 1.0), TONE, atol=0.01)


@pytest.mark.parametrize("ending", ["aiff", "au"])
def test_other_files_that_were_cut_off_are_named(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    soundfile.write(path, TONE, RATE)
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(ValueError, match="it breaks off"):
        wave(str(path), RATE, 1.0)


def test_paths_written_for_windows_are_found_and_noted(tmp_path):
    stream(tmp_path, 8000)
    kind = Kind.fit("s", col(["D:\\rec\\s.wav"]), folder=str(tmp_path), rate=RATE)
    assert kind.count == 1
    assert "1 paths are written for Windows; D:\\rec\\s.wav is read from" in kind.conversions[0]
