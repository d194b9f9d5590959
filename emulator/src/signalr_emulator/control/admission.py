"""Who may ask what is around the service: programs, and pages that come from here."""

from aiohttp import web
from aiohttp.typedefs import Middleware

from ..admission.middleware import admission_middleware
from ..admission.rules import Admission
from ..configuration.settings import Config
from ..documents.problems import problem
from ..errors import RequestError

__all__ = ["own_pages_only"]


def own_pages_only(config: Config) -> Middleware:
    """Make the middleware that refuses other hosts, and pages other than the inspector's own."""
    return admission_middleware(Admission(config.host, config.host_names), _refused)


def _refused(error: RequestError) -> web.Response:
    return problem(error.status, error.message)
