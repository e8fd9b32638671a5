"""Keys and sessions: made, found, used, taken back, forgotten."""

from __future__ import annotations

import pytest

from tests.apps.service.worlds import HandClock
from watchband.adapters.stores.memory import MemoryStore
from watchband.apps.service import keys as module
from watchband.apps.service.acting import Acting
from watchband.apps.service.keys import ENDED_MAX, KEYS_MAX, SESSIONS_MAX, Keys
from watchband.core.access_keys import ROLES, AccessKey
from watchband.core.duration import DAY, HOUR, MINUTE
from watchband.core.errors import ConfigError, TransientError
from watchband.testing.streams import START


def opened(store: MemoryStore | None = None, clock: HandClock | None = None, names: tuple[str, ...] = ()) -> Keys:
    store = store or MemoryStore()
    keys = Keys(clock or HandClock(START), lambda: names)
    keys.load(store, Acting(store))
    return keys


def test_a_key_is_found_by_its_secret_and_by_nothing_else() -> None:
    keys = opened()
    assert (keys.known, keys.any) == (True, False)
    key, secret = keys.create("ann", "admin", "local")
    assert keys.any
    assert secret.startswith(f"wb_{key.id}_")
    assert keys.opens(secret) == key
    for other in (secret[:-1], secret + "x", secret.swapcase(), key.id, key.digest, "", "wb_", "ü" * 60, "x" * 10_000):
        assert keys.opens(other) is None, other
    assert secret not in repr(key)


def test_only_the_digest_reaches_the_store_and_it_survives_another_process() -> None:
    store = MemoryStore()
    keys = opened(store)
    _, secret = keys.create("ann", "admin", "local")
    assert secret.rpartition("_")[2] not in str(store.access_keys())
    assert len(store.access_keys()[0].digest) == 64
    assert opened(store).opens(secret) is not None


def test_every_key_is_another() -> None:
    keys = opened()
    secrets = {keys.create(f"k{n}", "admin", "local")[1] for n in range(50)}
    assert len(secrets) == 50


def test_the_first_key_is_an_admins_unless_tokens_let_somebody_in() -> None:
    with pytest.raises(ConfigError, match="first key is an admin's"):
        opened().create("grafana", "viewer", "local")
    opened(names=("ops",)).create("grafana", "viewer", "ops")
    keys = opened()
    keys.create("ann", "admin", "local")
    for role in ROLES:
        keys.create(role, role, "ann")


@pytest.mark.parametrize("name", ["", " ", "a\n", "a b ", "-a", "x" * 61, "<b>", "a/b", "é", "local", "token", "ann"])
def test_a_name_is_short_plain_and_free(name: str) -> None:
    keys = opened(names=("token",))
    keys.create("ann", "admin", "local")
    with pytest.raises(ConfigError):
        keys.create(name, "viewer", "ann")


def test_a_key_expires_by_itself_and_stays_listed() -> None:
    clock = HandClock(START)
    keys = opened(clock=clock)
    key, secret = keys.create("ann", "admin", "local", 90 * DAY)
    clock.time += 90 * DAY - 1
    assert keys.opens(secret) is not None
    clock.time += 1
    assert keys.opens(secret) is None
    assert [k.id for k in keys.all()] == [key.id]
    # Its name is free again, and the door stays shut.
    assert keys.any
    keys.create("ann", "admin", "local")
    for lifetime in (MINUTE - 1, 11 * 365 * DAY):
        with pytest.raises(ConfigError, match="lives for"):
            keys.create("bob", "viewer", "ann", lifetime)


def test_what_is_taken_back_opens_nothing_at_once_here_and_after_a_restart() -> None:
    store = MemoryStore()
    keys = opened(store)
    key, secret = keys.create("ann", "admin", "local")
    session, cookie = keys.sign_in(key, DAY)
    gone = keys.revoke(key.id, "bob")
    assert gone is not None
    assert gone.revoked == START
    for one in (keys, opened(store)):
        assert one.opens(secret) is None
        assert one.session(cookie, HOUR) is None
        assert not one.goes_on(session.id, HOUR)
    assert keys.revoke(key.id, "bob") == gone
    assert (keys.revoke("nothing", "bob"), keys.revoke(session.id, "bob")) == (None, None)
    assert [(a.by, a.deed, a.target) for a in store.acts()] == [
        ("local", "create key", key.id),
        ("ann", "sign in", ""),
        ("bob", "revoke key", key.id),
    ]


