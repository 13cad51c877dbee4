"""Text that a decoder writes: a small checkpoint made here goes every way that a large one goes."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose import Superpose
from superpose.errors import ConfigError, DataError
from superpose.kinds import TARGET_KINDS
from superpose.kinds.text._chrf import chrf
from superpose.nn import head_of

transformers = pytest.importorskip("transformers")
Kind = TARGET_KINDS["generated-text"]
NUMBERS, COLOURS, THINGS = ["one", "two", "three"], ["red", "blue"], ["apple", "door", "shoe"]
WORDS = ["[END]", "[UNK]", "we", "saw", *NUMBERS, *COLOURS, *THINGS]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, save_tokenizer) -> Path:
    folder = tmp_path_factory.mktemp("tiny-gpt")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(WORDS),
        n_embd=32,
        n_layer=1,
        n_head=2,
        n_positions=32,
        bos_token_id=0,
        eos_token_id=0,
        # It is too small to be left out of in parts.
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    save_tokenizer(folder, WORDS)
    return folder


def col(values):
    return pa.chunked_array([pa.array(values, pa.string())])


ROWS = ["we saw one red door", "we saw two blue apple", None]


@pytest.fixture(scope="module")
def kind(checkpoint):
    return Kind.fit("said", col(ROWS), decoder=str(checkpoint), tokens=8)


def table(rows=400, seed=0):
    """A sentence about what the columns hold, which a tenth of the rows lack."""
    rng = np.random.default_rng(seed)
    number, colour, thing = (rng.choice(x, rows) for x in (NUMBERS, COLOURS, THINGS))
    sentences = [f"we saw {n} {c} {t}" for n, c, t in zip(number, colour, thing, strict=True)]
    gone = rng.random(rows) < 0.1
    return pa.table(
        {
            "number": number,
            "colour": colour,
            "thing": thing,
            "said": [None if g else text for g, text in zip(gone, sentences, strict=True)],
            "many": (number == "three").astype(int),
        }
    )


def test_text_comes_back_from_its_tokens_and_ends_where_it_ends(kind):
    y = kind.encode(col(ROWS))
    assert y.shape == (3, 8)
    assert np.isnan(y[2]).all()
    assert y[0, 5] == kind.end
    assert kind.decode(kind.distribution.point_mass(y[:2]))["said"].to_pylist() == ROWS[:2]
    again = Kind.from_state(json.loads(json.dumps(kind.state())))
    assert np.array_equal(again.encode(col(ROWS)), y, equal_nan=True)


def test_a_text_that_is_too_long_is_cut_with_a_warning(kind):
    with pytest.warns(UserWarning, match=r"1 text\(s\) have more than 8 tokens and are cut"):
        y = kind.encode(col([" ".join(["we"] * 9)]))
    assert (y == WORDS.index("we")).all()


def test_the_head_says_how_likely_a_label_is_and_what_it_would_write(kind, checkpoint):
    torch.manual_seed(1)
    head = head_of(kind).module(6).eval()
    state, y = torch.randn(2, 6), torch.from_numpy(kind.encode(col(ROWS[:2])))
    out = head(state, y)
    assert out.shape == (2, 16)
    # The same by hand: the decoder reads the prefix, then the label word by word.
    begun = head.read(state).unflatten(-1, (8, 32))
    model = transformers.GPT2LMHeadModel.from_pretrained(checkpoint).eval()
    words = model.transformer.wte.weight[y[:, :6].long()]
    logits = model(inputs_embeds=torch.cat([begun, words], 1)).logits[:, 7:13]
    result = logits.log_softmax(-1).gather(-1, y[:, :6].long()[..., None])[..., 0]
    torch.testing.assert_close(out[:, :6], result)
    first = model(inputs_embeds=begun).logits[:, -1].argmax(-1)
    assert out[:, 8].long().tolist() == first.tolist()
    # Without labels it writes the same, and says nothing of any label.
    alone = head(state[:1])
    assert alone[:, :8].isnan().all()
    assert torch.equal(alone[:, 8:], out[:1, 8:])


def test_the_loss_is_that_of_the_tokens_and_nothing_where_there_is_no_label(kind):
    y = torch.from_numpy(kind.encode(col(ROWS)))
    out = torch.full((3, 16), -0.5, requires_grad=True)
    loss = head_of(kind).loss(out, y)
    assert loss.tolist() == [0.5, 0.5, 0.0]
    loss.sum().backward()
    assert (out.grad[2] == 0).all()
    pred = head_of(kind).link(out.detach()).double().numpy()
    np.testing.assert_allclose(
        kind.distribution.row_loss(y.numpy(), pred), [0.5, 0.5, np.nan], rtol=1e-6
    )
    assert kind.metrics(y.numpy(), pred)["perplexity"] == pytest.approx(np.exp(0.5))


def test_the_constant_is_the_commonest_text_and_the_frequencies_of_tokens(kind):
    y = kind.encode(col([ROWS[0], ROWS[0], ROWS[1]]))
    baseline = kind.distribution.baseline(y)
    assert kind.decode(baseline[None])["said"].to_pylist() == ROWS[:1]
    # "we saw" is always said; of number, colour and thing the first is said twice in three rows.
    third = -(2 * np.log(2 / 3) + np.log(1 / 3)) / 3
    losses = kind.distribution.row_loss(y, np.tile(baseline, (3, 1)))
    assert losses.mean() == pytest.approx(3 * third / 6)


def test_nearness_of_texts_by_hand():
    assert chrf(["abc"], ["abd"]) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert chrf(["a b"], ["ab"]) == 1.0
    assert chrf([""], [""]) == 1.0


@pytest.fixture(scope="module")
def fitted(checkpoint):
    return Superpose(
        [
            {
                "name": "said",
                "kind": "generated-text",
                "decoder": str(checkpoint),
                "train": "all",
                "rate": 1.0,
                "tokens": 8,
                "prefix": 4,
            },
            "many",
        ],
        references="none",
        split="random",
        model={"width": 64, "members": 1, "dropout": 0.0},
        training={"epochs": 24, "batch_size": 32, "learning_rate": 0.005},
    ).fit(table())


def test_a_decoder_learns_from_the_columns_what_to_say(fitted):
    metrics = fitted.record.metrics["said"]
    assert metrics["deployed"]["perplexity"] < 0.9 * metrics["baseline"]["perplexity"], metrics
    new = table(50, seed=1)
    assert fitted.evaluate(new)["said"]["score"] > 0.2
    pred = fitted.predict(new.drop_columns(["said"]))["said"].to_pylist()
    assert all(text.startswith("we saw ") for text in pred)
    assert len(set(pred)) > 1  # not the same for all rows


def test_what_is_written_rests_on_no_label_and_scoring_reads_them(fitted):
    new = table(20, seed=2)
    wrong = new.set_column(3, "said", pa.array(["we saw two"] * 20))
    assert fitted.predict(new)["said"].equals(fitted.predict(wrong)["said"])
    assert fitted.evaluate(new)["said"]["perplexity"] < fitted.evaluate(wrong)["said"]["perplexity"]
    one = fitted.predict(new.slice(3, 1))["said"]
    assert one.to_pylist() == fitted.predict(new)["said"].slice(3, 1).to_pylist()


def test_a_text_can_be_given_and_predicted_while_others_are_given(fitted, tmp_path):
    new = table(20, seed=3)
    sentences = fitted.predict(new, given="said")
    assert sentences["many"].to_pylist() == new["many"].to_pylist()
    pred = fitted.predict(new, given="many")["said"].to_pylist()
    assert len(pred) == 20
    drawn = fitted.sample(new.slice(0, 2), n=3)["said"].to_pylist()
    assert len(drawn) == 6
    assert all(text.startswith("we saw") for text in drawn)
    again = Superpose.load(fitted.save(tmp_path / "bundle"))
    assert again.predict(new).equals(fitted.predict(new))
    page = fitted.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<td><bdi>we saw " in page


@pytest.mark.parametrize("train", ["nothing", "adapters"])
def test_a_decoder_can_stay_as_it_is_or_learn_by_adapters(checkpoint, train):
    kind = Kind.fit("said", col(ROWS), decoder=str(checkpoint), tokens=8, train=train)
    head = head_of(kind).module(6).train()
    y = torch.from_numpy(kind.encode(col(ROWS)))
    head_of(kind).loss(head(torch.randn(3, 6), y), y).sum().backward()
    learned = {name for name, weight in head.named_parameters() if weight.grad is not None}
    assert any(name.startswith("read") for name in learned)
    assert any("lora" in name for name in learned) == (train == "adapters")
    assert not any(name.endswith("wte.weight") for name in learned)


def faulty(folder, tmp_path, **changes):
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | changes), encoding="utf-8")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        (
            {"model_type": "bert"},
            "is of type bert, which does not write on from a text; allowed",
        ),
        ({"model_type": "t5"}, "is of type t5, which does not write on"),
        ({"eos_token_id": None}, "names no token that ends a text; write its number there as eos"),
    ],
)
def test_a_model_that_does_not_write_is_refused(checkpoint, tmp_path, changes, wanted):
    with pytest.raises(DataError) as fault:
        Kind.fit("said", col(ROWS), decoder=faulty(checkpoint, tmp_path, **changes))
    assert wanted in str(fault.value)
    assert str(fault.value).startswith("column 'said': ")


def test_a_folder_that_lacks_files_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match=r"lacks tokenizer.json, model.safetensors; allowed:"):
        Kind.fit("said", col(ROWS), decoder=str(tmp_path))


def test_folds_are_refused_because_each_would_be_a_model(checkpoint):
    model = Superpose(
        [{"name": "said", "kind": "generated-text", "decoder": str(checkpoint)}],
        proof={"folds": 3},
    )
    with pytest.raises(ConfigError, match=r"proof\.folds: 3 given, but a pretrained model of"):
        model.fit(table(60))
