"""Images by a pretrained model: small checkpoints made here go every way that large ones go."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.numpy import load_file, save_file

from superpose import Superpose
from superpose.errors import ConfigError, DataError
from superpose.kinds import INPUT_KINDS
from superpose.nn import BACKBONES, encoder_of

transformers = pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")
Kind = INPUT_KINDS["pretrained-image"]
LOAD = {"load_backbone": lambda: BACKBONES["pretrained-image"]}  # as the codec hands it
SIDE = 32
PREPARE = {
    "do_normalize": True,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.25, 0.3],
    "size": {"height": SIDE, "width": SIDE},
}


def models():
    small = {"hidden_sizes": [8, 16], "depths": [1, 1]}
    t = transformers
    return {
        "vit": t.ViTModel(
            t.ViTConfig(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                image_size=SIDE,
                patch_size=8,
            ),
            add_pooling_layer=False,
        ),
        "resnet": t.ResNetModel(
            t.ResNetConfig(
                embedding_size=8, layer_type="basic", downsample_in_first_stage=False, **small
            )
        ),
        "convnext": t.ConvNextModel(t.ConvNextConfig(num_stages=2, **small)),
        "swin": t.SwinModel(
            t.SwinConfig(
                image_size=SIDE,
                patch_size=4,
                embed_dim=8,
                depths=[1, 1],
                num_heads=[2, 2],
                window_size=4,
                drop_path_rate=0.0,
            ),
            add_pooling_layer=False,
        ),
        "dinov2": t.Dinov2Model(
            t.Dinov2Config(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                image_size=SIDE,
                patch_size=8,
            )
        ),
    }


FAMILIES = ("vit", "resnet", "convnext", "swin", "dinov2")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    torch.manual_seed(0)
    result = {}
    for name, model in models().items():
        if name == "resnet":  # as after training: statistics that are not those of a fresh norm
            for norm in model.modules():
                if isinstance(norm, torch.nn.BatchNorm2d):
                    norm.running_mean.normal_(0, 0.3)
                    norm.running_var.uniform_(0.5, 2)
                    torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        result[name] = tmp_path_factory.mktemp(name)
        model.save_pretrained(result[name])
        (result[name] / "preprocessor_config.json").write_text(json.dumps(PREPARE))
    return result


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> pa.Table:
    """A square on noise: its colour, where it is, and its mask."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    rows = {"image": [], "mask": [], "shade": [], "side": []}
    for n in range(60):
        pixels = rng.integers(100, 150, (SIDE, SIDE, 3)).astype(np.uint8)
        ids = np.zeros((SIDE, SIDE), np.uint8)
        y, x = 8 * rng.integers(0, 3, 2)
        pixels[y : y + 16, x : x + 16] = 250 if n % 2 else 5
        ids[y : y + 16, x : x + 16] = 1
        for name, array in (("image", pixels), ("mask", ids)):
            rows[name].append(str(folder / f"{n}-{name}.png"))
            Image.fromarray(array).save(rows[name][-1])
        rows["shade"].append("bright" if n % 2 else "dark")
        rows["side"].append("left" if x == 0 else "right")
    return pa.table(rows)


def fitted(folder, photos, **options):
    return Kind.fit("image", photos["image"].slice(0, 8), encoder=str(folder), **options, **LOAD)


def by_hand(name, folder, path):
    """What transformers says of one image: its last hidden states."""
    pixels = torch.from_numpy(np.asarray(Image.open(path).convert("RGB")).copy()).float() / 255
    mean, scale = (torch.tensor(PREPARE[f"image_{x}"]) for x in ("mean", "std"))
    read = ((pixels - mean) / scale).permute(2, 0, 1)[None]
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        return model(pixel_values=read).last_hidden_state[0]


