"""Pages whose tables a command renews, so that text and figures do not part."""

import re
from collections.abc import Mapping

__all__ = ["with_tables"]


def with_tables(page: str, generated: Mapping[str, str]) -> str:
    """Return a page with its tables replaced.

    Args:
        page: Text with a pair of comments for each table: `<!-- table: name -->` and
            `<!-- end -->`.
        generated: Tables in Markdown, by name.

    Raises:
        KeyError: The page asks for a table that there is not.
    """

    def replaced(match: re.Match[str]) -> str:
        return f"{match[1]}\n\n{generated[match[2]]}\n\n<!-- end -->"

    return re.sub(r"(<!-- table: (\w+) -->).*?<!-- end -->", replaced, page, flags=re.DOTALL)
