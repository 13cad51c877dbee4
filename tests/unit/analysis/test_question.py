"""Questions of a measurement: what makes no sense is refused, all of it at once."""

import pytest

from superpose.analysis import Question
from superpose.errors import DataError

TARGETS = ["weight", "sick", "calls", "sort", "level", "tags"]


def among(codec, given, whole, **question):
    """The candidates, once the question is known to make sense."""
    return Question(**question).among(codec, given=given, whole=whole).candidates


def test_what_could_be_measured_is_what_is_neither_given_nor_wanted(codec):
    rest = ["calls", "sort", "level", "tags"]
    assert among(codec, ["sick"], ["sick"], want=["weight"]) == rest
    assert among(
        codec, ["sick"], ["sick"], want=["weight"], candidates=["tags"], cost={"tags": 2.0}
    ) == ["tags"]


def test_what_some_rows_lack_can_be_measured_there(codec):
    found = among(codec, ["sick", "calls"], ["calls"], want=["weight"])
    assert found == ["sick", "sort", "level", "tags"]


@pytest.mark.parametrize(
    ("given", "want", "candidates", "cost", "text"),
    [
        ([], [], None, {}, r"want: no target is named; allowed: .*; name the targets whose"),
        ([], ["wieght"], None, {}, r"want: 'wieght' is no target .*did you mean 'weight'\?"),
        ([], ["weight"], ["sik"], {}, r"candidates: 'sik' is no target .*did you mean 'sick'\?"),
        ([], ["weight"], None, {"cals": 1.0}, r"cost: 'cals' is no target .*mean 'calls'\?"),
        (["sick"], ["sick"], None, {}, r"want: 'sick' is both given and wanted; what is measured"),
        ([], ["weight"], None, {"sick": 0.0}, r"cost\['sick'\]: 0.0 given; allowed: a number abo"),
        ([], ["weight"], None, {"sick": -1}, r"cost\['sick'\]: -1 given; allowed"),
        ([], ["weight"], None, {"sick": float("nan")}, r"cost\['sick'\]: nan given; allowed"),
        ([], TARGETS, None, {}, r"candidates: every target is given or wanted, so none is left"),
        ([], ["weight"], [], {}, r"candidates: every target is given or wanted, so none is left"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(codec, given, want, candidates, cost, text):
    with pytest.raises(DataError, match=text):
        among(codec, given, given, want=want, candidates=candidates, cost=cost)


def test_all_faults_of_a_plan_are_named_at_once(codec):
    with pytest.raises(DataError) as caught:
        among(codec, ["sick"], [], want=["sick", "zzz"], candidates=["yyy"], cost={"xxx": -1.0})
    assert len(caught.value.faults) == 5
