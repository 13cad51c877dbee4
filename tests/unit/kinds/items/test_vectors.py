"""Vectors as inputs: embeddings that the table holds, entities whose vectors a graph teaches."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from superpose import Superpose
from superpose.errors import DataError
from superpose.functional import embed_triples
from superpose.kinds import INPUT_KINDS, TARGET_KINDS

Embedding, Entity = INPUT_KINDS["embedding"], INPUT_KINDS["entity"]


def col(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def test_numbers_are_centred_and_scaled_by_the_training_rows():
    kind = Embedding.fit("e", col([[1.0, 10.0], [3.0, 30.0]]))
    again = Embedding.from_state(kind.state())
    assert again.encode(col([[5.0, 10.0], None])).tolist()[0] == [3.0, -1.0]
    assert np.isnan(again.encode(col([None], pa.list_(pa.float64())))).all()
    matrix, codes, names = kind.features(col([[1.0, 10.0]]))
    assert (matrix.tolist(), codes, names) == ([[-1.0, -1.0]], [False] * 2, ["e (0)", "e (1)"])


def test_a_number_that_hardly_varies_is_not_blown_up():
    rows = [[float(i), 1.0 + 1e-9 * i] for i in range(20)]
    encoded = Embedding.fit("e", col(rows)).encode(col([[0.0, 1.001]]))
    assert abs(encoded[0, 1]) < 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            [[1.0, 2.0], [1.0], [1.0, 3.0]],
            "column 'e', row 1: a list of 1 numbers; allowed: 2 numbers, as in the other rows; "
            "mend the row, or leave the cell empty",
        ),
        (
            [[1.0, 2.0], [1.0, None]],
            "column 'e', row 1: a list with a gap or a number that is not finite; allowed: numbers "
            "only; fill the gap, or leave the cell empty",
        ),
        (
            [["a"], ["b"]],
            "column 'e': holds list<item: string>; allowed: a list of numbers in every row",
        ),
        ([1.0], "column 'e': holds double; allowed: a list of numbers in every row"),
    ],
)
def test_what_is_no_vector_is_refused_with_its_row(values, expected):
    with pytest.raises(DataError) as caught:
        Embedding.check("e", col(values))
    assert str(caught.value) == expected


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """Two families of eight: everyone is kin to all of the own family and to nobody else."""
    lines = [
        f"{family}{i}\tkin\t{family}{j}"
        for family in "ab"
        for i in range(8)
        for j in range(8)
        if i != j
    ]
    path = tmp_path / "graph.tsv"
    path.write_text("\n".join(lines))
    return path


def test_members_of_one_family_of_the_graph_have_like_vectors(graph):
    names = [f"{family}{i}" for family in "ab" for i in range(8)]
    result = Entity.fit("who", col(names), graph=str(graph), size=8).encode(col(names))
    unit = result / np.linalg.norm(result, axis=1, keepdims=True)
    likeness = unit @ unit.T
    same = likeness[:8, :8].mean() + likeness[8:, 8:].mean()
    assert same - 2 * likeness[:8, 8:].mean() > 0.5
    drawn = Entity.fit("who", col(names), graph=str(graph), size=8, pretrained=False)
    unit = drawn.encode(col(names))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    likeness = unit @ unit.T
    assert likeness[:8, :8].mean() + likeness[8:, 8:].mean() - 2 * likeness[:8, 8:].mean() < 0.5


def test_the_same_graph_gives_the_same_vectors_and_they_travel(graph):
    kind = Entity.fit("who", col(["a0", "b1"]), graph=graph.name, folder=str(graph.parent))
    again = Entity.fit("who", col(["a0", "b1"]), graph=str(graph))
    assert kind.state() == again.state()
    loaded = Entity.from_state(kind.state())
    assert np.array_equal(loaded.encode(col(["b7"])), kind.encode(col(["b7"])))
    assert kind.describe() == "16 entities, vectors of 32 numbers, learned from 112 triples"


def test_a_later_stranger_is_missing_and_named(graph):
    kind = Entity.fit("who", col(["a0", "b1"]), graph=str(graph))
    with pytest.warns(UserWarning, match=r"row 1: 'zoe' is not in the graph; 1 such value"):
        assert np.isnan(kind.encode(col(["a0", "zoe", None]))).all(1).tolist() == [
            False,
            True,
            True,
        ]


def test_faults_of_a_graph_name_the_file_and_the_line(graph, tmp_path):
    def fault(values, **options):
        with pytest.raises(DataError) as caught:
            Entity.fit("who", col(values), **options)
        return str(caught.value)

    assert fault(["a0", "b11"], graph=str(graph)) == (
        "column 'who', row 1: 'b11' is not in the graph; did you mean 'b1'?"
    )
    assert fault(["a0"], graph="nowhere.tsv").startswith(
        "column 'who': graph nowhere.tsv can't be read: no such file; give the path of a file"
    )
    bad = tmp_path / "bad.tsv"
    bad.write_text("a\tr\tb\na r b\n")
    assert fault(["a"], graph=str(bad)) == (
        f"{bad}:2: 1 part given; allowed: head, relation and tail, with a tab between them"
    )
    bad.write_text("a\tr\tb\n")
    assert fault(["a"], graph=str(bad)) == f"{bad}: 1 triples given; allowed: 2 or more"


def test_true_triples_score_higher_than_others_on_a_large_graph(monkeypatch):
    # A ring, scored against a sample of its nodes, as graphs of very many entities are.
    monkeypatch.setattr("superpose.functional._triples.MOST_SCORED", 20)
    ring = np.array([[i, 0, (i + 1) % 30] for i in range(30)])
    result = embed_triples(ring, entities=30, relations=1, size=16, epochs=60)
    # Nodes that are far apart on the ring have less in common than neighbours of one node.
    unit = result / np.linalg.norm(result, axis=1, keepdims=True)
    assert result.shape == (30, 16)
    assert np.isfinite(unit).all()


Vector = TARGET_KINDS["vector"]


def test_a_vector_is_scored_by_its_direction_and_among_those_of_all_rows():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(40, 6))
    kind = Vector.fit("e", col(true.tolist()))
    y = kind.encode(col([*true.tolist(), None]))
    right = kind.metrics(y, kind.distribution.point_mass(y))
    assert right["cosine"] == pytest.approx(1)
    assert (right["recall_at_1"], right["recall_at_10"], right["score"]) == (1, 1, 1)
    turned = kind.encode(col([*np.roll(true, 1, axis=0).tolist(), None]))
    wrong = kind.metrics(y, kind.distribution.point_mass(turned))
    assert wrong["recall_at_1"] == 0
    units = true / np.linalg.norm(true, axis=1, keepdims=True)
    assert wrong["cosine"] == pytest.approx((units * np.roll(units, 1, axis=0)).sum(axis=1).mean())


def test_a_long_vector_is_read_by_others_in_a_few_directions():
    rng = np.random.default_rng(0)
    short = Vector.fit("e", col(rng.normal(size=(20, 16)).tolist()))
    long = Vector.fit("e", col(rng.normal(size=(20, 17)).tolist()))
    assert short.observed.n_columns == long.observed.n_columns == 16
    y = long.encode(col([[1.0] * 17, None]))
    assert np.isfinite(long.observed.encode(y)[0]).all()
    assert np.isnan(long.observed.encode(y)[1]).all()


def test_vectors_of_another_length_are_refused():
    with pytest.raises(DataError, match="column 'e', row 1: a list of 1; allowed: lists of 2"):
        Vector.fit("e", col([[1.0, 2.0], [1.0]]))


def test_a_vector_is_learned_and_predicted_as_a_list():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    rows = pa.table(
        {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "e": (x @ rng.normal(size=(3, 5))).tolist()}
    )
    model = Superpose(
        [{"name": "e", "kind": "vector"}, "c"],
        references="none",
        model={"width": 32, "members": 1, "given": False},
        training={"epochs": 10, "learning_rate": 0.01},
        proof={"folds": 1},
    ).fit(rows)
    metrics = model.record.metrics["e"]
    assert metrics["deployed"]["cosine"] > 0.6 > metrics["baseline"]["cosine"], metrics
    assert metrics["deployed"]["recall_at_10"] > metrics["baseline"]["recall_at_10"], metrics
    assert [len(result) for result in model.predict(rows.slice(0, 3))["e"].to_pylist()] == [5] * 3
