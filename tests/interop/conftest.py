from collections.abc import Iterator

import pytest

from interop.app import App, app


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with app(tmp_path_factory.mktemp("app")) as started:
        yield started
