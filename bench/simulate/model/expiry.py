"""Tokens that are made together: how long they last, and when their connections end."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from shared.identity.permissions import token_claims
from shared.keys.access_key import AccessKey
from shared.keys.client_token import sign_client_token

from .clients import Floats, Ints
from .rotation import rotation_interval

__all__ = ["Herd", "key_ages", "simulate_herd", "token_lifetime"]

_AUDIENCE: Final = "https://contoso.service.signalr.net/client/?hub=chat"


@dataclass(frozen=True, slots=True)
class Herd:
    """Clients that negotiated together and whose connections end with their tokens.

    Args:
        renewals: Negotiate requests in each minute.
        lifetimes: Seconds that the first token of each client lasts.
    """

    renewals: Ints
    lifetimes: Floats

    @property
    def peak_rate(self) -> float:
        """Most renewals a second, on average over a minute; the burst itself does not count."""
        return float(self.renewals[5:].max()) / 60


def token_lifetime(key_age: float, minutes: float) -> float:
    """Return the seconds for which a client token lasts, as the app signs it.

    Args:
        key_age: Age in seconds of the key that signs it.
        minutes: The setting `NEGOTIATE_TOKEN_LIFETIME_MINUTES`, or what a policy makes of it.
    """
    key = AccessKey("simulated", b"simulated", obtained_at=0.0)
    token = sign_client_token(key, _AUDIENCE, now=key_age, lifetime=minutes * 60)
    claims = token_claims(token)
    return float(claims["exp"] - claims["iat"])


def key_ages(processes: int, random: np.random.Generator) -> Floats:
    """Return the ages in seconds of the keys of processes that have run for long."""
    intervals = [rotation_interval(jitter) for jitter in random.random(processes).tolist()]
    ages: Floats = random.random(processes) * np.array(intervals)
    return ages


def simulate_herd(
    clients: int,
    ages: Floats,
    random: np.random.Generator,
    *,
    lifetime_minutes: float = 60.0,
    spread: float = 0.0,
    burst: float = 60.0,
    minutes: int = 300,
) -> Herd:
    """Let clients negotiate within a burst, and again each time that their token ends.

    The service closes a connection with its token where it is server-sent events or long polling,
    or where the token asks for it. Each client meets any of the processes, whose keys are replaced
    by the app's own schedule.

    Args:
        clients: How many there are.
        ages: Age of each process's key in seconds when the burst begins.
        random: The source of chance.
        lifetime_minutes: The setting `NEGOTIATE_TOKEN_LIFETIME_MINUTES`.
        spread: Share by which a policy shortens each token at most, evenly.
        burst: Seconds of the burst.
        minutes: How long to look.
    """
    end = minutes * 60.0
    rotations = [_rotations(age, end, random) for age in ages.tolist()]
    lifetimes = _lifetimes(lifetime_minutes)
    renewals = np.zeros(minutes, np.int64)
    first = np.zeros(0)
    due = random.uniform(0.0, burst, clients)
    while len(due):
        renewals += np.bincount((due // 60).astype(np.int64), minlength=minutes)
        age = _ages_at(due, random.integers(len(rotations), size=len(due)), rotations)
        wanted = lifetime_minutes * 60 * (1 - spread * random.random(len(due)))
        lasting = np.minimum(wanted, lifetimes[age.astype(np.int64)])
        first = first if len(first) else lasting
        due = due + lasting
        due = due[due < end]
    return Herd(renewals, first)


def _lifetimes(minutes: float) -> Floats:
    """Return the lifetime of a token for each second of its key's age, as the app signs it."""
    return np.array([token_lifetime(age, minutes) for age in range(3_601)])


def _rotations(age: float, end: float, random: np.random.Generator) -> Floats:
    """Return when a process gets its keys, the one at hand first."""
    obtained = [-age]
    while obtained[-1] < end:
        obtained.append(max(0.0, obtained[-1] + rotation_interval(float(random.random()))))
    return np.array(obtained)


def _ages_at(times: Floats, processes: Ints, rotations: list[Floats]) -> Floats:
    ages = np.zeros(len(times))
    for number, obtained in enumerate(rotations):
        mine = processes == number
        latest = np.searchsorted(obtained, times[mine], side="right") - 1
        ages[mine] = times[mine] - obtained[latest]
    return ages
