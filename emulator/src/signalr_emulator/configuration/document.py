"""What the document of a configuration file chooses. It fits the schema when it comes here."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ..access_control.roles import BUILT_IN_ROLES
from ..admission.rules import host_name
from ..entra.applications import Application
from ..entra.federation import FederatedCredential
from ..entra.identities import Identity, IdentityKind
from ..server_connections.timing import ServerTiming
from ..transports.timing import Timing
from ..upstream.settings import UpstreamConfig, parse_template
from .service_mode import ServiceMode
from .settings import APP_REGISTRATION, Config, FurtherService, signalr_resource_id
from .state_dir import default_state_dir

__all__ = ["Choices", "read_document"]

_LOCAL = "local"
_CAPITAL = re.compile("(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen about the command.

    Attributes:
        config: What the emulator is made from.
        ca_file: File for the certificate of the authority's certificate authority, or None.
        federated_token_file: File for the federated token, or None.
        state_dir: Folder of the keys that outlive the emulator; None to make all of them new.
        verbose: Whether each request is told. A file does not choose it.
    """

    config: Config = field(default_factory=Config)
    ca_file: Path | None = None
    federated_token_file: Path | None = None
    state_dir: Path | None = field(default_factory=default_state_dir)
    verbose: bool = False


def read_document(document: Mapping[str, Any], folder: Path) -> Choices:
    """Give what a document chooses; defaults stand for what it leaves out.

    Args:
        document: The values by their properties.
        folder: What the names of files in it are relative to.
    """
    chosen = _by_field(document)
    paths = {
        name: folder / chosen[name]
        for name in ("ca_file", "federated_token_file", "state_dir")
        if name in chosen
    }
    return Choices(_config(chosen, folder), **paths)


def _by_field(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values by the names of the fields: `controlPort` is `control_port`."""
    return {_CAPITAL.sub("_", name).lower(): _number(value) for name, value in values.items()}


def _number(value: Any) -> Any:  # noqa: ANN401 - JSON
    # 8888.0 is an integer by JSON Schema, and none for a port.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _config(chosen: Mapping[str, Any], folder: Path) -> Config:
    names = {each.name for each in fields(Config)}
    values: dict[str, Any] = {
        name: _READERS.get(name, _unchanged)(value, folder)
        for name, value in chosen.items()
        if name in names
    }
    return Config(
        **values, **_services(chosen), local_auth=not chosen.get("disable_local_auth", False)
    )


def _services(chosen: Mapping[str, Any]) -> dict[str, Any]:
    defaults = Config()
    first, *further = chosen.get("services", [{"port": defaults.service_port}])
    return {
        "service_port": _number(first["port"]),
        "further_services": tuple(FurtherService(**_by_field(each)) for each in further),
        "resource_id": signalr_resource_id(
            chosen.get("subscription", defaults.subscription),
            chosen.get("resource_group", _LOCAL),
            first.get("name", _LOCAL),
        ),
    }


def _unchanged(value: object, _folder: Path) -> object:
    return value


def _identity(values: Mapping[str, Any]) -> Identity:
    chosen = _by_field(values)
    return Identity(**{**chosen, "kind": IdentityKind(chosen["kind"])})


def _application(values: Mapping[str, Any], folder: Path) -> Application:
    chosen = _by_field(values)
    if "certificate_file" in chosen:
        chosen["certificate"] = (folder / chosen.pop("certificate_file")).read_text(
            "utf-8", "replace"
        )
    credentials = chosen.pop("federated_credentials", [])
    return Application(
        **chosen,
        federated_credentials=tuple(FederatedCredential(**_by_field(each)) for each in credentials),
    )


def _upstream(values: Mapping[str, Any], folder: Path) -> UpstreamConfig:
    chosen = _by_field(values)
    if "settings_file" in chosen:
        chosen["settings_file"] = folder / chosen["settings_file"]
    templates = chosen.pop("templates", [])
    retry_delays = tuple(chosen.pop("retry_delays", []))
    return UpstreamConfig(
        **chosen,
        templates=tuple(parse_template(each) for each in templates),
        retry_delays=retry_delays,
    )


_READERS: Mapping[str, Callable[[Any, Path], object]] = {
    # No built-in role has the name that stands for no assignment.
    "role": lambda name, _folder: BUILT_IN_ROLES.get(name),
    "host_names": lambda values, _folder: frozenset(map(host_name, values)),
    "allowed_origins": lambda values, _folder: frozenset(each.lower() for each in values),
    "service_mode": lambda name, _folder: ServiceMode(name),
    "identities": lambda values, _folder: tuple(_identity(each) for each in values),
    "applications": lambda values, folder: (
        APP_REGISTRATION,
        *(_application(each, folder) for each in values),
    ),
    "operators": lambda values, _folder: tuple(values),
    "service_names": lambda values, _folder: frozenset(each.lower() for each in values),
    "server_timing": lambda values, _folder: ServerTiming(**_by_field(values)),
    "timing": lambda values, _folder: Timing(**_by_field(values)),
    "upstream": _upstream,
}
"""How a value becomes that of a field of `Config`; any other is taken as it is."""
