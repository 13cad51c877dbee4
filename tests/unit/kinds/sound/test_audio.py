"""Sounds: read from paths as spectrograms, with clear words about those that can't be."""

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap

from superpose.config import Config
from superpose.data import read_table
from superpose.errors import DataError, MissingExtraError
from superpose.kinds import INPUT_KINDS
from superpose.kinds.sound._mel import log_mel
from superpose.nn import AudioEncoder, SoundAugment, augment_of
from superpose.prepare import prepare

soundfile = pytest.importorskip("soundfile")
Kind = INPUT_KINDS["audio"]
USUAL = SoundAugment(volume=0.3, noise=0.1, time=0.1, bands=0.0, shift=0.0)
RATE = 8000


def col(values):
    return pa.chunked_array([pa.array(values, pa.string())])


def tone(hertz, seconds=0.5, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


@pytest.fixture
def folder(tmp_path):
    soundfile.write(tmp_path / "low.wav", tone(300), RATE)
    soundfile.write(tmp_path / "high.flac", tone(3000, rate=16000), 16000)
    soundfile.write(tmp_path / "stereo.wav", np.stack([tone(300)] * 2, 1), RATE)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    whole = (tmp_path / "low.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.wav").write_text("no sound")
    return tmp_path


def fitted(folder, **options):
    return Kind.fit("s", col(["low.wav", "high.flac"]), folder=str(folder), rate=RATE, **options)


def test_sounds_become_standardised_spectrograms(folder):
    kind = fitted(folder)
    block = kind.encode(col(["low.wav", None, "high.flac"]), str(folder))
    assert kind.seconds == 0.5
    assert block.shape == (3, 50, 40)
    assert np.isnan(block[1]).all()
    np.testing.assert_allclose(block[[0, 2]].mean(axis=(0, 1)), 0, atol=1e-4)


def test_a_higher_tone_is_loudest_in_a_higher_band():
    lower = log_mel(tone(1000), 8000, seconds=0.5, mels=40).mean(0).argmax()
    higher = log_mel(tone(2000), 8000, seconds=0.5, mels=40).mean(0).argmax()
    assert lower < higher


def test_other_rates_and_two_channels_sound_the_same(folder):
    kind = fitted(folder)
    soundfile.write(folder / "fine.wav", tone(300, rate=44100), 44100)
    block = kind.encode(col(["low.wav", "stereo.wav", "fine.wav"]), str(folder))
    np.testing.assert_array_equal(block[0], block[1])
    loud = block[0].mean(axis=0) > 0
    np.testing.assert_allclose(block[2].mean(axis=0)[loud], block[0].mean(axis=0)[loud], atol=0.3)


def test_longer_sounds_are_read_from_their_start_and_shorter_ones_end_in_silence(folder):
    kind = fitted(folder, seconds=0.2)
    assert kind.encode(col(["low.wav"]), str(folder)).shape == (1, 20, 40)
    soundfile.write(folder / "short.wav", tone(300, 0.1), RATE)
    block = kind.encode(col(["short.wav"]), str(folder))[0]
    assert block[:8].max() > block[12:].max()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("gone.wav", "no such file"),
        ("empty.wav", "there is no sound in it"),
        ("cut.wav", "it breaks off"),
        ("text.wav", "Format not recognised"),
    ],
)
def test_an_unreadable_sound_names_row_and_path(folder, path, reason):
    with pytest.raises(
        DataError, match=f"column 's', row 1: sound .*{path} can't be read: "
    ) as caught:
        fitted(folder).encode(col(["low.wav", path]), str(folder))
    assert reason in str(caught.value)
    assert "leave the cell empty" in str(caught.value)


