"""Every target with its seeds and some more inputs: the short form of `make fuzz`."""

import warnings

import pytest

from fuzz.examples import FindingError, examples
from fuzz.target import Target
from fuzz.targets import TARGETS

EXAMPLES = 12


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_no_input_breaks_it(target: Target) -> None:
    with warnings.catch_warnings(action="ignore", category=FutureWarning):
        examples(target, EXAMPLES, repeatable=True)


def test_a_broken_target_is_found_and_its_input_is_small() -> None:
    def breaks(data: bytes) -> None:
        assert b"\xff" not in data

    with pytest.raises(FindingError) as caught:
        examples(Target("breaks", breaks, (b"seed",)), 2_000, repeatable=True)
    assert caught.value.data == b"\xff"
