"""What is offered to anybody on a developer's machine, and in Azure only when a setting says so."""

from collections.abc import Mapping
from typing import Final

from ..settings.description import Setting

__all__ = ["OPENAPI_OFFERED", "is_offered"]

OPENAPI_OFFERED: Final = Setting(
    "SIGNALR_OPENAPI",
    "`true` or `false`: whether anybody may read `openapi.json`",
    "true",
    "`true` on a developer's machine, `false` in Azure",
)


def is_offered(setting: Setting, environment: Mapping[str, str]) -> bool:
    """Tell whether something that tells anybody about the app is offered.

    In Azure an anonymous caller learns nothing that the app's owner has not decided to tell.

    Args:
        setting: The setting that decides.
        environment: Names and values, as in `os.environ`.

    Raises:
        SettingsError: The setting is neither true nor false.
    """
    return setting.read_switch(environment, default=_is_local(environment))


def _is_local(environment: Mapping[str, str]) -> bool:
    # Local hosts set the first, and App Service the second. Both, since the first one may have
    # been set in Azure for another reason.
    is_development = environment.get("AZURE_FUNCTIONS_ENVIRONMENT", "").lower() == "development"
    return is_development and not environment.get("WEBSITE_SITE_NAME")
