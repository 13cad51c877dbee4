"""Text by a pretrained model: a small checkpoint made here goes every way that a large one goes."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose import Superpose
from superpose.errors import ConfigError, DataError
from superpose.kinds import INPUT_KINDS
from superpose.nn import BACKBONES, encoder_of

transformers = pytest.importorskip("transformers")
Kind = INPUT_KINDS["pretrained-text"]
LOAD = {"load_backbone": lambda: BACKBONES["pretrained-text"]}  # as the codec hands it
WORDS = ["[PAD]", "[UNK]", "good", "bad", "day", "film", "very", "not"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, save_tokenizer) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    transformers.BertModel(config).save_pretrained(folder)
    save_tokenizer(folder, WORDS)
    return folder


def col(values):
    return pa.chunked_array([pa.array(values, pa.string())])


def test_a_text_has_the_same_vector_alone_and_among_longer_ones(checkpoint):
    kind = Kind.fit("t", col(["good day", "bad film"]), encoder=str(checkpoint), **LOAD)
    alone = kind.encode(col(["good day"]), **LOAD)
    among = kind.encode(col(["very very very bad film", "good day", None]), **LOAD)
    assert np.allclose(alone[0], among[1], atol=1e-5)
    assert np.isnan(among[2]).all()
    matrix, codes, names = kind.features(col(["good day", None]), **LOAD)
    assert matrix.shape == (2, 16)
    assert np.isnan(matrix[1]).all()
    assert not any(codes)
    assert names[0] == "t (0)"
    assert Kind.from_state(json.loads(json.dumps(kind.state()))) == kind


def test_the_vector_is_what_transformers_says(checkpoint):
    kind = Kind.fit("t", col(["good day", "bad film"]), encoder=str(checkpoint), **LOAD)
    model = transformers.AutoModel.from_pretrained(checkpoint).eval()
    with torch.no_grad():
        hidden = model(torch.tensor([[2, 4]])).last_hidden_state
    vectors = kind.features(col(["good day"]), **LOAD)[0][0]
    assert np.allclose(vectors, hidden[0].mean(0).numpy(), atol=1e-5)


@pytest.mark.parametrize("train", ["adapters", "all"])
def test_a_trained_model_starts_as_others_have_trained_it(checkpoint, train):
    kind = Kind.fit(
        "t", col(["good day", "bad"]), encoder=str(checkpoint), train=train, length=8, **LOAD
    )
    block = kind.encode(col(["good day", None]), **LOAD)
    assert block.tolist() == [[2, 4, 0, 0, 0, 0, 0, 0], [0] * 8]
    encoder = encoder_of([kind], 4).eval()
    token = encoder(torch.from_numpy(block))[0, 0].detach().numpy()
    assert np.allclose(token, kind.features(col(["good day"]), **LOAD)[0][0], atol=1e-5)
    rates = {n: round(getattr(w, "rate", 1.0), 6) for n, w in encoder.named_parameters()}
    trained = [name for name, w in encoder.named_parameters() if w.requires_grad]
    if train == "all":
        assert sorted(set(rates.values())) == [0.0162, 0.018, 0.02]
        assert {rate for name, rate in rates.items() if "embeddings" in name} == {0.0162}
        assert len(trained) == len(list(encoder.parameters()))
    else:
        assert trained
        assert all("lora" in name for name in trained)


def table() -> pa.Table:
    rng = np.random.default_rng(0)
    mood = rng.integers(0, 2, 160)
    start = np.where(rng.random(160) < 0.2, "not ", "")
    texts = [
        f"{start[i]}{['bad', 'good'][m]} {rng.choice(['day', 'film'])}" for i, m in enumerate(mood)
    ]
    flip = np.array([text.startswith("not") for text in texts])
    return pa.table(
        {
            "text": texts,
            "mood": np.where(mood ^ flip, "glad", "sad"),
            "about": [text.split()[-1] for text in texts],
        }
    )


@pytest.mark.parametrize("train", ["nothing", "adapters", "all"])
def test_a_model_of_text_learns_is_saved_and_answers_alike(checkpoint, tmp_path, train):
    text = {"name": "text", "kind": "pretrained-text", "encoder": str(checkpoint), "length": 8}
    rows = table()
    model = Superpose(
        ["mood", "about"],
        inputs=[{**text, "train": train, "rate": 0.3}],
        model={"width": 32, "members": 2, "given": False},
        training={"epochs": 12, "batch_size": 16, "learning_rate": 0.01},
        proof={"references": "none", "folds": 1},
    ).fit(rows)
    metrics = model.evaluate(rows)
    assert metrics["about"]["accuracy"] > 0.9
    assert metrics["mood"]["score"] > 0.2
    model.save(tmp_path / "bundle")
    again = Superpose.load(tmp_path / "bundle")
    assert again.predict(rows.slice(0, 9)).equals(model.predict(rows.slice(0, 9)))


def test_a_trained_model_wants_one_split(checkpoint):
    text = {"name": "text", "kind": "pretrained-text", "encoder": str(checkpoint), "train": "all"}
    with pytest.raises(ConfigError) as caught:
        Superpose("mood", inputs=[text], proof={"folds": 3}).fit(table())
    assert str(caught.value) == (
        "proof.folds: 3 given, but a pretrained model of 'text' is trained; allowed: 1; write "
        "`folds: 1`, or `train: nothing` for an input"
    )


def test_a_folder_that_lacks_files_and_one_that_is_not_there(tmp_path):
    def fault(encoder):
        with pytest.raises(DataError) as caught:
            Kind.fit("t", col(["a", "b"]), encoder=encoder, **LOAD)
        return str(caught.value)

    (tmp_path / "config.json").write_text("{}")
    assert fault(str(tmp_path)) == (
        f"column 't': the folder {tmp_path} lacks tokenizer.json, model.safetensors; allowed: "
        "config.json, tokenizer.json, model.safetensors; give the folder of a checkpoint of "
        "transformers with all of them"
    )
    assert fault(str(tmp_path / "no")) == (
        f"column 't': no folder {tmp_path / 'no'}; give the folder of the model"
    )


# Words that get a label each.

PIECES = ["[PAD]", "[UNK]", "[CLS]", "fly", "to", "os", "##lo", "new", "york", "on", "fri", "##day"]


@pytest.fixture(scope="module")
def pieces(tmp_path_factory) -> Path:
    """A checkpoint whose tokenizer divides words, and begins with a token of its own."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    folder = tmp_path_factory.mktemp("pieces")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.BertConfig(
        vocab_size=len(PIECES), intermediate_size=32, max_position_embeddings=32, **sizes
    )
    transformers.BertModel(config).save_pretrained(folder)
    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing("[CLS] $A", special_tokens=[("[CLS]", 2)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def sentences(values):
    return pa.chunked_array([pa.array(values, pa.list_(pa.string()))])


ROWS = sentences([["fly", "to", "oslo", "friday"], ["oslo", "new", "york"], None])


def test_a_word_is_the_first_of_its_tokens(pieces):
    kind = Kind.fit("w", ROWS, encoder=str(pieces), divided=True, length=12, **LOAD)
    assert kind.target_options == {"places": 4}
    block = kind.encode(ROWS, **LOAD)
    model = transformers.AutoModel.from_pretrained(pieces).eval()
    with torch.no_grad():
        states = model(torch.tensor([[2, 3, 4, 5, 6, 10, 11]])).last_hidden_state[0]
    vectors = block[0] * np.float32(kind.scale) + np.float32(kind.mean)
    np.testing.assert_allclose(vectors, states[[1, 2, 3, 5]].numpy(), atol=1e-5)
    assert np.isnan(block[1, 3:]).all()
    assert np.isnan(block[2]).all()
    trained = Kind.fit("w", ROWS, encoder=str(pieces), divided=True, length=12, train="all", **LOAD)
    ids = torch.from_numpy(trained.encode(ROWS, **LOAD))
    assert ids[0, :4, 1].tolist() == [2, 3, 4, 6]
    encoder = encoder_of([trained], 4).eval()
    with torch.no_grad():
        positions = encoder.map(encoder.trimmed(ids))
        np.testing.assert_allclose(positions[0], states[[1, 2, 3, 5]], atol=1e-5)
        torch.testing.assert_close(encoder.map(encoder.trimmed(ids[1:2]))[0, :3], positions[1, :3])
    assert encoder.seen(ids).sum(-1).tolist() == [4, 3, 0]


def test_words_beyond_the_length_get_no_label_and_that_is_noted(pieces):
    kind = Kind.fit("w", ROWS, encoder=str(pieces), divided=True, length=5, **LOAD)
    with pytest.warns(UserWarning, match="row 0: 4 words, of which 3 are read; in 1 such row"):
        block = kind.encode(ROWS, **LOAD)
    assert (~np.isnan(block[..., 0])).sum(1).tolist() == [3, 3, 0]


@pytest.mark.parametrize("train", ["nothing", "all"])
def test_labels_of_words_are_learned_from_a_pretrained_model(pieces, tmp_path, train):
    rng = np.random.default_rng(0)
    tags = {"fly": "O", "to": "O", "on": "O", "oslo": "B-city", "new": "B-city", "york": "I-city"}
    tags["friday"] = "B-day"
    words = []
    for _ in range(120):
        city = [["oslo"], ["new", "york"]][rng.integers(2)]
        words.append(
            [*["fly", "to"][: rng.integers(1, 3)], *city, *["on", "friday"][: rng.integers(3)]]
        )
    rows = pa.table({"words": words, "slots": [[tags[word] for word in row] for row in words]})
    text = {"name": "words", "kind": "pretrained-text", "encoder": str(pieces), "length": 12}
    model = Superpose(
        ["slots"],
        inputs=[{**text, "train": train, "rate": 0.5}],
        training={"epochs": 6, "batch_size": 16, "learning_rate": 0.01},
        proof={"references": "none", "folds": 1},
    ).fit(rows)
    assert model.evaluate(rows)["slots"]["f1"] > 0.9
    model.save(tmp_path / "bundle")
    new = pa.table({"words": [["to", "new", "york"], None, ["friday"]]})
    pred = model.predict(new)["slots"].to_pylist()
    assert [None if row is None else len(row) for row in pred] == [3, None, 1]
    assert Superpose.load(tmp_path / "bundle").predict(new)["slots"].to_pylist() == pred
