import inspect

import shared
from shared import errors


def test_the_list_of_exports_is_sorted_and_whole() -> None:
    offered = {
        name
        for name, value in vars(shared).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert shared.__all__ == sorted(offered)


def test_every_error_can_be_caught_by_a_name_of_the_package() -> None:
    assert set(errors.__all__) <= set(shared.__all__)
    for name in errors.__all__:
        assert issubclass(getattr(shared, name), shared.SignalRError)
