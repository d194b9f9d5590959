"""What a failed request for an Entra token means, and what to do: one line, made without any I/O.

azure-identity says of App Service's identity endpoint that it has "(invalid_scope) None, None",
whatever it answered, and of the others what the HTTP library says.
"""

import re
from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ..settings.credential import CredentialKind, CredentialSettings
from ..settings.credential_parts import IDENTITY_PARTS
from .answers import Answer, TokenRequest, one_line

__all__ = ["Cause", "TokenFailure", "explain_failure", "said_by"]

_ENTRA_CODE: Final = re.compile(r"AADSTS(\d+)[^\r\n]*?(?=\.\s|\.?$)", re.MULTILINE)
"""How Entra names what is wrong, up to the end of the first sentence (Entra authentication and
authorization error codes)."""

_SYSTEM_ERROR: Final = re.compile(r"\[Errno -?\d+\] [^'\")\r\n]*")
_IMDS_PATH: Final = "/metadata/identity/oauth2/token"
_ENTRA_PATHS: Final = ("/oauth2/v2.0/", "/.well-known/openid-configuration", "/discovery/")
_CONNECTION: Final = "AzureSignalRConnectionString"
_CLIENT_ID: Final = f"{_CONNECTION}__clientId"

_PASSES: Final = "This passes by itself, and is tried again"
_PLATFORM: Final = (
    "The platform sets IDENTITY_ENDPOINT and IDENTITY_HEADER: remove them from the app's own"
    " settings, and restart the app"
)
_NO_IDENTITY_HERE: Final = (
    "In Azure assign the app an identity (az functionapp identity assign); elsewhere remove"
    " …__credential, and run az login"
)
_SETTINGS: Final = "Check the settings of this credential and the files that they name"


class Cause(Enum):
    """Why there is no token."""

    ENTRA = "Entra ID refuses"
    NO_LOGIN = "no member of DefaultAzureCredential has a login"
    NO_IDENTITY = "the app has no such identity"
    NO_ENDPOINT = "nothing here offers a managed identity"
    REFUSED = "the endpoint does not accept who asks"
    BUSY = "the endpoint is asked too often"
    FAULT = "the endpoint has a fault"
    NO_CONNECTION = "nothing answers"
    NO_TIME = "no answer came in time"
    ANOTHER_SERVER = "what answers is no identity endpoint"
    OTHER = "anything else"


_REFUSALS: Final[dict[int, Cause]] = {
    HTTPStatus.BAD_REQUEST: Cause.NO_IDENTITY,
    HTTPStatus.UNAUTHORIZED: Cause.REFUSED,
    HTTPStatus.FORBIDDEN: Cause.REFUSED,
}


_IDS: Final[Mapping[str, str]] = {
    "client_id": "a client id, not an object id",
    "object_id": "an object id, not a client id",
    "resource_id": "a whole resource id",
}


class TokenFailure(NamedTuple):
    """Why there is no token; as text it tells all of it, in one line.

    Args:
        cause: Which kind of failure.
        said: What was asked, and what came of it.
        remedy: What to do.
        url: Who was asked last, or "".
        code: Number of Entra's error code, or "".
    """

    cause: Cause
    said: str
    remedy: str
    url: str = ""
    code: str = ""

    @property
    def is_imds(self) -> bool:
        """Whether the metadata service of a virtual machine was asked."""
        return self.url.endswith(_IMDS_PATH)

    @property
    def is_entra(self) -> bool:
        """Whether Entra ID itself was asked, and no endpoint of a managed identity."""
        return _is_entra(self.url)

    def __str__(self) -> str:
        return f"{self.said}. {self.remedy}"


def said_by(error: BaseException) -> str:
    """Return what an error says, and those that led to it, each on a line of its own."""
    said, cause = [], error
    while True:
        said.append(str(cause))
        led_to_it = cause.__cause__ or cause.__context__
        if led_to_it is None:
            return "\n".join(said)
        cause = led_to_it


def explain_failure(
    error: str, request: TokenRequest | None, settings: CredentialSettings | None
) -> TokenFailure:
    """Say why there is no token.

    Args:
        error: What `said_by` gives of what azure-identity has raised.
        request: The last request, if one was made.
        settings: Which credential, with what; `None` for one that was made elsewhere.
    """
    url = request.url if request is not None else ""
    secrets = (settings.client_secret or "",) if settings is not None else ()
    code = _ENTRA_CODE.search(error)
    if code is not None:
        meaning = f"What the code means: https://login.microsoftonline.com/error?code={code[1]}"
        return TokenFailure(Cause.ENTRA, one_line(code[0], secrets), meaning, url, code[1])
    said = one_line(error, secrets)
    if settings is not None and settings.kind is CredentialKind.DEFAULT:
        remedy = "On your machine run az login; in Azure assign the app an identity"
        return TokenFailure(Cause.NO_LOGIN, said, remedy, url)
    if request is not None and settings is not None:
        if request.answer is None:
            return _explain_silence(error, url)
        return _explain_answer(request.answer, url, settings, said)
    if "endpoint found" in error or "authentication unavailable" in error:
        return TokenFailure(Cause.NO_ENDPOINT, said, _NO_IDENTITY_HERE)
    return TokenFailure(Cause.OTHER, said, _SETTINGS)


