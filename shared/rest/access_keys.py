"""The one operation that a start needs: it gets an access key."""

from ..keys.access_key import parse_access_key
from ..keys.schedule import FetchedKey, Moment
from ..transport.flow import Flow
from . import operations as op
from .exchange import Exchange

__all__ = ["AccessKeys"]


class AccessKeys(Exchange):
    """The operation that gives access keys."""

    def access_key(self) -> Flow[FetchedKey]:
        """Get a temporary access key from the auth API."""
        asked = Moment(self.clock(), self.steady())

        def sending() -> None:
            nonlocal asked
            asked = Moment(self.clock(), self.steady())

        response = yield from self.call(op.ACCESS_KEY, {}, sending=sending)
        return FetchedKey(parse_access_key(response.body, obtained_at=asked.wall), asked)
