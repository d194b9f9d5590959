"""Stands at azure-identity's requests: keeps proxies away, and remembers what was answered."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ..settings.credential import CredentialSettings
from ..settings.endpoint import passes_proxies_by
from .answers import Assertion, TokenRequest, read_answer

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest, PipelineResponse

__all__ = ["RequestHooks"]

_ENDPOINTS: Final = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST")
_SECRETS: Final = ("IDENTITY_HEADER", "MSI_SECRET")
_DIRECT: Final = {"http": None, "https": None, "all": None}
"""What has requests take no proxy of the environment."""


class RequestHooks:
    """The two hooks that azure-core calls around each request of a credential.

    Args:
        settings: Which credential, with what.
        environment: The process environment, which names identity endpoints and their secrets.
    """

    def __init__(self, settings: CredentialSettings, environment: Mapping[str, str]) -> None:
        named = (environment.get(name, "") for name in _ENDPOINTS)
        self._direct = {urlsplit(url).netloc for url in named if url}
        secrets = (environment.get(name, "") for name in _SECRETS)
        self._secrets = (settings.client_secret or "", *secrets)
        self.settings = settings
        self.last: TokenRequest | None = None
        self.assertion: Assertion | None = None

    @property
    def options(self) -> Mapping[str, object]:
        """The keywords of a credential that set them up (azure-core: CustomHookPolicy)."""
        return {"raw_request_hook": self._on_request, "raw_response_hook": self._on_response}

    def _on_request(self, request: "PipelineRequest[Any]") -> None:
        parts = urlsplit(request.http_request.url)
        if parts.netloc in self._direct or passes_proxies_by(request.http_request.url):
            request.context.options["proxies"] = dict(_DIRECT)
        where = parts.netloc.rpartition("@")[2]
        self.last = TokenRequest(f"{parts.scheme}://{where}{parts.path}")

    def _on_response(self, response: "PipelineResponse[Any, Any]") -> None:
        if self.last is None:
            return
        answer = response.http_response
        self.last = self.last._replace(
            answer=read_answer(
                answer.status_code,
                answer.headers.get("Content-Type", ""),
                answer.content.decode(errors="replace"),
                self._secrets,
            )
        )
