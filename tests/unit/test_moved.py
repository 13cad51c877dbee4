"""Names that could be imported before go on for one version, with a warning of the new ones."""

import importlib

import pytest

MOVED = [
    ("superpose.data", "Config", "superpose.config"),
    ("superpose.data", "load_config", "superpose.config"),
    ("superpose.data.kinds", "mask_array", "superpose.kinds"),
    ("superpose.data.kinds", "TARGET_KINDS", "superpose.kinds"),
    ("superpose.functional", "holm", "superpose.distributions"),
    ("superpose.nn", "PlaceHead", "superpose.nn.LocationHead"),
]


@pytest.mark.parametrize(("module", "name", "home"), MOVED)
def test_an_old_name_gives_the_new_thing_and_a_warning(module: str, name: str, home: str) -> None:
    old = importlib.import_module(module)
    with pytest.warns(FutureWarning, match=f"{module}.{name} is now {home}") as caught:
        value = getattr(old, name)
    assert value.__name__ if callable(value) else len(value)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("module", ["superpose.data", "superpose.data.kinds", "superpose.nn"])
def test_a_name_that_never_was_is_an_error(module: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'nothing'"):
        importlib.import_module(module).nothing  # noqa: B018
