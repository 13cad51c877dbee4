"""Variations of series and sounds while networks learn: as far as the settings want them."""

import pytest
import torch

from superpose.kinds import INPUT_KINDS
from superpose.nn import SeriesAugment, SoundAugment, augment_of

STILL = {"noise": 0.0, "scale": 0.0, "mask": 0.0, "warp": 0.0}
QUIET = {"volume": 0.0, "noise": 0.0, "time": 0.0, "bands": 0.0, "shift": 0.0}


def ramp(networks=2, rows=40, steps=20, channels=3):
    line = torch.arange(1.0, steps + 1)[:, None].expand(steps, channels)
    return line.expand(networks, rows, steps, channels).clone()


def series(block, seed=0, **options):
    torch.manual_seed(seed)
    return SeriesAugment(**{**STILL, **options})(block)[0]


def sound(block, seed=0, **options):
    torch.manual_seed(seed)
    return SoundAugment(**{**QUIET, **options})(block)[0]


@pytest.mark.parametrize("vary", [series, sound])
def test_without_any_change_values_stay_as_they_are(vary):
    assert torch.equal(vary(ramp()), ramp())


def test_the_same_seed_varies_alike_and_another_one_does_not():
    for vary, options in ((series, {"noise": 0.3, "warp": 0.2}), (sound, {"bands": 0.4})):
        assert torch.equal(vary(ramp(), 1, **options), vary(ramp(), 1, **options))
        assert not torch.equal(vary(ramp(), 1, **options), vary(ramp(), 2, **options))


def test_channels_are_scaled_as_a_whole():
    ratio = series(ramp(), scale=0.2) / ramp()
    torch.testing.assert_close(ratio, ratio[:, :, :1].expand_as(ratio))
    assert 0.8 <= float(ratio.min()) < 0.85
    assert 1.15 < float(ratio.max()) <= 1.2


def test_a_run_of_steps_is_hidden_and_gaps_stay_gaps():
    block = ramp()
    block[:, :, 4] = torch.nan
    gone = series(block, mask=0.5, noise=0.1).isnan()
    assert gone[:, :, 4].all()
    runs = gone.all(-1).flatten(0, 1).float().sum(-1)
    assert 1 < runs.mean() < 8
    assert runs.max() <= 11


def test_time_bends_forwards_only_and_both_ends_stay():
    bent = series(ramp(), warp=0.3)
    assert (bent.diff(dim=2) >= 0).all()
    assert torch.equal(bent[:, :, [0, -1]], ramp()[:, :, [0, -1]])
    assert not torch.equal(bent, ramp())


def test_bands_are_hidden_side_by_side_and_sounds_move_in_time():
    hidden = sound(ramp(channels=10), bands=0.5) == 0
    assert torch.equal(hidden.any(2), hidden.all(2)), "a band is hidden over the whole sound"
    assert 0.1 < hidden.float().mean() < 0.4
    moved = sound(ramp(), shift=0.4)
    assert (moved.diff(dim=2) >= 0).all()
    assert 4 < float((moved - ramp()).abs().max()) <= 8


def test_series_are_augmented_only_where_the_settings_want_it():
    import pyarrow as pa

    values = pa.chunked_array([[[1.0, 3.0], [5.0, 2.0]]])
    Kind = INPUT_KINDS["series"]
    assert augment_of(Kind.fit("load", values)) is None
    assert augment_of(Kind.fit("load", values, augment="off")) is None
    assert augment_of(Kind.fit("load", values, augment={"warp": 0.1})).warp == 0.1
