"""Whole inputs are hidden while networks learn, so that a row may lack the best of them."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import torch

from superpose.config import Config, TrainingConfig
from superpose.data import Codec, ColumnSpec, Fold, Schema
from superpose.models import Rows
from superpose.nn import Architecture
from superpose.prepare import prepare
from superpose.training import Batch, TrainingSpec, fit_multi_task
from superpose.training._modality_dropout import ModalityDropout
from superpose.training._set_up import transforms_of

ROWS = 240


def table(rows=ROWS, seed=0):
    """A clear vector, a blurred one and a text that say the same, beside an idle number."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=rows)

    def vectors(noise):
        return pa.FixedSizeListArray.from_arrays(
            pa.array(np.stack([signal + noise * rng.normal(size=rows)] * 2, 1).ravel()), 2
        )

    words = np.where(signal + rng.normal(size=rows) > 0, "much of it here", "little was found")
    return pa.table(
        {"clear": vectors(0.05), "blurred": vectors(0.7), "note": words.tolist(),
         "idle": rng.normal(size=rows), "y": signal, "z": signal**2}
    )  # fmt: skip


def fitted(**inputs):
    schema = Schema(
        [ColumnSpec(name, kind) for name, kind in inputs.items()],
        [ColumnSpec(name, "number") for name in ("y", "z")],
    )
    return Codec.fit(table(), schema, np.arange(ROWS))


def batch(codec, networks=2):
    inputs = {
        name: torch.from_numpy(block).expand(networks, *block.shape)
        for name, block in codec.inputs(table()).items()
    }
    return Batch(torch.arange(ROWS).expand(networks, -1), inputs)


def hidden(block):
    gone = block.isnan() if block.is_floating_point() else block == 0
    return gone.flatten(2).all(-1)


def test_inputs_are_hidden_row_by_row_and_columns_are_not():
    codec = fitted(clear="embedding", note="text", idle="number")
    torch.manual_seed(0)
    before = batch(codec).inputs
    after = ModalityDropout(codec, 0.3)(batch(codec)).inputs
    clear, note = codec.hideable_groups
    for name in (clear, note):
        gone = hidden(after[name])
        assert 0.2 < gone.float().mean() < 0.4
        assert torch.equal(after[name][~gone], before[name][~gone])
    assert torch.equal(after["numbers"], before["numbers"])
    assert not torch.equal(hidden(after[clear])[0], hidden(after[clear])[1]), "each network its own"


def test_a_row_keeps_one_of_the_inputs_that_it_has():
    codec = fitted(clear="embedding", blurred="embedding", note="text")
    given = batch(codec)
    first, *others = codec.hideable_groups
    given.inputs[first] = given.inputs[first].clone()
    given.inputs[first][:, :50] = torch.nan  # these rows lack it from the start
    torch.manual_seed(0)
    after = ModalityDropout(codec, 0.95)(given).inputs
    assert not torch.stack([hidden(after[name]) for name in (first, *others)]).all(0).any()
    assert torch.stack([hidden(after[name])[:, :50] for name in others]).any(0).float().mean() > 0.8


def test_the_same_seed_hides_the_same_and_nothing_is_hidden_by_default():
    codec = fitted(clear="embedding", idle="number")
    assert not transforms_of(codec)
    pred = []
    for _ in range(2):
        torch.manual_seed(3)
        (hide,) = transforms_of(codec, 0.5)
        pred.append(hide(batch(codec)).inputs)
    for name in pred[0]:
        torch.testing.assert_close(pred[0][name], pred[1][name], equal_nan=True, rtol=0, atol=0)


def test_an_input_alone_and_one_whose_words_have_labels_stay(make_utterances):
    assert not fitted(clear="embedding").hideable_groups
    assert not fitted(idle="number").hideable_groups
    sentences = make_utterances(60).append_column("idle", pa.array(np.arange(60.0) % 7))
    config = Config.from_arguments(targets=["intent", "slots"], training={"modality_dropout": 0.1})
    assert not prepare(sentences, config).codec.hideable_groups
    warned = prepare(sentences, config).warnings
    assert [w for w in warned if w.startswith("training.modality_dropout: no input is hidden")]


def test_a_model_that_learned_with_it_stands_the_absence_of_its_best_input():
    codec, new = fitted(clear="embedding", blurred="embedding", idle="number"), table(300, 9)
    rows = np.arange(ROWS)
    spec = TrainingSpec(
        codec=codec,
        inputs=codec.inputs(table()),
        labels=codec.labels(table()),
        folds=[Fold(rows[:180], rows[180:])],
        architecture=Architecture(width=32, members=2, depth=1, state=8, rank=2),
        settings=TrainingConfig(epochs=12, batch_size=30),
    )
    truth, errors = codec.labels(new)["y"], {}
    for share in (0.0, 0.3):
        settings = spec.settings.model_copy(update={"modality_dropout": share})
        network = fit_multi_task(replace(spec, settings=settings)).model
        blocks = codec.inputs(new)
        whole = network.predict(Rows.of_arrays(codec, blocks))["y"][:, 0]
        blocks[next(iter(codec.hideable_groups))][:] = np.nan
        lacking = network.predict(Rows.of_arrays(codec, blocks))["y"][:, 0]
        errors[share] = [float(np.mean((truth - pred) ** 2)) for pred in (whole, lacking)]
    assert errors[0.3][1] < 0.8 * errors[0.0][1]
    assert errors[0.3][0] < 0.3, "with all inputs it is still a good model"
