import pytest
from signalr_emulator.errors import InvalidRequestError
from signalr_emulator.operations.payloads import parse_item, parse_payload
from signalr_emulator.protocols.supported import JSON


@pytest.mark.parametrize(
    ("body", "arguments"),
    [
        (b'{"target":"t","arguments":[1,null]}', b"[1,null]"),
        (b'{"Target":"t","Arguments":[]}', b"[]"),
        (b'{"TARGET":"t"}', b"[]"),
        (b'{"target":"t","arguments":null}', b"[]"),
        (b' {"target" : "\\u0074" , "arguments":[ 12.50 ] } ', b"[ 12.50 ]"),
        (b'{"target":"t","arguments":[1],"rawOnly":false,"more":{}}', b"[1]"),
        (b'{"target":"s","Target":"t","arguments":[1],"arguments":[2]}', b"[2]"),
        (b'{"target":"s","target":"t","arguments":[1],"arguments":null}', b"[]"),
        (b'{"arguments":[1.50,"\\ud83d"],"target":"t"}', b'[1.50,"\\ud83d"]'),
    ],
)
def test_payloads(body: bytes, arguments: bytes) -> None:
    payload = parse_payload(body)
    assert payload.target == "t"
    record = b'{"type":1,"target":"t","arguments":' + arguments + b"}\x1e"
    assert payload.written(JSON) == record


@pytest.mark.parametrize(
    ("body", "target"),
    [
        (b"", None),
        (b"[]", None),
        (b"{", None),
        (b'{"target":"\xff"}', None),
        (b'{"target":1e400}', None),
        (b'{"target":"t","arguments":["\xff"]}', None),
        (b'{"target":"t","arguments":[NaN]}', None),
        (b'{"target":"t","arguments":[1]}]', None),
        (b'{"target":"t","arguments":' + b"[" * 100_000 + b"]" * 100_000 + b"}", None),
        (b'{"arguments":[]}', "target"),
        (b'{"target":"","arguments":[]}', "target"),
        (b'{"target":1,"arguments":[]}', "target"),
        (b'{"target":"t","arguments":{}}', "arguments"),
    ],
)
def test_refused_payloads(body: bytes, target: str | None) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_payload(body)
    assert caught.value.target == target


def test_items() -> None:
    record = b'{"type":2,"invocationId":"s","item":[ 12.50 ]}\x1e'
    assert parse_item(b" [ 12.50 ]\n", "s")(JSON) == record
    with pytest.raises(InvalidRequestError, match="is not valid JSON in UTF-8"):
        parse_item(b"12.50 1", "s")