@pytest.mark.parametrize(
    ("name", "stride", "tokens"),
    [
        ("vit", 8, 2),
        ("resnet", 8, 1),
        ("convnext", 8, 1),
        ("swin", 8, 1),
        ("dinov2", 8, 2),
    ],
)
def test_the_vector_and_the_map_are_what_transformers_says(
    checkpoints, photos, name, stride, tokens
):
    kind = fitted(checkpoints[name], photos, mapped=True)
    assert (kind.stride, kind.grid, kind.tokens) == (stride, (4, 4), tokens)
    hidden = by_hand(name, checkpoints[name], photos["image"][0].as_py())
    positions = hidden.flatten(1).T if hidden.ndim == 3 else hidden[-16:]
    first = [hidden[0]] if tokens == 2 else []
    expected = torch.cat([*first, positions.mean(0)]).numpy()
    values = pa.chunked_array([[photos["image"][0].as_py(), None]])
    vectors, _, names = kind.features(values, **LOAD)
    assert len(names) == vectors.shape[1]
    np.testing.assert_allclose(vectors[0], expected, atol=1e-5)
    assert np.isnan(vectors[1]).all()
    block = kind.encode(values, **LOAD)
    assert block.dtype == np.float16
    np.testing.assert_allclose(block[0, tokens:], positions.numpy(), atol=5e-3)
    assert np.isnan(block[1]).all()
    whole = block[0, :tokens].ravel() * np.array(kind.scale) + kind.mean
    np.testing.assert_allclose(whole, expected, atol=2e-2)
    assert Kind.from_state(json.loads(json.dumps(kind.state()))) == kind


def test_the_head_of_another_task_is_left_out(checkpoints, photos, tmp_path):
    vit = transformers.ViTForImageClassification(
        transformers.ViTConfig.from_pretrained(checkpoints["vit"])
    )
    vit.vit.load_state_dict(
        transformers.ViTModel.from_pretrained(
            checkpoints["vit"], add_pooling_layer=False
        ).state_dict()
    )
    vit.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PREPARE))
    values = photos["image"].slice(0, 2)
    bare, headed = (
        fitted(folder, photos).features(values, **LOAD)[0]
        for folder in (checkpoints["vit"], tmp_path)
    )
    np.testing.assert_array_equal(bare, headed)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("train", ["adapters", "all"])
def test_a_trained_model_starts_as_others_have_trained_it(checkpoints, photos, name, train):
    kind = fitted(checkpoints[name], photos, train=train, rate=0.1, decay=0.5)
    block = kind.encode(
        pa.chunked_array([[*photos["image"].slice(0, 3).to_pylist(), None]]), **LOAD
    )
    assert block.dtype == np.uint8
    encoder = encoder_of([kind], 4)
    encoder.open_map()
    encoder.train()  # a norm over the batch must not learn of the batch, and has no say in it
    token, positions = encoder.token_and_map(torch.from_numpy(block))
    width = len(kind.mean)
    expected = (kind.features(photos["image"].slice(0, 3), **LOAD)[0] - kind.mean) / kind.scale
    np.testing.assert_allclose(token[:3, 0, :width].detach(), expected, atol=2e-4)
    alone = encoder.token_and_map(torch.from_numpy(block[1:2]))[0]
    torch.testing.assert_close(alone[0], token[1], atol=1e-5, rtol=1e-5)
    assert (token[3] == 0).all()
    assert positions.shape == (4, 16, encoder.map_features)
    token[3].sum().backward(retain_graph=True)
    assert all(w.grad is None or (w.grad == 0).all() for w in encoder.parameters())
    token.sum().backward()
    trained = [n for n, w in encoder.model.named_parameters() if w.requires_grad]
    if train == "adapters":
        assert trained
        assert all("lora" in n for n in trained)
    else:
        assert len(trained) == len(list(encoder.model.parameters()))
        shares = [w.rate for w in encoder.model.parameters()]
        assert min(shares) == pytest.approx(0.1 * 0.5**2)
        assert max(shares) == pytest.approx(0.1)
        learned = [w.grad is not None and bool(w.grad.any()) for w in encoder.model.parameters()]
        assert np.mean(learned) > 0.8


