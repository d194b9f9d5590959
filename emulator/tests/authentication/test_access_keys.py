import pytest
from signalr_emulator.authentication.access_keys import AccessKeys
from signalr_emulator.clock import Clock

SEED = bytes(32)


def test_key_lives_90_minutes(clock: Clock) -> None:
    keys = AccessKeys(clock, SEED)
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
    key = AccessKeys(clock, SEED).issue()
    assert len(key.secret) >= 43
    assert key.secret not in repr(key)


def test_a_key_follows_from_the_seed_alone(clock: Clock) -> None:
    before = AccessKeys(clock, SEED)
    key = before.issue()
    after = AccessKeys(clock, SEED)
    assert after.find(key.key_id) == key
    assert after.live() == []
    assert after.service_key == before.service_key
    other = AccessKeys(clock, bytes(31) + b"1")
    found = other.find(key.key_id)
    assert found is not None
    assert found.secret != key.secret
    assert other.service_key.secret != before.service_key.secret
    clock.advance(90 * 60)
    assert after.find(key.key_id) is None


def test_a_revoked_key_stays_revoked(clock: Clock) -> None:
    key = AccessKeys(clock, SEED).issue()
    keys = AccessKeys(clock, SEED)
    assert keys.revoke(key.key_id)
    assert keys.find(key.key_id) is None
    assert not keys.revoke(key.key_id)
    assert keys.secrets_for(key.key_id) == ()


def test_a_clock_that_is_set_back_ends_no_key(clock: Clock) -> None:
    ahead = Clock(clock.now)
    ahead.advance(60)
    key = AccessKeys(ahead, SEED).issue()
    assert AccessKeys(clock, SEED).find(key.key_id) == key


def test_a_key_from_before_a_reset_hides_no_key_that_has_ended(clock: Clock) -> None:
    keys = AccessKeys(clock, SEED)
    clock.advance(3600)
    ahead = keys.issue()
    clock.reset()
    ended = keys.issue()
    clock.advance(90 * 60)
    assert keys.find(ended.key_id) is None
    assert keys.live() == [ahead]


@pytest.mark.parametrize(
    "key_id", ["", "unknown", "1", "service", "-" * 17, f"{'f' * 13}-{'0' * 16}", "-1-" + "0" * 16]
)
def test_ids_that_no_key_has(clock: Clock, key_id: str) -> None:
    assert AccessKeys(clock, SEED).find(key_id) is None
