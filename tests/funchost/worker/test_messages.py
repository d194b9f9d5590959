import uuid

import pytest

from funchost.worker import protos
from funchost.worker.functions import InvocationError
from funchost.worker.messages import new_invocation_id, trace_parent
from funchost.worker.protobuf import response_of


def _reply(data: protos.TypedData | None) -> protos.InvocationResponse:
    return protos.InvocationResponse("id", protos.StatusResult(1), data)


@pytest.mark.parametrize(
    ("data", "status", "body", "kind"),
    [
        (None, 204, b"", None),
        (protos.TypedData(string="é"), 200, "é".encode(), "text/plain; charset=utf-8"),
        (protos.TypedData(string=""), 200, b"", "text/plain; charset=utf-8"),
        (protos.TypedData(bytes=b"\0"), 200, b"\0", None),
        (protos.TypedData(json="{}"), 200, b"{}", "application/json; charset=utf-8"),
        (protos.TypedData(http=protos.RpcHttp(status_code="304")), 304, b"", None),
    ],
)
def test_reads_a_response(
    data: protos.TypedData | None, status: int, body: bytes, kind: str | None
) -> None:
    answer = response_of(_reply(data), "$return")
    assert (answer.status, answer.body, answer.headers.get("content-type")) == (status, body, kind)


@pytest.mark.parametrize("status", ["", "abc", "99", "1000", "-200"])
def test_refuses_a_status_that_is_none(status: str) -> None:
    with pytest.raises(InvocationError, match="no HTTP status"):
        response_of(_reply(protos.TypedData(http=protos.RpcHttp(status_code=status))), "$return")


def test_a_message_names_its_field() -> None:
    assert protos.TypedData().WhichOneof("data") is None
    assert protos.TypedData(http=protos.RpcHttp()).WhichOneof("data") == "http"
    assert protos.TypedData(bytes=b"").WhichOneof("data") == "bytes"
    assert protos.TypedData(json="1").WhichOneof("data") == "json"
    assert protos.ParameterBinding("p").WhichOneof("rpc_data") is None


def test_constants_have_the_numbers_of_the_protocol() -> None:
    assert [getattr(protos.BindingInfo, name) for name in ("in", "out", "inout")] == [0, 1, 2]
    names = ("None", "Lax", "Strict", "ExplicitNone")
    assert [getattr(protos.RpcHttpCookie.SameSite, name) for name in names] == [0, 1, 2, 3]
    result = protos.StatusResult
    assert [result.Failure, result.Success, result.Cancelled] == [0, 1, 2]


def test_a_fresh_trace_parent_is_valid() -> None:
    made = trace_parent(None)
    assert trace_parent(made) == made


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{'0' * 32}-{'1' * 16}-00",
        f"00-{'1' * 32}-{'0' * 16}-00",
        f"ff-{'1' * 32}-{'1' * 16}-00",
        f"00-{'A' * 32}-{'1' * 16}-00",
        f"00-{'1' * 32}-{'1' * 16}",
    ],
)
def test_an_invalid_trace_parent_is_replaced(header: str) -> None:
    assert trace_parent(header) != header


def test_invocation_ids_are_uuids() -> None:
    ids = {new_invocation_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {uuid.UUID(text).version for text in ids} == {4}