@pytest.mark.parametrize(
    ("name", "train"), [("vit", "nothing"), ("resnet", "all"), ("resnet", "adapters")]
)
def test_it_learns_is_saved_and_answers_alike(checkpoints, photos, tmp_path, name, train):
    copy = shutil.copytree(checkpoints[name], tmp_path / "copy")
    image = {"name": "image", "kind": "pretrained-image", "encoder": str(copy)}
    model = Superpose(
        ["shade", {"name": "mask", "kind": "mask"}],
        inputs=[{**image, "train": train, "rate": 0.5}],
        split={"validation": 0.2, "test": 0.2},
        model={"width": 16, "members": 2, "given": False},
        training={"epochs": 9, "batch_size": 8, "learning_rate": 0.01},
        proof={"references": "none", "folds": 1},
    ).fit(photos)
    metrics = model.record.metrics
    assert metrics["shade"]["deployed"]["accuracy"] > 0.85
    assert metrics["mask"]["deployed"]["score"] > 0.2
    model.save(tmp_path / "bundle")
    rows = photos.slice(0, 5).select(["image"])
    pred = model.predict(rows)
    if train != "nothing":
        shutil.rmtree(copy)  # the weights travel in the bundle
    again = Superpose.load(tmp_path / "bundle")
    assert again.predict(rows).equals(pred)
    assert again.predict(rows.slice(2, 1))["mask"].equals(pred["mask"].slice(2, 1))
    if train == "nothing":
        page = again.report(tmp_path / "r.html").read_text(encoding="utf-8")
        assert page.count("data:image/png;base64,") == 6


def fault(encoder, photos, **options):
    with pytest.raises(DataError) as caught:
        fitted(encoder, photos, **options)
    return str(caught.value)


def test_a_checkpoint_that_lacks_something_is_one_clear_error(checkpoints, photos, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert fault(tmp_path, photos).startswith(
        f"column 'image': the folder {tmp_path} lacks model.safetensors, preprocessor_config.json; "
    )
    poor = tmp_path / "poor"
    shutil.copytree(checkpoints["vit"], poor)
    weights = load_file(poor / "model.safetensors")
    weights.pop(sorted(weights)[0])
    save_file(weights, poor / "model.safetensors", {"format": "pt"})
    assert "can't read images (its file lacks 1 weights of the model, such as " in fault(
        poor, photos
    )
    (poor / "model.safetensors").write_bytes(b"no weights")
    assert f"the model in {poor} can't read images (" in fault(poor, photos)
    (poor / "preprocessor_config.json").write_text("{")
    assert "preprocessor_config.json holds not JSON (" in fault(poor, photos)
    (poor / "preprocessor_config.json").write_text("{}")
    assert "with means None taken off; allowed: 3 colours" in fault(poor, photos)
    assert fault(tmp_path / "no", photos) == (
        f"column 'image': no folder {tmp_path / 'no'}; give the folder of the model"
    )


def test_a_model_of_text_and_a_size_that_does_not_fit_are_refused(checkpoints, photos, tmp_path):
    config = transformers.BertConfig(
        vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PREPARE))
    assert "a model of type bert reads input_ids, not images" in fault(tmp_path, photos)
    assert fault(checkpoints["vit"], photos, size=[40, 36]) == (
        "column 'image': size [40, 36] given, but a location of the model's map has 8 x 8 pixels; "
        "allowed: multiples of 8"
    )
    assert fitted(checkpoints["vit"], photos, size=[64, 48]).grid == (8, 6)


def test_variations_beside_a_model_that_is_not_trained_are_refused(checkpoints, photos):
    image = {"name": "image", "kind": "pretrained-image", "encoder": str(checkpoints["vit"])}
    with pytest.raises(ConfigError, match="given beside `train: nothing`"):
        Superpose("shade", inputs=[{**image, "augment": {"flip": "both"}}])