def _explain_silence(error: str, url: str) -> TokenFailure:
    """Say what it means that no answer came."""
    who = _who(url)
    timed_out = "timed out" in error
    reasons = _SYSTEM_ERROR.findall(error) or error.strip().splitlines()[-1:]
    said = f"nothing answers at {who} ({one_line(reasons[-1])})"
    if timed_out:
        said = f"{who} does not answer in time"
    if url.endswith(_IMDS_PATH):
        return TokenFailure(Cause.NO_ENDPOINT, said, _NO_IDENTITY_HERE, url)
    cause = Cause.NO_TIME if timed_out else Cause.NO_CONNECTION
    if _is_entra(url):
        remedy = "Check the network, a proxy (HTTPS_PROXY, NO_PROXY), and AZURE_AUTHORITY_HOST"
        return TokenFailure(cause, said, remedy, url)
    if timed_out:
        return TokenFailure(cause, said, f"{_PASSES}; if it stays, restart the app", url)
    return TokenFailure(cause, said, f"If it starts anew, this passes by itself. {_PLATFORM}", url)


def _explain_answer(
    answer: Answer, url: str, settings: CredentialSettings, error: str
) -> TokenFailure:
    """Say what an answer means."""
    cause = _cause(answer, url)
    told = f" ({answer.message})" if answer.message else ""
    what = f"it answered {answer.status}{told}"
    who = f"{_who(url)} gives no token"
    if cause is Cause.ANOTHER_SERVER:
        what = f"it answered {answer.status} with {answer.lacks or answer.form}{told}"
    elif cause is Cause.REFUSED and not url.endswith(_IMDS_PATH):
        who = f"{_who(url)} refuses IDENTITY_HEADER"
    elif cause is Cause.OTHER and not told:
        what = f"{what}, and azure-identity says: {error}"
    return TokenFailure(cause, f"{who}: {what}", _remedy(cause, url, settings), url)


def _cause(answer: Answer, url: str) -> Cause:
    status, is_imds = answer.status, url.endswith(_IMDS_PATH)
    if answer.form == "HTML" or status < HTTPStatus.BAD_REQUEST:
        # What is right so far is not taken for a reason that only the error knows. Entra ID's
        # description of itself has no token.
        is_right = not answer.lacks or _is_entra(url)
        is_json = status < HTTPStatus.MULTIPLE_CHOICES and answer.form == "JSON"
        return Cause.OTHER if is_json and is_right else Cause.ANOTHER_SERVER
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Cause.FAULT
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Cause.BUSY
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        # So it answers while it is updated ("Use managed identities on a virtual machine to acquire
        # an access token", error handling).
        return Cause.FAULT if is_imds else Cause.ANOTHER_SERVER
    return Cause.OTHER if _is_entra(url) else _REFUSALS.get(status, Cause.OTHER)


def _remedy(cause: Cause, url: str, settings: CredentialSettings) -> str:
    is_imds = url.endswith(_IMDS_PATH)
    match cause:
        case Cause.NO_IDENTITY:
            return _assign(settings)
        case Cause.FAULT:
            return f"{_PASSES}; if it stays, restart the app"
        case Cause.BUSY:
            return f"It was asked too often. {_PASSES}"
        case Cause.ANOTHER_SERVER:
            return _another_server(url)
        case Cause.REFUSED if is_imds:
            return "A firewall or a proxy on the way may have answered: nothing may stand between"
    return _SETTINGS if is_imds or _is_entra(url) else _PLATFORM


def _assign(settings: CredentialSettings) -> str:
    identity = settings.user_assigned
    if identity is None:
        return (
            "Assign the app a system-assigned identity (az functionapp identity assign), or name a"
            f" user-assigned one that it has by {_CLIENT_ID}"
        )
    setting = _CLIENT_ID
    if settings.managed_identity is not None:
        setting = IDENTITY_PARTS[identity.by].of(_CONNECTION).name
    return (
        f"Assign the app the identity with the {identity.said} (az functionapp identity"
        f" assign --identities), or correct {setting}: {_IDS[identity.by]}"
    )


def _another_server(url: str) -> str:
    if _is_entra(url):
        check = "HTTPS_PROXY, NO_PROXY and AZURE_AUTHORITY_HOST"
    elif url.endswith(_IMDS_PATH):
        check = "AZURE_POD_IDENTITY_AUTHORITY_HOST, if it is set"
    else:
        check = "IDENTITY_ENDPOINT, which the platform sets and no setting of the app"
    return f"A proxy or another server answers in its place: check {check}"


def _who(url: str) -> str:
    if not _is_entra(url):
        return f"the identity endpoint {url}"
    parts = urlsplit(url)
    return f"Entra ID at {parts.scheme}://{parts.netloc}"


def _is_entra(url: str) -> bool:
    return any(path in url for path in _ENTRA_PATHS)
