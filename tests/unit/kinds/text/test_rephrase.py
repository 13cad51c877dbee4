"""Texts in other words: two small translators that are trained here take them there and back."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose import Superpose
from superpose.errors import ConfigError, DataError
from superpose.kinds import INPUT_KINDS
from superpose.kinds.text._rephrase import rephrase
from superpose.kinds.text._synonyms import TranslatorOptions
from superpose.nn import BACKBONES, augment_of

transformers = pytest.importorskip("transformers")
Text = INPUT_KINDS["text"]
LOAD = {"load_backbone": lambda: BACKBONES["text"]}  # as the codec hands it
ENGLISH = ["red", "door", "old", "shop", "cheap", "nice", "bad"]
FOREIGN = ["rot", "tor", "alt", "laden", "billig", "nett", "schlecht"]
BACK = ["crimson", "gate", "old", "store", "cheap", "kind", "bad"]  # three come back as they were
SPECIAL = ["[PAD]", "[END]", "[UNK]", "xx_XX"]


def translator(folder: Path, save_tokenizer, before: list[str], after: list[str]) -> Path:
    """A model of the size of a thumbnail that has learned to put one word for each other one."""
    folder.mkdir()
    words = [*SPECIAL, *dict.fromkeys([*before, *after])]
    save_tokenizer(folder, words)
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "pad_token": "[PAD]",
                "eos_token": "[END]",
                "unk_token": "[UNK]",
            }
        )
    )
    torch.manual_seed(0)
    config = transformers.BartConfig(
        vocab_size=len(words),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=300,
        dropout=0.0,
        init_std=0.1,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=1,
        decoder_start_token_id=1,
        forced_eos_token_id=None,
    )
    model = transformers.BartForConditionalGeneration(config)
    number = {word: position for position, word in enumerate(words)}
    ask, answer = (torch.tensor([number[w] for w in side]) for side in (before, after))
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(300):
        chosen = torch.randint(0, len(before), (32, int(torch.randint(1, 6, ()))))
        end = torch.ones(32, 1, dtype=torch.long)
        loss = model(
            input_ids=ask[chosen],
            decoder_input_ids=torch.cat([end, answer[chosen]], 1),
            labels=torch.cat([answer[chosen], end], 1),
        ).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def there_and_back(tmp_path_factory, save_tokenizer):
    home = tmp_path_factory.mktemp("translators")
    translator(home / "there", save_tokenizer, ENGLISH, FOREIGN)
    translator(home / "back", save_tokenizer, FOREIGN, BACK)
    return [{"model": str(home / "there")}, {"model": str(home / "back")}]


def rephrased(texts, models, folder=""):
    steps = [TranslatorOptions(**model) for model in models]
    return rephrase(texts, steps, column="note", folder=folder, backbone=BACKBONES["text"])


TEXTS = ["red door", "old shop", "cheap old", "nice red shop"]
OTHERS = {
    "red door": "crimson gate",
    "old shop": "old store",
    "nice red shop": "kind crimson store",
}


def col(values):
    return pa.chunked_array([pa.array(values, pa.string())])


def test_texts_go_through_all_models_and_those_that_come_back_the_same_are_left(there_and_back):
    assert rephrased(TEXTS, there_and_back) == OTHERS


def test_a_batch_has_other_words_for_its_share_of_the_rows(there_and_back):
    requested = {"drop": 0.0, "translate": there_and_back, "rephrase": 0.5}
    kind = Text.fit("note", col(TEXTS), augment=requested, **LOAD)
    block = torch.from_numpy(kind.encode(col(TEXTS * 100)))[None]
    torch.manual_seed(0)
    out = augment_of(kind)(block)[0][0]
    other = torch.from_numpy(kind.encode(col([OTHERS.get(text, text) for text in TEXTS])))
    for position, text in enumerate(TEXTS):
        changed = (out[position::4] != block[0, position]).any(-1)
        assert (out[position::4][changed] == other[position]).all()
        assert (0.35 < changed.float().mean() < 0.65) == (text in OTHERS)
    assert (other[0][:2] > 1).all(), "words that come back are known words"


def test_what_rows_say_is_not_kept_in_a_bundle_and_varies_nothing_there(there_and_back):
    requested = {"drop": 0.2, "translate": there_and_back}
    kind = Text.fit("note", col(TEXTS), augment=requested, **LOAD)
    state = json.dumps(kind.state())
    assert "crimson" not in state
    again = Text.from_state(json.loads(state))
    assert np.array_equal(again.encode(col(TEXTS)), kind.encode(col(TEXTS)))
    assert augment_of(again).rephrase is None
    assert augment_of(again).drop == 0.2


def test_too_long_texts_stay_and_are_counted(there_and_back):
    long = "red " * 300
    with pytest.warns(match="1 of 2 texts are not rephrased, as they are too long"):
        assert rephrased([long, "red door"], there_and_back) == {"red door": "crimson gate"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([["red", "door"], ["old", "shop"]], "divided parts"),
        (["CCOCNCCOCC", "CCCCCCNCCO"], "character parts"),
    ],
)
def test_only_prose_is_rephrased(values, message, there_and_back):
    with pytest.raises(DataError, match=f"column 'note'.*translate.*{message}.*no labels"):
        Text.fit("note", pa.chunked_array([values]), augment={"translate": there_and_back})


def test_a_model_that_cannot_translate_or_knows_no_such_language_is_one_error(
    there_and_back, tmp_path
):
    with pytest.raises(DataError, match=r"knows no language 'de_DE'.*T5, NLLB.*another checkpoint"):
        rephrased(TEXTS, [there_and_back[0] | {"target": "de_DE"}])
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{}")
    with pytest.raises(DataError, match=r"lacks tokenizer\.json, model\.safetensors"):
        rephrased(TEXTS, [{"model": "broken"}], str(tmp_path))
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"no")
    (tmp_path / "broken" / "tokenizer.json").write_text("{}")
    with pytest.raises(DataError, match="can't read texts"):
        rephrased(TEXTS, [{"model": "broken"}], str(tmp_path))


def test_a_known_language_begins_what_is_written(there_and_back):
    result = rephrased(["red door"], [there_and_back[0] | {"target": "xx_XX"}])
    assert result["red door"].startswith("xx_XX")


def test_a_whole_run_learns_words_that_only_a_translation_has(there_and_back):
    rng = np.random.default_rng(0)
    words = rng.choice(["red", "old", "nice", "bad"], (120, 3))
    table = pa.table(
        {
            "note": [" ".join(row) for row in words],
            "red": (words == "red").any(1).astype(int),
        }
    )
    requested = {"drop": 0.0, "translate": there_and_back, "rephrase": 0.5}
    model = Superpose(
        ["red"],
        inputs=[{"name": "note", "kind": "text", "augment": requested}],
        references="none",
        training={"epochs": 12},
    ).fit(table)
    pred = model.predict_proba(pa.table({"note": ["crimson old bad", "bad old bad"]}))
    assert pred["red=1"][0].as_py() > pred["red=1"][1].as_py() + 0.3


def test_an_unknown_key_of_a_model_is_named_with_those_that_a_model_has():
    entry = {
        "name": "note",
        "kind": "text",
        "augment": {"translate": [{"model": "m", "lang": "x"}]},
    }
    requested = r"translate\[0\].lang: unknown key; allowed: model, prefix, source, target"
    with pytest.raises(ConfigError, match=requested):
        Superpose(["red"], inputs=[entry])
