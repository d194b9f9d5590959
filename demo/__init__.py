"""A page to see it all work: a chat in a hub and in groups."""

from demo.functions import blueprint
from shared.settings.description import Setting

__all__ = ["OFFERED", "blueprint"]

OFFERED = Setting(
    "SIGNALR_DEMO",
    "`true` or `false`: whether the demo page is there",
    "true",
    "`true` on a developer's machine, `false` in Azure",
)
