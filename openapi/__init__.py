"""The API's description, for people and programs that call it."""

from openapi.functions import blueprint
from shared.setting import Setting

__all__ = ["OFFERED", "blueprint"]

OFFERED = Setting(
    "SIGNALR_OPENAPI",
    "`true` or `false`: whether anybody may read `/api/openapi.json`",
    "true",
    "`true` on a developer's machine, `false` in Azure",
)
