"""Keys of the API and sessions of browsers: made, looked up, taken back. At hand in memory, kept in the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from watchband.apps.service.acting import Acting
from watchband.core.access_keys import KEY, SESSION, AccessKey, Role, check_name, digest_of, id_in, new_secret
from watchband.core.acts import Act
from watchband.core.clock import Clock
from watchband.core.duration import DAY, MINUTE
from watchband.core.errors import ConfigError
from watchband.core.ports import Store

KEYS_MAX = 200
"""Keys that live at a time."""
ENDED_MAX = 300
"""Keys that expired or were taken back, whose names stay in the list."""
SESSIONS_MAX = 20
"""Sessions of one key at a time; one more ends the one that was idle longest."""
EXPIRES_MAX = 10 * 365 * DAY
COARSE = 10 * MINUTE
"""How exactly it is kept when a key was last used."""
LOCAL = "local"


class Keys:
    """All keys and sessions of a service.

    Parameters
    ----------
    clock : Clock
        What time it is.
    reserved : callable, optional
        Names that no key may have: those of tokens of the configuration.
    """

    def __init__(self, clock: Clock, reserved: Callable[[], Collection[str]] = tuple) -> None:
        self.clock, self.reserved = clock, reserved
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._acting: Acting | None = None
        self._all: dict[str, AccessKey] = {}
        self._unsaved: set[str] = set()

    @property
    def known(self) -> bool:
        """Whether the store was asked: before, nobody can be told from anybody else."""
        return self._store is not None

    @property
    def any(self) -> bool:
        """Whether a key was ever made: from then on a change needs one, even if all have expired since."""
        with self._lock:
            return any(not key.parent for key in self._all.values())

    def load(self, store: Store, acting: Acting) -> None:
        """Take over what a store keeps."""
        with self._lock:
            self._all = {key.id: key for key in store.access_keys()}
            self._store, self._acting = store, acting
            self._unsaved.clear()

    def all(self) -> Sequence[AccessKey]:
        """Every key, the newest first; sessions are left out."""
        with self._lock:
            return [key for key in reversed(self._all.values()) if not key.parent]

    def create(self, name: str, role: Role, by: str, lifetime: int | None = None) -> tuple[AccessKey, str]:
        """A new key and its secret, which is not kept: who loses it makes another.

        Parameters
        ----------
        name : str
            Who has it.
        role : str
            What it may do.
        by : str
            Who makes it.
        lifetime : int, optional
            ns until it expires; None: never.

        Raises
        ------
        ConfigError
            The name is none or taken, there are too many, or the first is not an admin's.
        WatchbandError
            The store cannot keep it: there is no new key.
        """
        check_name(name)
        store, acting = self._ready()
        with self._lock:
            now = self.clock.now()
            self._check_new(name, role, lifetime, now)
            number, secret = new_secret(KEY)
            key = AccessKey(number, name, role, digest_of(secret), now, by, now + lifetime if lifetime else 0)
            said = f"{name}: {role}" + (f", for {lifetime // DAY:,} days" if lifetime else "")
            # First that somebody wants it, then what follows: nothing happens that is not written down.
            acting.do(Act(now, by, "create key", number, said))
            store.keep_access_key(key)
            self._all[number] = key
            self._forget_ended(store, now)
        return key, secret

    def _check_new(self, name: str, role: Role, lifetime: int | None, now: int) -> None:
        living = [key for key in self._all.values() if not key.parent and key.lives(now)]
        if lifetime is not None and not MINUTE <= lifetime <= EXPIRES_MAX:
            raise ConfigError("A key lives for a minute to ten years, such as 90d.")
        if name == LOCAL or name in self.reserved() or any(key.name == name for key in living):
            raise ConfigError(f"The name {name!r} is taken: the audit log could not tell them apart. Give another.")
        if len(living) >= KEYS_MAX:
            raise ConfigError(f"There are {KEYS_MAX} keys already. Revoke one that nobody uses.")
        if role != "admin" and not self.any and not self.reserved():
            raise ConfigError("The first key is an admin's: from then on every change needs a key. Use role 'admin'.")

    def _forget_ended(self, store: Store, now: int) -> None:
        ended = [key.id for key in self._all.values() if not key.parent and not key.lives(now)]
        self._drop(store, ended[: max(0, len(ended) - ENDED_MAX)])

    def revoke(self, number: str, by: str) -> AccessKey | None:
        """Take a key back, and end its sessions; None if there is no such key.

        Raises
        ------
        WatchbandError
            The store cannot keep that: the key goes on.
        """
        store, acting = self._ready()
        with self._lock:
            key = self._all.get(number)
            if key is None or key.parent:
                return None
            if key.revoked:
                return key
            now = self.clock.now()
            acting.do(Act(now, by, "revoke key", number, key.name))
            gone = replace(key, revoked=now)
            store.keep_access_key(gone)
            self._all[number] = gone
            self._drop(store, [s.id for s in self._all.values() if s.parent == number])
            return gone

    def opens(self, secret: str) -> AccessKey | None:
        """The key of a secret; None if it has none that lives."""
        key = self._found(secret, KEY)
        return self._used(key) if key is not None else None

    def alive(self, number: str, now: int) -> AccessKey | None:
        """The key of an id, as long as it lives."""
        key = self._all.get(number)
        return key if key is not None and not key.parent and key.lives(now) else None

    def sign_in(self, key: AccessKey, length: int) -> tuple[AccessKey, str]:
        """A session of a key, for ``length`` ns at most, and its secret.

        Raises
        ------
        WatchbandError
            The store cannot keep it.
        """
        store, acting = self._ready()
        with self._lock:
            now = self.clock.now()
            number, secret = new_secret(SESSION)
            end = min(now + length, key.expires or now + length)
            session = AccessKey(number, key.name, key.role, digest_of(secret), now, key.name, end, 0, now, key.id)
            acting.do(Act(now, key.name, "sign in"))
            others = sorted((s for s in self._all.values() if s.parent == key.id), key=lambda s: s.used)
            self._drop(store, [s.id for s in others[: max(0, len(others) + 1 - SESSIONS_MAX)]])
            store.keep_access_key(session)
            self._all[number] = session
        return session, secret

    def session(self, secret: str, idle: int) -> AccessKey | None:
        """The session of a secret; None if it ended, was idle for ``idle`` ns, or its key is no more."""
        session = self._found(secret, SESSION)
        if session is None or not self.goes_on(session.id, idle):
            return None
        self._used(self._all[session.parent])
        return self._used(session)

    def goes_on(self, number: str, idle: int, *, use: bool = False) -> bool:
        """Whether a session goes on, and is in use."""
        now = self.clock.now()
        kept = self._all.get(number)
        if kept is None or not kept.lives(now) or now - kept.used >= idle or self.alive(kept.parent, now) is None:
            return False
        if use:
            self._used(kept)
        return True

    def sign_out(self, number: str) -> None:
        """End a session."""
        store, acting = self._ready()
        with self._lock:
            session = self._all.get(number)
            if session is not None and session.parent:
                acting.do(Act(self.clock.now(), session.name, "sign out"))
                self._drop(store, [number])

    def write_down(self, act: Act) -> None:
        """Write down what somebody did.

        Raises
        ------
        WatchbandError
            The store cannot keep it.
        """
        self._ready()[1].do(act)

    def tend(self, idle: int) -> None:
        """Write down what was used, and forget sessions that ended; now and then, since it writes to the store."""
        if self._store is None:
            return
        with self._lock:
            sessions = [s for s in self._all.values() if s.parent and not self.goes_on(s.id, idle)]
            self._drop(self._store, [s.id for s in sessions])
            for number in list(self._unsaved):
                if number in self._all:
                    self._store.keep_access_key(self._all[number])
                self._unsaved.discard(number)

    def _found(self, secret: str, kind: str) -> AccessKey | None:
        number = id_in(secret, kind)
        key = self._all.get(number) if number is not None else None
        if key is None or bool(key.parent) != (kind == SESSION) or not key.opened_by(secret):
            return None
        return key if key.lives(self.clock.now()) else None

    def _used(self, key: AccessKey) -> AccessKey:
        now = self.clock.now()
        if now - key.used < COARSE:
            return key
        with self._lock:
            if key.id in self._all:
                self._all[key.id] = replace(self._all[key.id], used=now)
                self._unsaved.add(key.id)
        return key

    def _drop(self, store: Store, ids: Sequence[str]) -> None:
        if ids:
            store.drop_access_keys(ids)
            for number in ids:
                self._all.pop(number, None)

    def _ready(self) -> tuple[Store, Acting]:
        if self._store is None or self._acting is None:
            raise ConfigError("The keys are not known yet: the service starts. Try again.")
        return self._store, self._acting
