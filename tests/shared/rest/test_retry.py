from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.keys.backoff import backoff
from shared.rest.retry import Repeatable, RetryPolicy, retry_after
from shared.transport.flow import NoAnswerError, Response

POLICY = RetryPolicy(attempts=3, first_delay=1.0, longest_delay=10.0)
NOW = 1_700_000_000.0


def delay(
    outcome: Response | NoAnswerError, repeatable: Repeatable, attempt: int = 1
) -> float | None:
    return POLICY.delay(outcome, repeatable, attempt=attempt, elapsed=0.0, now=NOW, jitter=1.0)


@pytest.mark.parametrize(
    ("status", "always", "when_refused"),
    [
        (408, True, False),
        (429, True, True),
        (500, True, False),
        (502, True, False),
        (503, True, True),
        (504, True, False),
        (400, False, False),
        (401, False, False),
        (403, False, False),
        (404, False, False),
        (413, False, False),
    ],
)
def test_which_statuses_are_repeated(status: int, always: bool, when_refused: bool) -> None:
    response = Response(status, {})
    assert (delay(response, Repeatable.ALWAYS) is not None) is always
    assert (delay(response, Repeatable.WHEN_REFUSED) is not None) is when_refused


def test_a_message_that_may_have_arrived_is_not_sent_again() -> None:
    perhaps = NoAnswerError("read timed out", delivered=True)
    assert delay(perhaps, Repeatable.WHEN_REFUSED) is None
    assert delay(perhaps, Repeatable.ALWAYS) == 1.0
    assert delay(NoAnswerError("refused", delivered=False), Repeatable.WHEN_REFUSED) == 1.0


def test_attempts_are_bounded_and_delays_double() -> None:
    response = Response(503, {})
    assert [delay(response, Repeatable.ALWAYS, n) for n in (1, 2, 3)] == [1.0, 2.0, None]


def test_retry_after_is_honoured_and_a_long_one_is_left_to_the_caller() -> None:
    assert delay(Response(429, {"Retry-After": "7"}), Repeatable.WHEN_REFUSED) == 7.0
    assert delay(Response(429, {"Retry-After": "11"}), Repeatable.WHEN_REFUSED) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (format_datetime(datetime.fromtimestamp(NOW + 30, UTC), usegmt=True), 30.0),
        (format_datetime(datetime.fromtimestamp(NOW - 30, UTC), usegmt=True), 0.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("9" * 400, 3600.0),
        ("2147500000 Nov 0 0:0", None),
    ],
)
def test_retry_after_values(value: str, expected: float | None) -> None:
    assert retry_after(Response(429, {"Retry-After": value}), NOW) == expected


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_stays_within_its_bound(attempt: int, jitter: float) -> None:
    assert 0.0 <= backoff(attempt, 0.5, 30.0, jitter) <= 30.0


def test_jitter_is_full() -> None:
    assert [backoff(3, 1.0, 30.0, jitter) for jitter in (0.0, 0.5, 1.0)] == [0.0, 2.0, 4.0]


@given(st.text())
def test_no_retry_after_value_is_fatal(value: str) -> None:
    seconds = retry_after(Response(429, {"Retry-After": value}), NOW)
    assert seconds is None or seconds >= 0
