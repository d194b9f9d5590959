"""A page to see it all work: a chat in a hub and in groups."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.settings.description import Setting

if TYPE_CHECKING:
    import azure.functions as func

    from shared.settings.endpoint import Endpoint

__all__ = ["OFFERED", "blueprint"]

OFFERED = Setting(
    "SIGNALR_DEMO",
    "`true` or `false`: whether the demo page is there",
    "true",
    "`true` on a developer's machine, `false` in Azure",
)


def blueprint(endpoints: "Sequence[Endpoint]") -> "func.Blueprint":
    """Return the functions of the demo page.

    Args:
        endpoints: The endpoints of the service, which the page may connect to and no others.
    """
    from demo import functions  # noqa: PLC0415  in Azure there is no such page

    return functions.blueprint(endpoints)