def test_a_session_ends_when_idle_when_old_when_its_key_does_and_when_somebody_signs_out() -> None:
    clock = HandClock(START)
    keys = opened(clock=clock)
    key, secret = keys.create("ann", "operator" if keys.any else "admin", "local", 3 * DAY)
    _, cookie = keys.sign_in(key, 2 * DAY)
    assert keys.opens(cookie) is None
    assert keys.session(secret, HOUR) is None
    for _ in range(47):
        clock.time += HOUR - 1
        found = keys.session(cookie, HOUR)
        assert found is not None
    clock.time = START + 2 * DAY
    assert keys.session(cookie, DAY) is None
    _, cookie = keys.sign_in(key, 2 * DAY)
    clock.time += HOUR
    assert keys.session(cookie, HOUR) is None
    session, cookie = keys.sign_in(key, 2 * DAY)
    assert session.expires == START + 3 * DAY
    keys.sign_out(session.id)
    keys.sign_out(session.id)
    keys.sign_out(key.id)
    assert keys.session(cookie, HOUR) is None
    assert keys.opens(secret) is not None


def test_one_session_too_many_ends_the_one_that_was_idle_longest() -> None:
    clock = HandClock(START)
    keys = opened(clock=clock)
    ann = keys.create("ann", "admin", "local")[0]
    bob = keys.create("bob", "viewer", "ann")[0]
    others = keys.sign_in(bob, DAY)[1]
    cookies = []
    for _ in range(SESSIONS_MAX + 2):
        clock.time += MINUTE
        cookies.append(keys.sign_in(ann, DAY)[1])
    alive = [keys.session(cookie, DAY) is not None for cookie in cookies]
    assert alive == [False, False, *[True] * SESSIONS_MAX]
    assert keys.session(others, DAY) is not None


def test_use_is_written_down_coarsely_and_ended_sessions_are_forgotten() -> None:
    class Counting(MemoryStore):
        kept = 0

        def keep_access_key(self, key: AccessKey) -> None:
            self.kept += 1
            super().keep_access_key(key)

    clock, store = HandClock(START), Counting()
    keys = opened(store, clock)
    key, secret = keys.create("ann", "admin", "local")
    keys.sign_in(key, DAY)
    before = store.kept
    for _ in range(100):
        clock.time += MINUTE
        keys.opens(secret)
    keys.tend(HOUR)
    keys.tend(HOUR)
    assert store.kept == before + 1
    assert START + 90 * MINUTE <= store.access_keys()[0].used <= clock.time
    assert [k.name for k in store.access_keys()] == ["ann"]


def test_keys_and_their_remains_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEYS_MAX", 3)
    monkeypatch.setattr(module, "ENDED_MAX", 4)
    assert (KEYS_MAX, ENDED_MAX) == (200, 300)
    store = MemoryStore()
    keys = opened(store)
    keys.create("ann", "admin", "local")
    for n in range(20):
        key, _ = keys.create(f"k{n}", "viewer", "ann")
        keys.revoke(key.id, "ann")
    assert len(store.access_keys()) <= 1 + 4 + 1
    keys.create("b", "viewer", "ann")
    keys.create("c", "viewer", "ann")
    with pytest.raises(ConfigError, match="keys already"):
        keys.create("d", "viewer", "ann")


def test_what_the_store_cannot_keep_does_not_happen() -> None:
    class Full(MemoryStore):
        full = False

        def keep_access_key(self, key: AccessKey) -> None:
            if self.full:
                raise TransientError("The disk is full.")
            super().keep_access_key(key)

    store = Full()
    keys = opened(store)
    key, secret = keys.create("ann", "admin", "local")
    store.full = True
    with pytest.raises(TransientError):
        keys.create("bob", "viewer", "ann")
    with pytest.raises(TransientError):
        keys.revoke(key.id, "ann")
    assert [k.name for k in keys.all()] == ["ann"]
    assert keys.opens(secret) is not None


def test_before_the_store_was_asked_nobody_is_known() -> None:
    keys = Keys(HandClock(START))
    assert not keys.known
    keys.tend(HOUR)
    with pytest.raises(ConfigError, match="not known yet"):
        keys.create("ann", "admin", "local")
