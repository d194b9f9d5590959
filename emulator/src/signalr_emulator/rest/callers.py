"""Who asks the service for something, and whether they may."""

from functools import lru_cache

from aiohttp import hdrs, web

from ..access_control.roles import RoleAssignment
from ..authentication.callers import CalledUrl, Caller
from ..errors import ForbiddenError
from ..state.journal import Request
from ..state.resource import Resource
from ..state.service import Service
from ..transports.local_address import called_ports

__all__ = ["Callers"]


class Callers:
    """Tells who asks for something by the bearer token of the request.

    Args:
        service: The state of the emulator.
        resource: The SignalR resource that is asked.
    """

    def __init__(self, service: Service, resource: Resource) -> None:
        self._hosts = service.config.hosts
        self._role_assignments = service.role_assignments
        self._authenticator = resource.authenticator
        self._scope = resource.config.resource_id

    def of(self, request: web.Request, noted: Request) -> Caller:
        """Give who has sent a request, and note it.

        Args:
            request: What was sent.
            noted: Learns who it was.

        Raises:
            AuthenticationError: There is no bearer token, or it is not valid for this URL.
        """

        def called() -> CalledUrl:
            return CalledUrl(
                path=request.rel_url.raw_path,
                query=request.rel_url.raw_query_string,
                origins=_origins(request.scheme, self._hosts, called_ports(request)),
            )

        caller = self._authenticator.caller(request.headers.get(hdrs.AUTHORIZATION), called)
        noted.principal_id = caller.principal_id
        return caller

    def permit(self, caller: Caller, data_action: str) -> RoleAssignment | None:
        """Refuse who lacks a data action; whoever has an access key has all of them.

        Returns:
            The role assignment that gives it, or None for an access key.

        Raises:
            ForbiddenError: No role assignment gives it.
        """
        principal_id = caller.principal_id
        if principal_id is None:
            return None
        giving = self._role_assignments.giving(principal_id, data_action, self._scope)
        if giving is None:
            raise ForbiddenError(
                f"The identity {principal_id} lacks the data action"
                f" {data_action} at {self._scope}. Please check your role assignments."
            )
        return giving


@lru_cache(maxsize=64)
def _origins(scheme: str, hosts: frozenset[str], ports: frozenset[str]) -> frozenset[str]:
    names = hosts | {f"{host}:{port}" for host in hosts for port in ports}
    return frozenset(f"{scheme}://{name}" for name in names)
