"""Pages in Chromium, which a test uses as people do."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from typing import IO, Any, cast

from tests.e2e.processes import E2E

__all__ = ["Browser", "Page", "browser"]


class Browser:
    """Headless Chromium, driven by `browser.mjs`, which does one thing at a time.

    Args:
        process: The process of that program.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def do(self, command: str, **details: object) -> Any:  # noqa: ANN401  JSON
        """Do what `browser.mjs` has a name for.

        Raises:
            AssertionError: It cannot be done, or was waited for in vain.
        """
        line = json.dumps({"do": command, **details})
        keyboard = cast("IO[str]", self._process.stdin)
        keyboard.write(f"{line}\n")
        keyboard.flush()
        answer = json.loads(cast("IO[str]", self._process.stdout).readline())
        assert "error" not in answer, f"{line}\n{answer['error']}"
        return answer["value"]

    def open(self, name: str, url: str, **options: object) -> "Page":
        """Open an address.

        Args:
            name: What the page is called in what is done with it.
            url: The address.
            options: `width` and `height` in pixels, `colorScheme`; or `beside`, the name of a page
                of the same person.
        """
        self.do("open", page=name, url=url, **options)
        return Page(self, name)

    @property
    def errors(self) -> list[str]:
        """What no page has caught."""
        return cast("list[str]", self.do("errors"))


class Page:
    """A page.

    Args:
        browser: Where it is open.
        name: What it is called.
    """

    def __init__(self, browser: Browser, name: str) -> None:
        self._browser = browser
        self.name = name

    def do(self, command: str, **details: object) -> Any:  # noqa: ANN401  JSON
        """Do what `browser.mjs` has a name for; what fails comes with what the page shows."""
        try:
            return self._browser.do(command, page=self.name, **details)
        except AssertionError as error:
            shown = self._browser.do("read", page=self.name, selector="body")
            raise AssertionError(f"{error}\n{shown}") from None

    def see(self, selector: str, text: str = "") -> None:
        """Wait until an element shows this text."""
        self.do("see", selector=selector, text=text)

    def miss(self, selector: str, text: str = "") -> None:
        """Wait until no element shows this text any more."""
        self.do("miss", selector=selector, text=text)

    def until(self, expression: str) -> None:
        """Wait until an expression is true."""
        self.do("until", expression=expression)

    def read(self, selector: str) -> list[str]:
        """Return the texts of the elements that can be seen."""
        return cast("list[str]", self.do("read", selector=selector))

    def click(self, name: str, role: str = "button") -> None:
        """Click what has a role and a name."""
        self.do("click", role=role, name=name)

    def write(self, label: str, text: str) -> None:
        """Write into the field with a label, and press Enter."""
        self.do("write", label=label, text=text)

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401  JSON
        """Return the value of an expression."""
        return self.do("evaluate", expression=expression)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Run Chromium until the end of the block."""
    with subprocess.Popen(
        ["node", str(E2E / "browser.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Browser(process)
        cast("IO[str]", process.stdin).close()
