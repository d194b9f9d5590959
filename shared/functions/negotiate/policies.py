"""Which policy is asked for which hub, and what it is given."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

import azure.functions as func

from ...aio import SignalRServiceClient
from ...errors import InvalidArgumentError
from ...settings.hubs import Hubs, check_hubs, fitting
from ..places import placed
from .caller import Caller
from .policy import Connection, Policy

__all__ = ["Policies", "Rule"]

_SIGNATURE: Final = (
    "def admit(caller: Caller, hub: str, connection: Connection) -> Connection; after them it may"
    " take request: NegotiateRequest and, if it is async def, service: SignalRServiceClient of the"
    " module aio"
)
_KEYWORDS: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_ALWAYS: Final = 3
"""Parameters that every policy takes: caller, hub and connection."""


class Rule(NamedTuple):
    """A policy, and what it takes besides caller, hub and connection.

    Args:
        policy: The policy.
        request: Name of its parameter for the request, or `None` if it takes none.
        service: Name of its parameter for the service client, or `None`.
    """

    policy: Callable[..., Connection | Awaitable[Connection]]
    request: str | None = None
    service: str | None = None


class Policies:
    """The policies of an app.

    Args:
        policy: One for all hubs, or one for each by names of hubs and patterns.
        hubs: Which hubs there are.
        service: What policies may send with.
        behind_app_service: Whether App Service says who calls.

    Raises:
        InvalidArgumentError: A policy does not take what it is given, a hub has none, or one is for
            a hub that the app does not serve.
    """

    def __init__(
        self,
        policy: Policy | Mapping[str, Policy],
        hubs: Hubs,
        service: SignalRServiceClient,
        *,
        behind_app_service: bool,
    ) -> None:
        self._service = service
        self._behind_app_service = behind_app_service
        self._one = None if isinstance(policy, Mapping) else _rule(policy)
        self._by_hub = _by_hub(policy, hubs) if isinstance(policy, Mapping) else {}
        self.choose_hubs = self._one is not None
        """Whether one is asked for a request that names no hub."""

    def rule(self, hub: str) -> Rule:
        """Return the policy of a hub that the app serves."""
        return self._one or self._by_hub[fitting(hub, self._by_hub)[0]]

    def ask(
        self, caller: Caller, hub: str, connection: Connection, req: func.HttpRequest
    ) -> Connection | Awaitable[Connection]:
        """Ask the policy of a hub.

        Args:
            caller: Who asks.
            hub: Name of the hub in lower case, or "" if none is named and there is no default one.
            connection: What the settings would give.
            req: The request.
        """
        policy, request, service = self._one or self.rule(hub)
        # Each negotiation asks, and few policies look at the request.
        if request is None and service is None:
            return policy(caller, hub, connection)
        given: dict[str, object] = {}
        if request is not None:
            from .request import read_request  # noqa: PLC0415  few policies look at it

            given[request] = read_request(req, behind_app_service=self._behind_app_service)
        if service is not None:
            given[service] = self._service
        return policy(caller, hub, connection, **given)


def _by_hub(policies: Mapping[str, Policy], hubs: Hubs) -> Mapping[str, Rule]:
    rules = {check_hubs(name): _rule(policy) for name, policy in policies.items()}
    for name in rules:
        if not hubs.overlap(name):
            raise InvalidArgumentError(
                "policy",
                f"has one for the hub {name!r}, which the app does not serve: it serves"
                f" {', '.join(hubs.listed)}",
            )
    if len(rules) < len(policies):
        raise InvalidArgumentError("policy", f"has a hub twice: {', '.join(policies)}")
    for name in hubs.listed:
        # A pattern falls to a policy where all its hubs do.
        if not fitting(name, rules):
            raise InvalidArgumentError(
                "policy", f"has none for the hub {name!r}: add {{{name!r}: admit}}"
            )
    return rules


def _rule(policy: Policy) -> Rule:
    """Return a policy with what it takes.

    Raises:
        InvalidArgumentError: It does not take what it is given, or says that it returns nothing.
    """
    if not callable(policy):
        raise InvalidArgumentError("policy", f"is {policy!r:.80}, and has to be {_SIGNATURE}")
    try:
        signature = inspect.signature(policy)
    except ValueError:  # something built in, of which Python does not know more
        return Rule(policy)
    if signature.return_annotation in (None, "None"):
        raise InvalidArgumentError(
            "policy", f"{placed(policy)} is annotated to return None, and has to return a"
            " Connection: end it with 'return connection', or raise NotAllowedError"
        )  # fmt: skip
    further = list(signature.parameters.values())[_ALWAYS:]
    rule = _taking_more(policy, further) if further else Rule(policy)
    _check(rule, signature)
    return rule


def _taking_more(policy: Policy, further: list[inspect.Parameter]) -> Rule:
    from .request import NegotiateRequest  # noqa: PLC0415  few policies look at it

    types = _types(policy)
    request = _named(further, types, NegotiateRequest)
    return Rule(policy, request, _named(further, types, SignalRServiceClient))


def _check(rule: Rule, signature: inspect.Signature) -> None:
    policy = rule.policy
    given = {name: None for name in (rule.request, rule.service) if name is not None}
    try:
        signature.bind(None, None, None, **given)
    except TypeError as error:
        raise InvalidArgumentError(
            "policy",
            f"{placed(policy)} takes {signature.replace(return_annotation=signature.empty)}"
            f" ({error}). Write {_SIGNATURE}",
        ) from None
    if rule.service is not None and not _is_async(policy):
        raise InvalidArgumentError(
            "policy", f"{placed(policy)} must be async def to use the service client"
        )


def _is_async(policy: Callable[..., object]) -> bool:
    called = policy.func if isinstance(policy, functools.partial) else policy
    return inspect.iscoroutinefunction(called) or inspect.iscoroutinefunction(
        getattr(called, "__call__", None)  # noqa: B004  the method, which may be async
    )


def _types(policy: Callable[..., object]) -> Mapping[str, Any]:
    """Return the annotations of a policy, those written as text too, if they can be read."""
    try:
        signature = inspect.signature(policy, eval_str=True)
    except NameError:
        return {}
    return {each.name: each.annotation for each in signature.parameters.values()}


def _named(
    parameters: list[inspect.Parameter], types: Mapping[str, Any], wanted: type
) -> str | None:
    """Return the name of the parameter of a type, or `None` if there is none."""
    named = (each.name for each in parameters if each.kind in _KEYWORDS)
    return next((name for name in named if types.get(name) is wanted), None)
