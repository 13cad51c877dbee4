"""The error house: one order of words, places, near words, faults gathered."""

import copy

import pytest

from superpose.errors import (
    BundleError,
    ConfigError,
    DataError,
    Faults,
    MissingExtraError,
    SuperposeError,
    TrainingError,
    did_you_mean,
    key_path,
    listing,
    location,
    message,
    printable,
)


@pytest.mark.parametrize("error", [ConfigError, DataError, TrainingError, BundleError])
def test_every_user_error_is_a_superpose_error(error: type[SuperposeError]) -> None:
    assert issubclass(error, SuperposeError)


def test_one_fault_is_printed_as_it_is() -> None:
    assert str(DataError("a: wrong")) == "a: wrong"


def test_several_faults_are_counted_and_listed() -> None:
    assert str(DataError("a", "b")) == "2 faults:\n  - a\n  - b"
    assert DataError("a", "b").faults == ("a", "b")


def test_a_missing_extra_is_an_import_error_with_its_install_line() -> None:
    error = MissingExtraError("pillow", "vision", "reading images")
    assert isinstance(error, ImportError)
    assert str(error) == (
        'reading images: the package pillow is not installed; run: pip install "superpose[vision]"'
    )
    assert str(copy.copy(error)) == str(error)


def test_faults_of_other_errors_join_and_raise_together() -> None:
    faults = Faults(ConfigError)
    faults.raise_any()
    faults.add("seed", "-1 given", "0 or more")
    faults.extend(DataError("b", "c"))
    with pytest.raises(ConfigError) as caught:
        faults.raise_any()
    assert caught.value.faults == ("seed: -1 given; allowed: 0 or more", "b", "c")


def test_a_message_leaves_out_what_is_empty() -> None:
    assert message("w", "g") == "w: g"
    assert message("", "g", fix="f") == "g; f"
    assert message("w", "g", "a", fix="f") == "w: g; allowed: a; f"


@pytest.mark.parametrize(
    ("place_of", "text"),
    [
        ({"file": "a.csv"}, "a.csv"),
        ({"file": "a.csv", "line": 3}, "a.csv:3"),
        ({"key": "seed"}, "seed"),
        ({"column": "x"}, "column 'x'"),
        ({"column": "x", "row": 0}, "column 'x', row 0"),
        ({"row": 4}, "row 4"),
        ({"file": "a.yaml", "line": 1, "key": "inputs[0]", "column": "x"},
         "a.yaml:1: inputs[0]: column 'x'"),
    ],
)  # fmt: skip
def test_a_location_is_written_from_wide_to_narrow(place_of: dict, text: str) -> None:
    assert location(**place_of) == text


def test_a_key_path_reads_as_typed() -> None:
    assert key_path(["targets", 2, "kind"]) == "targets[2].kind"
    assert key_path([]) == ""


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("pm25", ["PM10", "PM2.5"], "did you mean 'PM2.5'?"),
        ("targts", ["data", "targets"], "did you mean 'targets'?"),
        ("zebra", ["data", "targets"], ""),
        ("", ["data"], ""),
        ("?", ["!"], ""),
    ],
)
def test_near_words_are_found_and_far_ones_are_not(word: str, known: list, hint: str) -> None:
    assert did_you_mean(word, known) == hint


def test_a_long_listing_is_counted() -> None:
    assert listing(range(14)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"
    assert listing([]) == ""


HOSTILE = "a\x1b[2J\x1b]0;owned\x07\r\nerror: none\u202eb\x9bc\ud800"
SHOWN = r"a\x1b[2J\x1b]0;owned\x07\r\nerror: none\u202eb\x9bc\ud800"


def test_names_can_not_write_over_what_is_on_the_screen():
    assert printable(HOSTILE) == SHOWN
    assert printable("a\tb\n\x1b", keep="\n\t") == "a\tb\n\\x1b"
    assert location(file=HOSTILE, line=3) == f"{SHOWN}:3"
    assert location(column="a\x1b", row=1) == r"column 'a\x1b', row 1"
    assert key_path(["targets", 0, HOSTILE]) == f"targets[0].{SHOWN}"
    assert listing([HOSTILE, "b"]) == f"{SHOWN}, b"


NAMES = ["Größe", "温度 °C", "a\u00a0b", "می\u200cخواهم", "👩\u200d🔬", "🇩🇪"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_language_stay_as_they_are(name):
    assert printable(name) == name