def test_unreadable_sounds_count_as_missing_where_they_are_skipped(folder):
    paths = ["low.wav", "cut.wav", "high.flac", "gone.wav", None]
    kind = Kind.fit("s", col(paths), folder=str(folder), rate=RATE, on_error="skip")
    message = "input 's': 2 of 5 sounds can't be read and count as missing; the first is cut.wav in"
    with pytest.warns(UserWarning, match=rf"{message} row 1: it breaks off"):
        block = kind.encode(col(paths), str(folder))
    assert np.isnan(block[:, 0, 0]).tolist() == [False, True, False, True, True]
    assert kind.seconds == 0.5, "files that can't be read are no short sounds"
    np.testing.assert_array_equal(block[[0, 2]], fitted(folder).encode(col(paths[::2][:2]), folder))


def test_an_input_of_unreadable_sounds_alone_says_nothing(folder):
    kind = Kind.fit("s", col(["cut.wav"] * 3), folder=str(folder), on_error="skip")
    assert kind.drop_reason == "no sound that can be read"


def test_the_report_counts_the_sounds_that_were_skipped(folder):
    rows = pa.table({"s": ["low.wav", "cut.wav", "high.flac"] * 10, "y": [0.0, 1.0, 2.0] * 10})
    pa.csv.write_csv(rows, folder / "rows.csv")
    wanted = {"name": "s", "kind": "audio", "rate": RATE, "on_error": "skip"}
    config = Config.from_arguments(targets=["y"], inputs=[wanted])
    with pytest.warns(UserWarning, match="can't be read"):
        result = prepare(read_table(folder / "rows.csv"), config)
    assert [w for w in result.warnings if "10 of 30 sounds can't be read" in w]


def test_without_soundfile_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtraError, match=r"superpose\[audio\]"):
        Kind.fit("s", col(["low.wav"]))


def test_trees_read_mean_and_spread_of_each_band(folder):
    matrix, _, names = fitted(folder).features(col(["low.wav", None]), str(folder))
    assert matrix.shape == (2, 80) == (2, len(names))
    assert np.isnan(matrix[1]).all()


def test_the_state_survives_json(folder):
    kind = fitted(folder)
    again = Kind.from_state(json.loads(json.dumps(kind.state())))
    some = col(["low.wav"])
    np.testing.assert_array_equal(again.encode(some, str(folder)), kind.encode(some, str(folder)))


def test_variations_keep_missing_sounds_missing_and_change_the_others():
    torch.manual_seed(0)
    block = torch.zeros(2, 3, 20, 8)
    block[0, 1] = torch.nan
    vectors, followed = USUAL(block)
    assert followed is None
    assert vectors.shape == block.shape
    assert vectors[0, 1].isnan().all()
    assert (vectors[1] != 0).any()
    assert not vectors[1].isnan().any()


def test_how_sounds_are_varied_is_set_part_by_part(folder):
    assert augment_of(fitted(folder, augment="off")) is None
    assert augment_of(fitted(folder, augment=False)) is None
    requested = augment_of(fitted(folder, augment={"bands": 0.3}))
    assert (requested.bands, requested.volume) == (0.3, 0.3)
    assert augment_of(fitted(folder)) == USUAL


def test_the_encoder_runs_for_folds_in_one_pass_and_rows_alone():
    torch.manual_seed(0)
    several = [AudioEncoder(40, 8).eval() for _ in range(2)]
    weights, buffers = stack_module_state(several)
    x = torch.randn(2, 3, 45, 40)
    x[0, 0] = torch.nan

    def one(weights, buffers, rows):
        return functional_call(several[0], (weights, buffers), (rows,))

    result = vmap(one)(weights, buffers, x)
    assert torch.isfinite(result).all()
    assert (result[0, 0] == 0).all(), "a row without a sound must not drown the other inputs"
    for encoder, rows, token in zip(several, x, result, strict=True):
        torch.testing.assert_close(encoder(rows), token, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(encoder(rows[1:2]), token[1:2], atol=1e-5, rtol=1e-4)
        assert encoder.map(rows).shape[-2] == encoder.seen(rows).shape[-1]
