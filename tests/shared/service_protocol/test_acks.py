"""Whoever asks the service is told once what came of it."""

import pytest

from shared.errors import (
    ConnectionNotFoundError,
    ConnectionUserMismatchError,
    PermissionDeniedError,
    ServiceUnavailableError,
    UnexpectedResponseError,
)
from shared.service_protocol import acks as acks_module
from shared.service_protocol.acks import Acks, Answer, read_claims
from shared.service_protocol.fields import FOR_EVER
from shared.service_protocol.messages import Ack
from shared.service_protocol.requests import (
    AckRequest,
    CheckConnectionExistenceWithAck,
    CheckGroupExistenceWithAck,
    CheckUserExistenceWithAck,
    CheckUserInGroupWithAck,
    CloseUserConnectionsWithAck,
    GetConnectionClaims,
    GroupMemberQuery,
    JoinGroupWithAck,
    LeaveGroupWithAck,
    RefreshAuth,
    UserJoinGroupWithAck,
    UserLeaveGroupWithAck,
)

JOIN = JoinGroupWithAck(connection_id="c", group="g")
REFRESH = RefreshAuth(connection_token="t", claims=(), expires=FOR_EVER)
CLAIMS = GetConnectionClaims(connection_token="t")


def result_of(request: AckRequest, status: int) -> object:
    acks = Acks[str]()
    asked = acks.ask(request, "me", line=1, now=0.0)
    outcome = acks.answered(Ack(ack_id=asked.ack_id, status=status, payload=b"\x90"))
    assert outcome is not None
    assert outcome.waiter == "me"
    return outcome.result


def test_ids_count_from_1_whatever_connection_is_written_to() -> None:
    acks = Acks[str]()
    asked = [acks.ask(JOIN, "me", line=line, now=0.0) for line in (1, 2, 1)]
    assert [each.ack_id for each in asked] == [1, 2, 3]
    assert JOIN.ack_id == 0


def test_ids_begin_again_after_the_largest_and_leave_out_those_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acks_module, "_LARGEST_ID", 3)
    acks = Acks[str]()
    for _ in range(3):
        acks.ask(JOIN, "me", line=1, now=0.0)
    acks.answered(Ack(ack_id=2, status=1))
    assert acks.ask(JOIN, "me", line=1, now=0.0).ack_id == 2


@pytest.mark.parametrize(
    "request_",
    [
        JOIN,
        LeaveGroupWithAck(connection_id="c", group=None),
        UserJoinGroupWithAck(user_id="u", group="g"),
        UserLeaveGroupWithAck(user_id="u", group=None),
    ],
)
def test_joining_and_leaving_succeed_where_nothing_is_found(request_: AckRequest) -> None:
    assert result_of(request_, 2) == Answer(found=True)


@pytest.mark.parametrize(
    "request_",
    [
        CheckUserInGroupWithAck(user_id="u", group="g"),
        CheckConnectionExistenceWithAck(connection_id="c"),
        CheckUserExistenceWithAck(user_id="u"),
        CheckGroupExistenceWithAck(group="g"),
        CloseUserConnectionsWithAck(user_id="u"),
        GroupMemberQuery(group="g"),
    ],
)
def test_others_tell_that_nothing_is_found(request_: AckRequest) -> None:
    assert result_of(request_, 1) == Answer(found=True, payload=b"\x90")
    assert result_of(request_, 2) == Answer(found=False)


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (REFRESH, 2, ConnectionNotFoundError),
        (CLAIMS, 2, ConnectionNotFoundError),
        (JOIN, 3, ServiceUnavailableError),
        (JOIN, 4, ServiceUnavailableError),
        (JOIN, 5, PermissionDeniedError),
        (REFRESH, 5, ConnectionUserMismatchError),
        (CLAIMS, 5, PermissionDeniedError),
        (JOIN, 0, UnexpectedResponseError),
        (JOIN, 99, UnexpectedResponseError),
    ],
)
def test_a_status_that_is_no_success_is_an_error(
    request_: AckRequest, status: int, error: type[Exception]
) -> None:
    assert type(result_of(request_, status)) is error


def test_an_ack_that_nobody_waits_for_is_ignored() -> None:
    acks = Acks[str]()
    acks.ask(JOIN, "me", line=1, now=0.0)
    assert acks.answered(Ack(ack_id=7, status=1)) is None
    assert acks.answered(Ack(ack_id=1, status=1)) is not None
    assert acks.answered(Ack(ack_id=1, status=1)) is None


def test_an_ack_is_waited_for_10_s_and_looked_for_every_3() -> None:
    acks = Acks[str]()
    assert acks.due == float("inf")
    acks.ask(JOIN, "early", line=1, now=0.0)
    acks.ask(JOIN, "late", line=1, now=5.0)
    told: dict[str, tuple[float, object]] = {}
    while acks.due < 100:
        now = acks.due
        told |= {outcome.waiter: (now, outcome.result) for outcome in acks.overdue(now)}
    assert {waiter: when for waiter, (when, _) in told.items()} == {"early": 12.0, "late": 15.0}
    assert "It may have been done" in str(told["early"][1])
    assert isinstance(told["early"][1], ServiceUnavailableError)
    assert acks.answered(Ack(ack_id=1, status=1)) is None


def test_those_who_wait_on_a_connection_that_is_lost_are_told_at_once() -> None:
    acks = Acks[str]()
    acks.ask(JOIN, "me", line="first", now=0.0)
    acks.ask(JOIN, "you", line="second", now=0.0)
    (outcome,) = acks.lost("first")
    assert outcome.waiter == "me"
    assert isinstance(outcome.result, ServiceUnavailableError)
    assert acks.answered(Ack(ack_id=2, status=1)) is not None


def test_nobody_is_told_who_is_forgotten() -> None:
    acks = Acks[str]()
    acks.forget(acks.ask(JOIN, "me", line=1, now=0.0))
    assert acks.answered(Ack(ack_id=1, status=1)) is None
    assert acks.lost(1) == []
    assert acks.overdue(100.0) == []


@pytest.mark.parametrize("payload", ["df", "de00", "dfffffffff", "81", "81a161", "81c0a161"])
def test_claims_that_are_not_whole_are_refused(payload: str) -> None:
    with pytest.raises(UnexpectedResponseError, match="Unreadable claims"):
        read_claims(bytes.fromhex(payload))


def test_no_payload_means_no_claims() -> None:
    assert read_claims(b"") == ()
