"""Targets with a label for each word share one network with all others."""

import pyarrow as pa
import pytest

from superpose.audit import prepare
from superpose.data import Config
from superpose.errors import ConfigError


def test_groups_are_refused_beside_labels_of_words():
    table = pa.table(
        {
            "words": [["fly", "to", "oslo"], ["fares", "to", "lima"]] * 40,
            "slots": [["O", "O", "B-city"], ["O", "O", "B-city"]] * 40,
            "intent": ["flight", "fare"] * 40,
            "x": [0.5 * i for i in range(80)],
        }
    )
    config = Config.from_arguments(
        targets=["intent", {"name": "slots", "kind": "tokens", "of": "words"}, "x"],
        groups=[["intent", "slots"]],
    )
    wanted = (
        "groups: given beside slots, which has a head of another form; "
        "remove the groups: such targets share one network with all others"
    )
    with pytest.raises(ConfigError, match=wanted):
        prepare(table, config)
