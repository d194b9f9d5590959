"""What an answer of the function app, or of what stands before it, means, and how to fix it."""

from http import HTTPStatus
from typing import Final

from shared.transport.flow import Response

from ..finding import Diagnosis
from .commands import function_app

__all__ = [
    "OWN_IDENTITY",
    "explain_app",
    "explain_negotiate",
    "explain_refused_token",
    "explain_upstream",
    "is_refusal",
]

OWN_IDENTITY: Final = (
    "If the steps above are well, the app's own identity lacks the role: its log has the command"
)
"""What mends an app that has no key, while whoever runs the doctor would have one."""

_PROBLEM: Final = "application/problem+json"
_AUTH: Final = "az webapp auth update --name <function app> --resource-group <resource group>"
"""Of the extension authV2: az extension add --name authV2."""
_LOG: Final = "az webapp log tail --name <function app> --resource-group <resource group>"
_PUBLISH: Final = "func azure functionapp publish <function app>"


def is_refusal(answer: Response) -> bool:
    """Tell whether a 401 is the app's own, and not that of App Service authentication."""
    return answer.headers.get("Content-Type", "").startswith(_PROBLEM)


def explain_app(answer: Response, url: str, base_path: str) -> Diagnosis:
    """Say why there is no healthy app.

    Args:
        answer: What came instead.
        url: What was asked.
        base_path: What the paths of the app's functions begin with: `/api`, or "".
    """
    if _is_login(answer):
        return Diagnosis(
            f"{answer.status}: App Service authentication stands before the app",
            f"{_AUTH} --action AllowAnonymous   # NEGOTIATE_IDENTITY decides\n"
            f"{_exclude(base_path)}   # the service's calls",
        )
    if answer.status == HTTPStatus.NOT_FOUND:
        return Diagnosis(
            f"404: there is no function at {url}",
            f"{_PUBLISH}\nIf it is published, its log names the wrong setting. With another route"
            " prefix: --app-url https://<app>/<prefix>",
        )
    if answer.status == HTTPStatus.FORBIDDEN:
        return Diagnosis(
            "403: the app is stopped, or its access restrictions keep this machine out",
            f"{function_app('start', '')}\n{function_app('config access-restriction show', '')}",
        )
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Diagnosis(f"{answer.status}: the app does not run", _LOG)
    return Diagnosis(f"{answer.status}: what answers at {url} is not this app", "Correct --app-url")


def explain_negotiate(answer: Response, hub: str, base_path: str) -> Diagnosis:
    """Say why the app does not negotiate; arguments as of `explain_app`."""
    if answer.status == HTTPStatus.NOT_FOUND and is_refusal(answer):
        setting = function_app("config appsettings set", f"--settings SIGNALR_HUBS={hub}")
        return Diagnosis(
            f"404: the running app does not serve the hub {hub}",
            f"{setting}   # after those it has, with a comma",
        )
    if answer.status == HTTPStatus.FORBIDDEN and is_refusal(answer):
        return Diagnosis("403: policy.py does not let an anonymous caller in", "See policy.py")
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and is_refusal(answer):
        return Diagnosis(
            "500: the app runs, and its policy or settings ask for a connection that cannot be"
            " made",
            _LOG,
        )
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return Diagnosis(
            "503: the app has no access key",
            OWN_IDENTITY,
        )
    return explain_app(answer, "negotiate", base_path)


def explain_refused_token(url: str) -> Diagnosis:
    """Say why the service does not take a client token that the app has handed out.

    Args:
        url: What the token is for.
    """
    return Diagnosis(
        f"401: the app hands out a client token for {url}, and the service does not accept it",
        "Compare the clocks of the app's machine and of the service: see “Clock” above",
    )


def explain_upstream(answer: Response, base_path: str) -> Diagnosis:
    """Say what is wrong when a call without proof is not refused by the app itself.

    Args:
        answer: What came instead of the refusal.
        base_path: As of `explain_app`.
    """
    if _is_login(answer):
        return Diagnosis(
            f"{answer.status}: App Service authentication refuses the service's calls before the"
            " app sees them",
            _exclude(base_path),
        )
    if answer.status == HTTPStatus.NOT_FOUND:
        return Diagnosis(
            "404: the running app has no upstream function",
            _PUBLISH,
        )
    if answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Diagnosis(
            f"{answer.status}: the app takes a call of anybody for one of the service",
            f"{_PUBLISH}   # what answers there verifies nothing",
        )
    return explain_app(answer, "upstream", base_path)


def _exclude(base_path: str) -> str:
    return f"{_AUTH} --excluded-paths {base_path}/upstream"


def _is_login(answer: Response) -> bool:
    """Tell whether App Service authentication answers: a redirect to a login, or a bare 401."""
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return not is_refusal(answer)
    redirected = HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST
    return redirected and "login" in answer.headers.get("Location", "").lower()
