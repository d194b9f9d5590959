"""Whether the API's description is offered."""

from collections.abc import Mapping
from typing import Final

from shared.errors import SettingsError

__all__ = ["is_offered"]

_OPENAPI: Final = "SIGNALR_OPENAPI"
_CHOICES: Final = {"true": True, "false": False}


def is_offered(environment: Mapping[str, str]) -> bool:
    """Tell whether anybody may read the API's description.

    On a developer's machine everybody may, and elsewhere nobody, unless the setting says so: in
    Azure an anonymous caller learns nothing that the app's owner has not decided to tell.

    Args:
        environment: Names and values, as in `os.environ`.

    Raises:
        SettingsError: The setting is neither true nor false.
    """
    value = environment.get(_OPENAPI, "").strip().lower()
    if value and value not in _CHOICES:
        raise SettingsError(_OPENAPI, f"is {value!r}, and can be 'true' or 'false'", "true")
    return _CHOICES[value] if value else _is_local(environment)


def _is_local(environment: Mapping[str, str]) -> bool:
    # Local hosts set the first, and App Service the second. Both, since the first one may have
    # been set in Azure for another reason.
    is_development = environment.get("AZURE_FUNCTIONS_ENVIRONMENT", "").lower() == "development"
    return is_development and not environment.get("WEBSITE_SITE_NAME")
