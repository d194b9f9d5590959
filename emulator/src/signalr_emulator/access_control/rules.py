"""What a custom role may be, whoever has it.

Source: "Azure custom roles" (limits); docs/fidelity.md lists the codes that no document names.
"""

from http import HTTPStatus

from ..errors import ManagementError
from ..operations.table import DataAction
from .roles import Role, matches_any
from .scopes import Level, level

__all__ = ["check_custom_role", "invalid_role"]

_SIGNALR = "Microsoft.SignalRService/SignalR"
_DATA_ACTIONS = (
    *DataAction,
    *(
        f"{_SIGNALR}/{action}"
        for action in (
            "auth/accessToken/action",
            "livetrace/read",
            "livetrace/write",
            "serverConnection/write",
            "user/write",
        )
    ),
)
"""Those that operations need, and those that exist for something else."""


def check_custom_role(role: Role) -> None:
    """Check a custom role by itself.

    Raises:
        ManagementError: It has no assignable scopes that a custom role may have, or names data
            actions that do not exist.
    """
    _check_assignable_scopes(role)
    _check_data_actions(role)


def invalid_role(message: str) -> ManagementError:
    """Say which rule of role definitions is broken."""
    return ManagementError(HTTPStatus.BAD_REQUEST, "InvalidRoleDefinition", message)


def _check_assignable_scopes(role: Role) -> None:
    levels = [level(scope) for scope in role.assignable_scopes]
    if not levels:
        raise invalid_role("A custom role needs at least one assignable scope.")
    if None in levels:
        raise invalid_role("An assignable scope is not the resource id of a scope.")
    if Level.ROOT in levels:
        raise invalid_role("The root scope cannot be an assignable scope of a custom role.")
    if levels.count(Level.MANAGEMENT_GROUP) > 1:
        raise invalid_role("A custom role can have one management group as assignable scope.")


def _check_data_actions(role: Role) -> None:
    for pattern in (*role.data_actions, *role.not_data_actions):
        is_signalr = pattern.casefold().startswith(f"{_SIGNALR}/".casefold())
        if is_signalr and not any(matches_any((pattern,), action) for action in _DATA_ACTIONS):
            raise ManagementError(
                HTTPStatus.BAD_REQUEST,
                "InvalidActionOrNotAction",
                f"'{pattern}' does not match any of the actions supported by the providers.",
            )
