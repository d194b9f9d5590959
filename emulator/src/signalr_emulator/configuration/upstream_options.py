"""The options of the command that say where events go."""

import argparse
from dataclasses import replace
from pathlib import Path

from ..errors import UpstreamSettingsError
from ..upstream.settings import (
    SERVICE_RETRY_DELAYS,
    UpstreamConfig,
    UpstreamTemplate,
    parse_template,
)
from ..upstream.settings_file import UpstreamFile

__all__ = ["add_upstream_options", "upstream_config"]


def add_upstream_options(parser: argparse.ArgumentParser, defaults: UpstreamConfig) -> None:
    """Add the options to a parser.

    Args:
        parser: Gets them.
        defaults: What counts where nothing is chosen.
    """
    parser.add_argument(
        "--upstream",
        action="append",
        type=_template,
        metavar="TEMPLATE",
        help="where events of clients go: a URL that may hold {hub}, {category} and {event}, then"
        " any of hub=, category=, event= with *, a name or a,b, and managed-identity=AUDIENCE,"
        " with spaces between them; may be repeated, the first that matches counts%(default).0s",
    )
    parser.add_argument(
        "--upstream-settings",
        type=_settings_file,
        metavar="FILE",
        help="the official emulator's settings.json, whose templates come after those of"
        " --upstream; read again when it changes%(default).0s",
    )
    parser.add_argument(
        "--upstream-retries",
        action="store_const",
        const=SERVICE_RETRY_DELAYS,
        default=defaults.retry_delays,
        help="repeat a request to an upstream that gets no response, 408 or 5xx: after 1, 3 and 5"
        " seconds%(default).0s",
    )
    parser.add_argument(
        "--upstream-whole-query",
        action=argparse.BooleanOptionalAction,
        default=defaults.whole_query,
        help="leave access_token and id in the client's query that upstreams get, to try an app"
        " with them",
    )


def upstream_config(options: argparse.Namespace, defaults: UpstreamConfig) -> UpstreamConfig:
    """Give what was chosen about upstream requests.

    Args:
        options: What a parser with the options gave.
        defaults: What counts where nothing was chosen.
    """
    return replace(
        defaults,
        templates=tuple(options.upstream or defaults.templates),
        settings_file=options.upstream_settings or defaults.settings_file,
        retry_delays=options.upstream_retries,
        whole_query=options.upstream_whole_query,
    )


def _template(text: str) -> UpstreamTemplate:
    try:
        return parse_template(text)
    except UpstreamSettingsError as error:
        raise argparse.ArgumentTypeError(f"the template {error}") from error


def _settings_file(name: str) -> Path:
    path = Path(name)
    try:
        UpstreamFile(path)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{name}: {error.strerror}") from error
    except UpstreamSettingsError as error:
        raise argparse.ArgumentTypeError(f"{name}: {error}") from error
    return path
