"""The command line of the doctor."""

import argparse
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from shared.command.local_settings import SettingsFileError
from shared.errors import SettingsError
from shared.settings.environment import Settings

from .checks.app import AppUnderTest
from .checks.endpoint import EndpointUnderTest
from .configuration import (
    Configuration,
    check_hub,
    describe,
    read_configuration,
    why_refresh_is_off,
)
from .finding import Diagnosis, Finding
from .plan import APP_CHECKS, ENDPOINT_CHECKS
from .redaction import Secrets, secrets_of
from .report import JsonReport, TextReport, exit_status
from .runner import Result, Runner

__all__ = ["main"]

_USAGE_ERROR: Final = 2
_INTERRUPTED: Final = 130
_ORIGIN: Final = re.compile(r"https?://[^/\s?#@]+")
_SECONDS: Final = 30.0

type Report = TextReport | JsonReport


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a configuration.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(arguments)
    # azure-identity warns in its log of what is told here in better words.
    logging.getLogger().addHandler(logging.NullHandler())
    report = JsonReport(sys.stdout) if options.json else TextReport(sys.stdout, os.environ)
    try:
        configuration = read_configuration(options.settings, os.environ, options.app_url or "")
        settings = Settings.from_environment(configuration.environment)
    except SettingsFileError as error:
        return _refuse(report, Diagnosis(error.problem, error.fix))
    except SettingsError as error:
        problem, _, example = str(error).rpartition(". Example: ")
        return _refuse(report, Diagnosis(problem, f"Set it, for example: {example}"))
    # azure-identity looks for the settings of credentials in the process's environment.
    os.environ.update(configuration.environment)
    results: list[Result] = []
    try:
        for result in _results(options, configuration, settings, report):
            report.ended(result)
            results.append(result)
    except KeyboardInterrupt:
        return _INTERRUPTED
    report.finish(results)
    return exit_status(results)


def _results(
    options: argparse.Namespace, configuration: Configuration, settings: Settings, report: Report
) -> Iterator[Result]:
    secrets = secrets_of(settings)
    hub, hub_finding = check_hub(settings, options.hub)
    report.heading("Configuration")
    yield Result("settings", "Settings", "", describe(settings, configuration))
    yield Result("hub", "Hub", "", hub_finding)
    runner = Runner(options.timeout, secrets, report.began)
    url = options.app_url or configuration.app_url
    path = urlsplit(url).path
    base_path = path or configuration.base_path
    refresh_off = why_refresh_is_off(configuration.environment)
    for each in settings.endpoints:
        endpoint = each.endpoint
        report.heading(f"Endpoint {endpoint.name}, {endpoint.type.value}")
        with closing(
            EndpointUnderTest(
                each,
                hub,
                settings.application,
                settings.token_origin,
                options.origin or "",
                base_path,
                refresh_off,
            )
        ) as tested:
            yield from runner.run(ENDPOINT_CHECKS, tested, endpoint.name)
    report.heading("Function app")
    if url:
        address = url.removesuffix(path)
        with closing(
            AppUnderTest(address, base_path, settings, hub, options.origin or "", refresh_off)
        ) as app:
            yield from runner.run(APP_CHECKS, app)
    else:
        reason = "no --app-url is given, and none runs here"
        yield Result("app", "Function app", "", Finding.skipped(reason))


def _refuse(report: Report, diagnosis: Diagnosis) -> int:
    """Report settings with which nothing can be checked."""
    hide = Secrets().hide
    finding = Finding.failed(Diagnosis(hide(diagnosis.summary), hide(diagnosis.fix)))
    result = Result("settings", "Settings", "", finding)
    report.heading("Configuration")
    report.ended(result)
    report.finish([result])
    return _USAGE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m doctor",
        description="Checks the settings of this app step by step against the SignalR service that"
        " they name, and prints what is wrong and how to fix it.",
        epilog="It connects one client, whose connection the app's own upstream handlers see, as"
        " user doctor-…, and sends messages to that client and to names that nobody has. No token"
        " or key is ever printed. Exit status: 0 all is well, warnings included; 1 something is"
        " broken; 2 wrong usage, or the settings cannot be read; 130 after Ctrl-C.",
    )
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="settings file; the process environment wins over it (default: what make start runs,"
        " else local.settings.json if it exists)",
    )
    parser.add_argument("--hub", help="hub to check (default: the app's default hub)")
    parser.add_argument(
        "--origin",
        type=_origin,
        metavar="URL",
        help="origin of a web page, https://contoso.com: check that browsers let its clients in",
    )
    parser.add_argument(
        "--app-url",
        type=_app_url,
        metavar="URL",
        help="address of the function app, https://<app>.azurewebsites.net; a path in it stands for"
        " the route prefix of host.json (default: the app that runs here)",
    )
    parser.add_argument(
        "--timeout",
        type=_positive,
        default=_SECONDS,
        metavar="SECONDS",
        help="time of the whole run; steps that do not fit are skipped (default: %(default)g)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON document, and nothing else"
    )
    return parser


def _origin(text: str) -> str:
    if _ORIGIN.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no origin: write scheme://host[:port]")
    return text


def _app_url(text: str) -> str:
    if re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#]*)?", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no address: write https://host")
    return text.rstrip("/")


def _positive(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 24 * 60 * 60:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
