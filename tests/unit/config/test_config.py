"""The settings: every fault at once, each with its line and what to do."""

from pathlib import Path

import pandas as pd
import pytest

from superpose.config import Config, ModelConfig, ProofConfig, SplitConfig, load_config
from superpose.errors import ConfigError
from superpose.kinds import TARGET_KINDS


def faults(tmp_path: Path, text: str) -> list[str]:
    """The faults of a settings file, without the folder."""
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return [fault.replace(str(path), "s.yaml") for fault in caught.value.faults]


TOP = (
    "data, sources, targets, groups, ignore, inputs, windows, split, model, training, balance, "
    "proof, deploy, seed"
)
KINDS = ", ".join(TARGET_KINDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("targts: [a]", ["s.yaml:1: targets: the key is missing; add it",
            f"s.yaml:1: targts: unknown key; allowed: {TOP}; did you mean 'targets'?"]),
        ("targets: [a]\nwidth: 3",
            [f"s.yaml:2: width: unknown key; allowed: {TOP}; it belongs under model"]),
        ("targets: [a]\nsplit:\n  seed: 3",
            ["s.yaml:3: split.seed: unknown key; allowed: by, column, groups, validation, test; "
             "it belongs to the top of the settings"]),
        ("targets: [{name: a, kid: number}]",
            ["s.yaml:1: targets[0].kid: unknown key; allowed: name, kind, missing, decimal, "
             "weight, and the options of its kind; did you mean 'kind'?"]),
        ("targets: [b, {name: a, kind: numbr}]",
            [f"s.yaml:1: targets[1].kind: 'numbr' given; allowed: {KINDS}; "
             "did you mean 'number'?"]),
        ("targets: [{name: a, kind: date}]",
            [f"s.yaml:1: targets[0].kind: 'date' given; allowed: {KINDS}; "
             "date is a kind of input only"]),
        ("targets: []", ["s.yaml:1: targets: an empty list given; allowed: a list of 1 or more"]),
        ("targets:", ["s.yaml:1: targets: nothing given; allowed: a list"]),
        ("targets: a", ["s.yaml:1: targets: 'a' given; allowed: a list"]),
        ("targets: ['']", ["s.yaml:1: targets[0].name: '' given; "
            "allowed: a name that is not empty"]),
        ("targets: [true]", ["s.yaml:1: targets[0].name: true given; allowed: a word"]),
        ("targets:\n- a\n- [a]", ["s.yaml:3: targets[1]: a list given; allowed: keys with values"]),
        ("targets: [{kind: number}]", ["s.yaml:1: targets[0].name: the key is missing; add it"]),
        ("targets: [{name: a, weight: 0}]",
            ["s.yaml:1: targets[0].weight: 0 given; allowed: 1e-06 or more"]),
        ("targets: [{name: a, kind: number, levels: [1, 2]}]",
            ["s.yaml:1: targets[0].levels: levels given for a column of kind number; levels "
             "belongs to kind ordinal or mask or boxes; remove it, or write `kind: ordinal`"]),
        ("targets: [a]\ninputs: [{name: b, kind: number, levels: [1, 2]}, {name: c, sise: 3}]",
            ["s.yaml:2: inputs[0].levels: unknown key; allowed: name, kind, missing, decimal",
             "s.yaml:2: inputs[1].sise: unknown key; allowed: name, kind, missing, decimal, and "
             "the options of its kind; did you mean 'size'?"]),
        ("targets: [{name: a, levels: [1, 1]}]",
            ["s.yaml:1: targets[0].levels: '1' stands twice; remove one"]),
        ("targets: [{name: a, kind: ordinal, levels: [1]}]",
            ["s.yaml:1: targets[0].levels: a list given; allowed: a list of 2 or more"]),
        ("targets: [a, a]", ["s.yaml:1: targets[1]: 'a' stands twice; remove one"]),
        ("targets: [a]\nignore: [a]\ninputs: [b, b, {name: a}]",
            ["s.yaml:2: ignore[0]: 'a' is also a target; "
             "a column is one thing; keep it under one key",
             "s.yaml:3: inputs[1]: 'b' stands twice; remove one",
             "s.yaml:3: inputs[2]: 'a' is also a target; "
             "a column is one thing; keep it under one key"]),
        ("targets: [a]\ninputs: atuo",
            ["s.yaml:2: inputs: 'atuo' given; allowed: auto or a list; did you mean 'auto'?"]),
        ("targets: [a]\ninputs: []",
            ["s.yaml:2: inputs: an empty list given; allowed: auto or a list of 1 or more"]),
        ("targets: [a]\ninputs: {b: number}",
            ["s.yaml:2: inputs: a mapping given; allowed: auto or a list"]),
        ("targets: [a]\nsplit: {by: group, column: a}",
            ["s.yaml:2: split.column: 'a' is also a target; "
             "split by another column, or take the target out"]),
        ("targets: [a]\nsplit: {by: group}",
            ["s.yaml:2: split.column: no column given for a split by group; "
             "add `column:` with the name of the group column"]),
        ("targets: [a]\nsplit: {by: time, column: c, groups: d}",
            ["s.yaml:2: split.groups: 'd' given for a split by time; "
             "allowed: for a split by column only; "
             "write `by: group` and name it as `column`, or remove it"]),
        ("targets: [a]\nsplit: {by: column, column: c, groups: a}",
            ["s.yaml:2: split.groups: 'a' is also a target; "
             "split by another column, or take the target out"]),
        ("targets: [a]\nsplit: {by: column, column: c, groups: c}",
            ["s.yaml:2: split.groups: 'c' given, which is the column of train, validation and "
             "test; name the column whose equal values depend on each other, or remove it"]),
        ("targets: [a]\nsplit: {column: c}",
            ["s.yaml:2: split.column: 'c' given for a split by stratified; "
             "write `by: group`, `by: time` or `by: column`, or remove the column"]),
        ("targets: [a]\nsplit: {validation: 0.5, test: 0.5}",
            ["s.yaml:2: split.test: validation 0.5 and test 0.5 leave nothing to train on; "
             "allowed: together below 1; make one smaller"]),
        ("targets: [a]\nmodel: {fusion: attention}",
            ["s.yaml:2: model.fusion: 'attention' given; allowed: task-attention, static, "
             "inducing, cross-stitch, mmoe, ple, adatt, mtan, born, born-real, signed, essay, "
             "none; did you mean 'task-attention'?"]),
        ("targets: [a]\nmodel: 5", ["s.yaml:2: model: 5 given; allowed: keys with values"]),
        ("targets: [a]\ntraining: {epochs: 1.5, clip: .inf}",
            ["s.yaml:2: training.epochs: 1.5 given; allowed: a whole number",
             "s.yaml:2: training.clip: inf given; allowed: a finite number"]),
        ("targets: [a, b]\nbalance: {method: upgrd, every: 0}",
            ["s.yaml:2: balance.method: 'upgrd' given; allowed: sum, log, uw, dwa, rlw, imtl-l, "
             "gls, stch, pbi, cosmos, famo, gradnorm, db-mtl, mgda, pcgrad, gradvac, cagrad, "
             "imtl-g, nash-mtl, aligned-mtl, fairgrad, config, upgrad, dualproj, pcd; "
             "did you mean 'upgrad'?",
             "s.yaml:2: balance.every: 0 given; allowed: 1 or more"]),
        ("targets: [a, b]\nbalance: mgada",
            ["s.yaml:2: balance.method: 'mgada' given; allowed: sum, log, uw, dwa, rlw, imtl-l, "
             "gls, stch, pbi, cosmos, famo, gradnorm, db-mtl, mgda, pcgrad, gradvac, cagrad, "
             "imtl-g, nash-mtl, aligned-mtl, fairgrad, config, upgrad, dualproj, pcd; "
             "did you mean 'mgda'?"]),
        ("targets: [a, b]\nbalance: {method: dwa, options: {temprature: 2, temperature: -1}}",
            ["s.yaml:2: balance.options.temprature: 'temprature' given for dwa; allowed: "
             "temperature; did you mean 'temperature'?",
             "s.yaml:2: balance.options.temperature: -1 given; allowed: 0.01 to 1e+06"]),
        ("targets: [a, b]\nbalance: {method: mgda, options: {c: 2}}",
            ["s.yaml:2: balance.options.c: 'c' given for mgda; "
             "allowed: none, mgda has no options"]),
        ("targets: [a, b]\nbalance: {method: cagrad, options: {c: 2}}",
            ["s.yaml:2: balance.options.c: 2 given; allowed: 0 to 1"]),
        ("targets: [a]\nbalance: upgrad",
            ["s.yaml:2: balance: 'upgrad' given for one target; allowed: sum; there is nothing to "
             "balance; remove it, or add a target"]),
        ("targets: [a]\ntraining: {epochs: '100', batch_size: 0}",
            ["s.yaml:2: training.epochs: '100' given; allowed: a whole number",
             "s.yaml:2: training.batch_size: 0 given; allowed: auto or 1 or more"]),
        ("targets: [a]\nproof: {folds: 0, trees: [hst]}",
            ["s.yaml:2: proof.trees[0]: 'hst' given; allowed: hist, catboost, lightgbm; "
             "did you mean 'hist'?",
             "s.yaml:2: proof.folds: 0 given; allowed: auto or 1 or more"]),
        ("targets: [a]\nproof: {alpha: 0.5}",
            ["s.yaml:2: proof.alpha: 0.5 given; allowed: below 0.5"]),
        ("targets: [a]\nseed: -1\nseed: 2",
            ["s.yaml:3: seed: the key stands here and on line 2; remove one"]),
        (f"targets: [a]\nseed: {2**32}",
            [f"s.yaml:2: seed: {2**32} given; allowed: {2**32 - 1} or less"]),
        ("targets: [a]\nseed: true", ["s.yaml:2: seed: true given; allowed: a whole number"]),
        ("a: [", ["s.yaml:1: not valid YAML (expected the node content, but found "
            "'<stream end>'); check the indentation, the colons and the quotes of this line"]),
        ("a: \x07", ["s.yaml: not valid YAML (unacceptable character #x0007: special characters "
            'are not allowed in "<unicode string>", position 3)']),
        ("- a", ["s.yaml:1: a list given; allowed: keys with values, such as `targets: [a, b]`"]),
        ("abc", ["s.yaml:1: a word given; allowed: keys with values, such as `targets: [a, b]`"]),
        ("", ["s.yaml: the file is empty; fill it or name another"]),
        ("# nothing", ["s.yaml: the file holds no settings; write at least `targets:`"]),
        ("targets: &x [a]\nignore: *x",
            ["s.yaml:2: ignore: an alias (*x) given; write the values out"]),
        ("targets: [!!python/name:os.system a]",
            ["s.yaml:1: targets[0]: the tag tag:yaml.org,2002:python/name:os.system given; "
             "use words, numbers only"]),
        ("? [a]\n: 1", ["s.yaml:1: a key that is no word given; write `key: value`"]),
        ("seed: !!int abc", ["s.yaml:1: seed: 'abc' given (invalid literal for int() with base 10:"
            " 'abc'); write a plain number"]),
    ],
)  # fmt: skip
def test_every_fault_is_named_with_line_and_remedy(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    assert faults(tmp_path, text) == expected


def test_faults_of_all_sections_are_gathered_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "seed: -1\ntraining:\n  epoch: 3\nmodel:\n  widt: 1\ntargets: [a, a]\nsplit: {by: tim}"
    positions = [fault.split(": ")[0] for fault in faults(tmp_path, text)]
    assert positions == [f"s.yaml:{line}" for line in (1, 3, 5, 6, 7)]


def test_a_column_that_is_not_named_is_no_target_called_none(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("targets: [a, None]\nsplit: {by: column, column: c}", encoding="utf-8")
    assert load_config(path).split.groups is None


def test_a_missing_settings_file_is_named_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "superpose.yaml").write_text("targets: [a]")
    with pytest.raises(ConfigError, match=r"no such file; did you mean 'superpose.yaml'\?"):
        load_config(tmp_path / "superpse.yaml")


def test_settings_in_another_encoding_are_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes("targets: [a]\ndata: hélas.csv".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"s.yaml:2: byte 20 \(0xe9\) is not UTF-8"):
        load_config(path)


def test_words_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("targets: [NO, on, 2020-01-01, 3, 012]\ntraining: {learning_rate: 1e-3}")
    config = load_config(path)
    names = [target.name for target in config.targets]
    assert names == ["NO", "on", "2020-01-01", "3", "12"]
    assert config.training.learning_rate == 1e-3


def test_a_section_whose_lines_are_commented_out_means_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("targets: [a]\nsplit:\n#  by: random\nignore:\ninputs:\n")
    assert load_config(path) == Config.from_arguments(targets="a")


def test_data_is_found_from_the_folder_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("data: tables/a.csv\ntargets: [a]")
    config = load_config(path)
    assert config.data_path == tmp_path / "tables" / "a.csv"
    assert config.at("targets", 0, "name") == f"{path}:2: targets[0].name"
    assert Config.from_arguments(targets="a", data="b.csv").data_path == Path("b.csv")
    assert Config.from_arguments(targets="a").data_path is None


def test_settings_survive_being_written_and_read(tmp_path: Path) -> None:
    config = Config.from_arguments(
        targets=["NO", {"name": "level", "kind": "ordinal", "levels": ["low", "high"]}],
        inputs=["a", {"name": "1e5", "kind": "text"}],
        split={"by": "time", "column": "2020-01-01"},
        training={"learning_rate": 1e-5, "max_minutes": 2.5},
        references="trees",
        seed=7,
    )
    path = tmp_path / "s.yaml"
    path.write_text(config.to_yaml(), encoding="utf-8")
    assert load_config(path) == config


def test_arguments_take_the_forms_that_people_type() -> None:
    config = Config.from_arguments(
        targets={"a": "number", "b": "binary"},
        ignore="c",
        split="random",
        proof=ProofConfig(alpha=0.1),
        model=ModelConfig(width=64),
        references="none",
    )
    assert [(target.name, target.kind) for target in config.targets] == [
        ("a", "number"),
        ("b", "binary"),
    ]
    assert config.ignore == ["c"]
    assert config.split == SplitConfig(by="random")
    assert (config.proof.references, config.proof.alpha, config.model.width) == ("none", 0.1, 64)


def test_faulty_arguments_are_named_without_a_file() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_arguments(targets=["a", "a"], split="tim", model={"widt": 3}, seed=-1)
    assert [fault.split(": ")[0] for fault in caught.value.faults] == [
        "split.by",
        "model.widt",
        "seed",
        "targets[1]",
    ]


def test_columns_may_come_in_any_collection_or_not_at_all() -> None:
    for names in (("b", "a"), {"a", "b"}, pd.Index(["a", "b"]), dict.fromkeys("ab").keys()):
        assert sorted(Config.from_arguments(targets="y", ignore=names).ignore) == ["a", "b"]
    assert [t.name for t in Config.from_arguments(targets=set("dcba")).targets] == list("abcd")
    assert Config.from_arguments(targets="y", ignore=None).ignore == []  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="ignore: 3 given; allowed: a list"):
        Config.from_arguments(targets="y", ignore=3)  # type: ignore[arg-type]
