"""The cases of `same_predictions.py` that need files: images, sounds, checkpoints of transformers.

The files are written into the working folder, under names that are the same in each run.
"""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

Arguments = tuple[dict[str, Any], pa.Table | dict[str, pa.Table], pa.Table]

TINY: dict[str, Any] = {"width": 16, "members": 2}
SIDE = 32  # pixels of an image, the least that is read without being enlarged much
RATE = 4000  # hertz
VOCABULARY = ["[END]", "[UNK]", "we", "saw", "one", "two", "red", "blue", "door", "shoe"]


def shapes_table(rows: int = 80) -> pa.Table:
    """A bright square or a dark one on grey: its mask, its depth, its box, and which it is."""
    from PIL import Image

    rng = np.random.default_rng(21)
    records: list[dict[str, Any]] = []
    for n in range(rows):
        pixels = rng.integers(110, 140, (SIDE, SIDE, 3)).astype(np.uint8)
        ids = np.zeros((SIDE, SIDE), np.uint8)
        depth = np.full((SIDE, SIDE), 2.0, np.float32)
        y, x, side = (int(v) for v in (*rng.integers(0, 18, 2), rng.integers(8, 14)))
        inside = np.s_[y : y + side, x : x + side]
        pixels[inside] = 240 if n % 2 else 20
        ids[inside] = 1 + n % 2
        depth[inside] = 1 + rng.random()
        ids[0, 0] = 255
        Image.fromarray(pixels).save(f"{n}.png")
        Image.fromarray(ids).save(f"{n}-mask.png")
        np.save(f"{n}.npy", depth)
        shade = ("dark", "bright")[n % 2]
        box = [float(v) for v in (x, y, x + side, y + side)]
        records.append(
            {
                "image": f"{n}.png",
                "mask": f"{n}-mask.png",
                "depth": f"{n}.npy",
                "squares": [{"class": shade, "box": box}],
                "shade": shade,
                "part": ("train", "train", "train", "validation", "test")[n // 2 % 5],
            }
        )
    return pa.Table.from_pylist(records)


def shapes() -> dict[str, Arguments]:
    """Masks, boxes and a class, as most images have them, and maps of numbers."""
    table = shapes_table()
    photo = {"name": "image", "kind": "image", "size": [SIDE, SIDE], "stride": 4}
    mask = {"name": "mask", "kind": "mask", "levels": ["ground", "dark", "bright"]}
    common = {
        "split": {"by": "column", "column": "part"},
        "model": TINY,
        "training": {"epochs": 4, "batch_size": 8},
    }
    boxes = {
        "targets": [mask, {"name": "squares", "kind": "boxes"}, "shade"],
        "inputs": [{**photo, "augment": {"flip": "both", "shift": 0.1}}],
        "ignore": ["depth"],
        "proof": {"references": "network"},
        **common,
    }
    maps = {
        "targets": [{"name": "depth", "kind": "map"}, "shade"],
        "inputs": [photo],
        "ignore": ["mask", "squares"],
        "proof": {"references": "none"},
        **common,
    }
    multi_task = {**boxes, "proof": {"references": "none"}}
    rows = table.slice(0, 12)
    trainings = {"boxes": boxes, "boxes-joint": multi_task, "maps": maps}
    return {name: (settings, table, rows) for name, settings in trainings.items()}


def digits() -> dict[str, Arguments]:
    """Written and spoken digits from $SUPERPOSE_DATA, or those of scikit-learn as a table."""
    data = Path(os.environ.get("SUPERPOSE_DATA", "no data"))
    images = data / "mnist_t10k"
    sounds = data / "fsdd_audio"
    if not (images.is_dir() and sounds.is_dir()):
        return {"pixels": _pixels()}
    written = _written(images)
    spoken = _spoken(sounds)
    settings = {
        "targets": ["digit", "speaker"],
        "inputs": [
            {"name": "image", "kind": "image", "size": [SIDE, SIDE], "stride": 8},
            {"name": "sound", "kind": "audio", "rate": 8000, "seconds": 0.6},
        ],
        "split": {"by": "column", "column": "part"},
        "model": {"width": 32, "members": 2},
        "training": {"epochs": 3, "batch_size": 16},
        "proof": {"references": "network"},
    }
    none = pa.nulls(40, pa.string())
    seen = written.slice(0, 40).append_column("sound", none).append_column("speaker", none)
    heard = spoken.slice(0, 40).append_column("image", none)
    rows = pa.concat_tables([seen, heard.select(seen.column_names)])
    multi_task = {**settings, "proof": {"references": "none"}}
    sources = {"written": written, "spoken": spoken}
    return {"digits": (settings, sources, rows), "digits-joint": (multi_task, sources, rows)}


def _written(folder: Path, rows: int = 200) -> pa.Table:
    """Images as files, with the digit that each shows."""
    from PIL import Image

    def unpack(name: str, start: int) -> np.ndarray:
        return np.frombuffer(gzip.open(folder / name).read()[start:], np.uint8)[: rows * 784]

    pixels = unpack("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    for n, one in enumerate(pixels):
        Image.fromarray(one).save(f"{n}.png")
    digit = unpack("t10k-labels-idx1-ubyte.gz", 8)[:rows].astype(str)
    part = np.resize(["train"] * 7 + ["validation"] + ["test"] * 2, rows)
    return pa.table({"image": [f"{n}.png" for n in range(rows)], "digit": digit, "part": part})


def _spoken(folder: Path) -> pa.Table:
    """Every tenth recording, with its digit and speaker."""
    rows = []
    with zipfile.ZipFile(folder / "recordings.zip") as packed:
        names = sorted(name for name in packed.namelist() if name.endswith(".wav"))
        for n, name in enumerate(names[::10]):
            Path(f"{n}.wav").write_bytes(packed.read(name))
            digit, speaker, _ = Path(name).stem.split("_")
            part = ("train", "train", "train", "validation", "test")[n % 5]
            row = {"sound": f"{n}.wav", "digit": digit, "part": part, "speaker": speaker}
            rows.append(row)
    return pa.Table.from_pylist(rows)


def _pixels() -> Arguments:
    """The small digits that scikit-learn brings, each pixel a column."""
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    columns = {f"p{n}": pixels[:600, n] for n in range(pixels.shape[1]) if pixels[:600, n].any()}
    digit = digit[:600]
    table = pa.table({**columns, "digit": digit.astype(str), "even": digit % 2 == 0})
    settings = {
        "targets": ["digit", "even"],
        "model": {"width": 32, "members": 2},
        "training": {"epochs": 4},
        "proof": {"references": "network", "folds": 2},
    }
    return settings, table, table.slice(0, 100)


def pretrained() -> dict[str, Arguments]:
    """Text, images and sounds read by checkpoints with random weights, and text that one writes."""
    _checkpoints()
    one_split = {"model": TINY, "proof": {"references": "network", "folds": 1}}
    text, picture, sound = _sentences(), _scenes(), _tones()
    speaks = {"name": "said", "kind": "generated-text", "decoder": "gpt", "train": "adapters"}
    models: dict[str, Arguments] = {}
    for train in ("nothing", "adapters", "all"):
        read = {"kind": "pretrained-text", "encoder": "bert", "length": 8, "train": train}
        settings = {
            "targets": [{**speaks, "tokens": 6, "prefix": 2}, "many"],
            "inputs": [{"name": "text", **read}],
            "training": {"epochs": 2},
            **one_split,
        }
        models[f"text-{train}"] = (settings, text, text.slice(0, 20))
    for column, table, encoder in (("image", picture, "vit"), ("sound", sound, "wav2vec2")):
        kind = {"image": "pretrained-image", "sound": "pretrained-audio"}[column]
        for train in ("nothing", "adapters"):
            settings = {
                "targets": ["loud", "sort"],
                "inputs": [{"name": column, "kind": kind, "encoder": encoder, "train": train}],
                "training": {"epochs": 2},
                **one_split,
            }
            models[f"{column}-{train}"] = (settings, table, table.slice(0, 20))
    return models


def _checkpoints() -> None:
    """Writes a reader of text, of images and of sounds, and a writer of text."""
    import torch
    import transformers as t

    t.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    layers: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    words: dict[str, Any] = {"vocab_size": len(VOCABULARY)}
    bert = t.BertConfig(**words, **layers, intermediate_size=32, max_position_embeddings=32)
    gpt = t.GPT2Config(
        **words, n_embd=16, n_layer=1, n_head=2, n_positions=32, bos_token_id=0, eos_token_id=0
    )
    vit = t.ViTConfig(**layers, intermediate_size=32, image_size=SIDE, patch_size=8)
    wav = t.Wav2Vec2Config(
        **layers,
        intermediate_size=32,
        feat_extract_norm="layer",
        conv_dim=[8, 8],
        conv_kernel=[10, 4],
        conv_stride=[10, 4],
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
    )
    t.BertModel(bert).save_pretrained("bert")
    t.GPT2LMHeadModel(gpt).save_pretrained("gpt")
    t.ViTModel(vit, add_pooling_layer=False).save_pretrained("vit")
    t.Wav2Vec2Model(wav).save_pretrained("wav2vec2")
    scale = {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}
    colours = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.25, 0.3]}
    size = {"size": {"height": SIDE, "width": SIDE}}
    Path("vit/preprocessor_config.json").write_text(json.dumps(scale | colours | size))
    waves = {"sampling_rate": RATE, "do_normalize": True, "feature_size": 1}
    Path("wav2vec2/preprocessor_config.json").write_text(json.dumps(waves))
    _tokenizer(Path("bert"))
    _tokenizer(Path("gpt"))


