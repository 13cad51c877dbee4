"""Variations of words while networks learn: every word keeps its place, and so its label."""

import json

import pyarrow as pa
import pytest
import torch

from superpose.config import Config
from superpose.data import infer_schema
from superpose.errors import DataError
from superpose.kinds import INPUT_KINDS
from superpose.nn import TokenAugment, augment_of

Text, Sequence = INPUT_KINDS["text"], INPUT_KINDS["sequence"]
PROSE = ["a cheap flight to oslo", "the fare is cheap", "a flight today", "cheap seats"]
DIVIDED = [text.split() for text in PROSE]


@pytest.fixture
def folder(tmp_path):
    lines = "cheap\tinexpensive, low-cost,budget\n\nFlight\tplane\nunseen\tstranger\n"
    (tmp_path / "same.tsv").write_text(lines, encoding="utf-8")
    return tmp_path


def fitted(values, folder, **options):
    column = pa.chunked_array([pa.array(values)])
    settings = {"drop": 0.0, "synonyms": "same.tsv", "replace": 1.0, **options}
    return Text.fit("note", column, augment=settings, folder=str(folder))


def varied(kind, values, seed=0):
    block = torch.from_numpy(kind.encode(pa.chunked_array([pa.array(values)])))
    torch.manual_seed(seed)
    return block, augment_of(kind)(block.expand(1, *block.shape))[0][0]


@pytest.mark.parametrize("values", [PROSE, DIVIDED])
def test_words_are_replaced_in_their_positions_by_words_of_the_file(values, folder):
    kind = fitted(values, folder)
    before, after = varied(kind, values * 20)
    numbers = before if before.ndim == 2 else before[..., 0]
    changed = numbers != (after if after.ndim == 2 else after[..., 0])
    pred = kind.encode(pa.chunked_array([pa.array(values * 20)]))
    assert changed.sum(-1).tolist()[:4] == [2, 1, 1, 1], "cheap and flight, and no other word"
    assert torch.equal(torch.from_numpy(pred), before)
    single = ["inexpensive", "budget"] if values is PROSE else ["inexpensive", "low-cost", "budget"]
    replacements = pa.array(single if values is PROSE else [[word] for word in single])
    allowed = kind.encode(pa.chunked_array([replacements]))[:, 0]
    found = {str(row.tolist()) for row in after[1::4, 3]}
    assert found == {str(row.tolist()) for row in allowed}, "each of its synonyms, spelled as it is"
    assert (allowed.reshape(len(allowed), -1)[:, 0] > 1).all(), "synonyms are known words"


def test_dropped_words_are_unknown_and_padding_stays_padding(folder):
    kind = Text.fit("note", pa.chunked_array([DIVIDED]), augment={"drop": 0.5})
    before, after = varied(kind, DIVIDED * 20)
    there = before[..., 0] > 0
    dropped = (after[..., 0] == 1) & there
    assert 0.4 < dropped.sum() / there.sum() < 0.6
    assert not after[dropped][:, 1:].any(), "its spelling would give the word away"
    assert torch.equal(after[~dropped], before[~dropped])


def test_histories_lose_members_and_keep_their_order():
    values = pa.chunked_array([[["milk", "tea", "salt"]] * 50])
    assert augment_of(Sequence.fit("bought", values)) is None
    kind = Sequence.fit("bought", values, augment={"drop": 0.3})
    block = torch.from_numpy(kind.encode(values))[None]
    torch.manual_seed(0)
    out = augment_of(kind)(block)[0]
    assert torch.equal(out[out != 1], block[out != 1])
    assert 0.2 < (out == 1).sum() / (block > 0).sum() < 0.4


def test_the_state_survives_json_and_nothing_is_augmented_by_default(folder):
    kind = fitted(PROSE, folder)
    again = Text.from_state(json.loads(json.dumps(kind.state())))
    assert augment_of(again) == augment_of(kind)
    assert augment_of(Text.fit("note", pa.chunked_array([PROSE]))) is None
    assert augment_of(Text.fit("note", pa.chunked_array([PROSE]), augment="off")) is None


def test_words_with_labels_take_the_options_too(make_utterances):
    inputs = [{"name": "words", "kind": "text", "augment": {"drop": 0.2}}]
    config = Config.from_arguments(targets=["slots"], inputs=inputs)
    spec = infer_schema(make_utterances(), config).inputs[0]
    assert spec.options == {"augment": {"drop": 0.2}, "unit": "divided"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cheap\tlow cost", ":1: 'cheap\\\\tlow cost' given; allowed: a single word, a tab, and"),
        ("cheap low", ":1: 'cheap low' given; allowed: a single word, a tab, and single words"),
        ("odd\tstrange", "none of the words in wrong.tsv is in the training rows; write a word"),
    ],
)
def test_a_wrong_file_of_synonyms_is_refused(folder, text, reason):
    (folder / "wrong.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=reason):
        fitted(PROSE, folder, synonyms="wrong.tsv")
    with pytest.raises(DataError, match=r"synonyms .*gone.tsv can't be read: no such file; give"):
        fitted(PROSE, folder, synonyms="gone.tsv")
    formulas = ["CC(=O)OC1=CC", "CN1C=NC2=C1C", "CC(C)CC1=CC=C"]
    with pytest.raises(DataError, match="synonyms given for a text that is read by its characters"):
        fitted(formulas, folder)


def test_labels_of_words_are_those_of_the_words_that_stood_there():
    vary = TokenAugment(0.5, 0.5, {5: [[8, 1], [9, 1]]})
    block = torch.tensor([[[[5, 3], [7, 2], [0, 0]]]])
    for seed in range(20):
        torch.manual_seed(seed)
        out, followed = vary(block)
        assert followed is None
        assert out.shape == block.shape
        assert (out[..., 0] > 0).tolist() == [[[True, True, False]]]
