"""How Sphinx builds the documentation.

Its source is the whole repository, so that a relative link means the same on the site as in a
repository browser: a page becomes a page, and any other file can be downloaded.
"""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx

_HERE: Final = Path(__file__).parent
sys.path[:0] = [str(_HERE.parent)]

from docs.reference import (  # noqa: E402
    AsWritten,
    document_client_methods,
    resolve_exported_name,
)

project = "Keyless SignalR"
html_title = project
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "emulator/README.md",
    "emulator/docs/*.md",
    "funchost/README.md",
    "interop/README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]
exclude_patterns = ["**/.*", "**/_build", "**/node_modules", "**/__pycache__", "**/tests"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # the two pages about the emulator begin as they like

nitpicky = True
# What is not ours has no page here, and a word in backticks need not be a name.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!(shared|signalr_emulator)\b).*"),
    (r"py:obj", r".*"),
]
default_role = "py:obj"  # in docstrings; pages are Markdown
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
napoleon_use_rtype = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_additional_pages = {"index": "to_start.html"}
templates_path = ["_templates"]

linkcheck_ignore = [r"https?://(127\.0\.0\.1|localhost)\b.*", r"https://[^/]*contoso\..*"]


def setup(app: "Sphinx") -> None:
    """Connect what is particular to these pages."""
    document_client_methods()
    as_written = AsWritten()
    for step, priority in ((as_written.save, 1), (as_written.restore, 999)):
        app.connect("autodoc-process-docstring", _with_docstring(step), priority)
    app.connect("source-read", _make_navigation)
    app.connect("source-read", _lead_to_start)
    app.connect("missing-reference", resolve_exported_name)


def _with_docstring(
    step: "Callable[[str, str, list[str]], None]",
) -> "Callable[..., None]":
    """Return a listener that gives a step what it needs of the event."""
    return lambda _app, what, name, _documented, _options, lines: step(what, name, lines)


def _make_navigation(app: "Sphinx", page: str, text: list[str]) -> None:  # noqa: ARG001  the event's
    """Make the site's navigation of the links on the start page, a section of each heading."""
    if page != root_doc:
        return
    for section in re.split(r"^## ", text[0], flags=re.MULTILINE)[1:]:
        caption, _, rest = section.partition("\n")
        pages = re.findall(r"^- \[.*?\]\(([^:()]+)\.md\)", rest, re.MULTILINE)
        lines = ("```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```")
        text[0] += "\n".join(("", *lines, "")) if pages else ""


def _lead_to_start(app: "Sphinx", page: str, text: list[str]) -> None:  # noqa: ARG001  the event's
    """Let links to the repository's README lead to the start page, which stands for it here."""
    root = "../" * page.count("/")
    text[0] = re.sub(
        rf"\]\({re.escape(root)}README\.md(#[^)]*)?\)", f"]({root}{root_doc}.md)", text[0]
    )
