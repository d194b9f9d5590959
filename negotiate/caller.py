"""Who the caller of negotiate is, by a proven identity only."""

from collections.abc import Mapping
from http import HTTPStatus

from negotiate.settings import Identity
from problems import ProblemError

__all__ = ["user_id"]


def user_id(identity: Identity, headers: Mapping[str, str]) -> str | None:
    """Return the caller's user id, or `None` for an anonymous caller.

    Args:
        identity: How a caller proves who it is.
        headers: Headers of the request, looked up in any case.

    Raises:
        ProblemError: 401, the caller is not logged in.
    """
    if identity is Identity.ANONYMOUS:
        return None
    # Set by App Service authentication, which removes what a client sent under this name.
    principal = headers.get("x-ms-client-principal-id")
    if not principal:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "Log in first.",
            headers={"WWW-Authenticate": 'Bearer realm="negotiate"'},
        )
    return principal
