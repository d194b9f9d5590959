from signalr_emulator.authentication.access_keys import AccessKeys
from signalr_emulator.clock import Clock


def test_key_lives_90_minutes(clock: Clock) -> None:
    keys = AccessKeys(clock)
    first = keys.issue()
    clock.advance(30 * 60)
    second = keys.issue()
    assert first.key_id != second.key_id
    assert first.secret != second.secret
    clock.advance(60 * 60 - 1)
    assert keys.find(first.key_id) == first
    assert keys.live() == [first, second]
    clock.advance(1)
    assert keys.find(first.key_id) is None
    assert keys.find(second.key_id) == second
    assert keys.live() == [second]


def test_secret_is_long_and_not_shown(clock: Clock) -> None:
    key = AccessKeys(clock).issue()
    assert len(key.secret) >= 43
    assert key.secret not in repr(key)
