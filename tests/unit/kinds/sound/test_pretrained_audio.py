"""Sounds by a pretrained model: small checkpoints made here go every way that large ones go."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose import Superpose
from superpose.errors import DataError
from superpose.kinds import INPUT_KINDS
from superpose.nn import BACKBONES, encoder_of

transformers = pytest.importorskip("transformers")
soundfile = pytest.importorskip("soundfile")
Kind = INPUT_KINDS["pretrained-audio"]
LOAD = {"load_backbone": lambda: BACKBONES["pretrained-audio"]}  # as the codec hands it
RATE = 4000
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8, 8],
    "conv_kernel": [10, 4],
    "conv_stride": [10, 4],
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
PREPARE = {"sampling_rate": RATE, "do_normalize": True, "feature_size": 1}
FAMILIES = ("wav2vec2", "hubert", "wavlm")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    torch.manual_seed(0)
    t, result = transformers, {}
    for name, model in (
        ("wav2vec2", t.Wav2Vec2Model(t.Wav2Vec2Config(feat_extract_norm="layer", **SMALL))),
        ("hubert", t.HubertModel(t.HubertConfig(feat_extract_norm="group", **SMALL))),
        ("wavlm", t.WavLMModel(t.WavLMConfig(feat_extract_norm="layer", **SMALL))),
    ):
        result[name] = tmp_path_factory.mktemp(name)
        model.save_pretrained(result[name])
        (result[name] / "preprocessor_config.json").write_text(json.dumps(PREPARE))
    return result


@pytest.fixture(scope="module")
def sounds(tmp_path_factory) -> pa.Table:
    """Tones of two pitches that rise or fall, of several lengths and rates."""
    folder, rng = tmp_path_factory.mktemp("sounds"), np.random.default_rng(0)
    rows = {"sound": [], "pitch": [], "loud": []}
    for n in range(60):
        rate = RATE * (1 + n % 3)
        at = np.arange(int(rate * rng.uniform(0.1, 0.2))) / rate
        tone = np.sin(2 * np.pi * (200, 900)[n % 2] * at) * np.linspace(
            *((0, 1), (1, 0))[n // 2 % 2], len(at)
        )
        rows["sound"].append(str(folder / f"{n}.wav"))
        soundfile.write(rows["sound"][-1], 0.5 * tone + 0.01 * rng.normal(size=len(at)), rate)
        rows["pitch"].append(("low", "high")[n % 2])
        rows["loud"].append(("rises", "falls")[n // 2 % 2])
    return pa.table(rows)


def fitted(folder, sounds, **options):
    return Kind.fit("sound", sounds["sound"].slice(0, 6), encoder=str(folder), **options, **LOAD)


def col(*values):
    return pa.chunked_array([pa.array(values, pa.string())])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_sound_is_the_mean_over_its_own_frames(checkpoints, sounds, name):
    kind = fitted(checkpoints[name], sounds)
    path = sounds["sound"][0].as_py()
    wave, _ = soundfile.read(path, dtype="float32")
    read = torch.from_numpy((wave - wave.mean()) / np.sqrt(wave.var() + 1e-7))[None]
    model = transformers.AutoModel.from_pretrained(checkpoints[name]).eval()
    with torch.no_grad():
        expected = model(read).last_hidden_state[0].mean(0).numpy()
    vectors, codes, names = kind.features(col(path, None), **LOAD)
    np.testing.assert_allclose(vectors[0], expected, atol=1e-5)
    assert np.isnan(vectors[1]).all()
    assert (len(names), any(codes)) == (16, False)
    assert kind.encode(col(None, path), **LOAD).shape == (2, 16)
    assert Kind.from_state(json.loads(json.dumps(kind.state()))) == kind


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("train", ["adapters", "all"])
def test_a_trained_model_starts_as_others_have_trained_it(checkpoints, sounds, name, train):
    kind = fitted(checkpoints[name], sounds, train=train)
    values = col(*sounds["sound"].slice(0, 3).to_pylist(), None)
    block = torch.from_numpy(kind.encode(values, **LOAD))
    assert block.shape == (4, round(kind.seconds * RATE))
    encoder = encoder_of([kind], 4).eval()
    token = encoder(block)
    assert (token[3] == 0).all()
    torch.testing.assert_close(encoder(block[1:2])[0], token[1], atol=1e-5, rtol=1e-5)
    expected = (kind.features(values, **LOAD)[0][:3] - kind.mean) / kind.scale
    if name != "hubert":  # whose first norm is over time, and hears what fills a row
        np.testing.assert_allclose(token[:3, 0].detach(), expected, atol=1e-3)
    token[3].sum().backward(retain_graph=True)
    assert all(w.grad is None or (w.grad == 0).all() for w in encoder.parameters())
    token.square().sum().backward()
    learned = [n for n, w in encoder.named_parameters() if w.grad is not None and w.grad.any()]
    assert learned
    assert not any("feature_extractor" in n for n in learned)
    if train == "adapters":
        assert all("lora" in n for n in learned)


@pytest.mark.parametrize(("name", "train"), [("wav2vec2", "nothing"), ("hubert", "all")])
def test_it_learns_is_saved_and_answers_alike(checkpoints, sounds, tmp_path, name, train):
    copy = shutil.copytree(checkpoints[name], tmp_path / "copy")
    sound = {"name": "sound", "kind": "pretrained-audio", "encoder": str(copy), "train": train}
    model = Superpose(
        ["pitch", "loud"],
        inputs=[{**sound, "rate": 0.3}],
        model={"width": 16, "members": 2, "given": False},
        training={"epochs": 10, "batch_size": 8, "learning_rate": 0.01},
        proof={"references": "none", "folds": 1},
    ).fit(sounds)
    assert model.evaluate(sounds)["pitch"]["accuracy"] > 0.85
    model.save(tmp_path / "bundle")
    rows = sounds.slice(0, 5).select(["sound"])
    pred = model.predict_proba(rows)
    if train == "all":
        shutil.rmtree(copy)  # the weights travel in the bundle
    assert Superpose.load(tmp_path / "bundle").predict_proba(rows).equals(pred)


def test_a_checkpoint_that_does_not_serve_is_one_clear_error(checkpoints, sounds, tmp_path):
    def fault(folder):
        with pytest.raises(DataError) as caught:
            fitted(folder, sounds)
        return str(caught.value)

    config = transformers.BertConfig(
        vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    assert "lacks preprocessor_config.json; allowed: config.json, " in fault(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text("{}")
    assert "has the sampling_rate None; allowed: a whole number in hertz" in fault(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PREPARE))
    assert "a model of type bert reads input_ids, not a waveform" in fault(tmp_path)


def test_a_sound_shorter_than_a_frame_still_has_one(checkpoints, sounds, tmp_path):
    soundfile.write(tmp_path / "click.wav", np.ones(12) * 0.1, RATE)
    kind = fitted(checkpoints["wav2vec2"], sounds)
    assert np.isfinite(kind.encode(col(str(tmp_path / "click.wav")), **LOAD)).all()
