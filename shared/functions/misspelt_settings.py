"""Settings that nobody reads, since their names are slips for those of the app."""

import logging
from collections.abc import Mapping

from ..settings.environment import OWN_PREFIXES, SETTINGS
from ..spelling import nearest
from .local_features import OPENAPI_OFFERED
from .negotiate import settings as negotiate
from .upstream import settings as upstream

__all__ = ["misspelt_settings", "warn_of_misspelt_settings"]

_logger = logging.getLogger(__name__)


def misspelt_settings(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return names that are slips for those of settings, with the right names.

    A name with one of the app's prefixes that is like no setting may be somebody else's.

    Args:
        environment: Names and values, as in `os.environ`.
    """
    prefixed = [name for name in environment if name.upper().startswith(OWN_PREFIXES)]
    if not prefixed:
        return {}
    known = _known()
    found: dict[str, str] = {}
    for name in prefixed:
        prefix = name[: name.index("_") + 1].upper()
        near = nearest(name[len(prefix) :], known[prefix])
        # What follows a prefix is compared, since the prefix alone makes names alike.
        if near is not None and name != prefix + near:
            found[name] = prefix + near
    return found


def warn_of_misspelt_settings(environment: Mapping[str, str]) -> None:
    """Say in the log which settings nobody reads, and what may be meant; no value is told.

    Args:
        environment: Names and values, as in `os.environ`.
    """
    for name, near in misspelt_settings(environment).items():
        _logger.warning("The setting %s is not known; did you mean %s?", name, near)


def _known() -> Mapping[str, list[str]]:
    """Return what follows each prefix in the names of settings."""
    names = [
        each.name for each in (*SETTINGS, *negotiate.SETTINGS, *upstream.SETTINGS, OPENAPI_OFFERED)
    ]
    return {
        prefix: [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
        for prefix in OWN_PREFIXES
    }
