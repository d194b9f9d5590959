from typing import Any

from signalr_emulator.authentication.claims import claims_payload, held_claims, user_claims


def test_claims_of_the_user() -> None:
    token: dict[str, Any] = {
        "aud": "x",
        "exp": 1,
        "asrs.s.uid": "ann",
        "asrs.u.iss": "mine",
        "nameid": "ann",
        "role": ["a", "b"],
        "age": 7,
        "ok": True,
        "address": {"a": None},
        "odd": float("nan"),
    }
    assert user_claims(token) == (
        ("iss", "mine"),
        ("nameid", "ann"),
        ("role", "a"),
        ("role", "b"),
        ("age", "7"),
        ("ok", "true"),
        ("address", '{"a":null}'),
        ("odd", "nan"),
    )


def test_claims_that_a_connection_holds_make_a_token_again() -> None:
    token: dict[str, Any] = {
        "aud": "x",
        "exp": 1,
        "asrs.s.aeo": 7,
        "asrs.u.iss": "mine",
        "role": ["a", "b"],
    }
    held = held_claims(token)
    assert held == (
        ("asrs.s.aeo", "7"),
        ("asrs.u.iss", "mine"),
        ("role", "a"),
        ("role", "b"),
    )
    assert claims_payload([*held, ("aud", "x"), ("role", "c")]) == {
        "asrs.s.aeo": "7",
        "asrs.u.iss": "mine",
        "role": ["a", "b", "c"],
    }