def _tokenizer(folder: Path) -> None:
    """Writes a tokenizer that knows a few words and divides at blanks."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    known = {word: number for number, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))


def _sentences(rows: int = 120) -> pa.Table:
    rng = np.random.default_rng(22)
    number, colour, thing = (rng.choice(VOCABULARY[n : n + 2], rows) for n in (4, 6, 8))
    parts = list(zip(number, colour, thing, strict=True))
    said = [f"we saw {n} {c} {g}" for n, c, g in parts]
    return pa.table(
        {
            "text": [f"{c} {g} {n}" for n, c, g in parts],
            "said": [None if i % 9 == 0 else one for i, one in enumerate(said)],
            "many": (number == "two").astype(int),
        }
    )


def _scenes(rows: int = 60) -> pa.Table:
    from PIL import Image

    rng = np.random.default_rng(23)
    level = rng.integers(40, 200, rows)
    for n, mean in enumerate(level):
        pixels = rng.integers(mean - 40, mean + 40, (SIDE, SIDE, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(f"{n}.png")
    sort = np.array(["dark", "grey", "pale"])[np.digitize(level, [90, 150])]
    return pa.table({"image": [f"{n}.png" for n in range(rows)], "loud": level / 255, "sort": sort})


def _tones(rows: int = 60) -> pa.Table:
    import soundfile

    rng = np.random.default_rng(24)
    loud = rng.uniform(0.1, 0.9, rows)
    for n, volume in enumerate(loud):
        at = np.arange(int(RATE * rng.uniform(0.1, 0.2))) / RATE
        tone = volume * np.sin(2 * np.pi * (200, 900)[n % 2] * at)
        soundfile.write(f"{n}.wav", tone + 0.01 * rng.normal(size=len(at)), RATE)
    sort = np.resize(["low", "high"], rows)
    return pa.table({"sound": [f"{n}.wav" for n in range(rows)], "loud": loud, "sort": sort})
