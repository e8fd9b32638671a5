"""Secrets: text that never shows itself, from the configuration's environment or from a file."""

from __future__ import annotations

from pathlib import Path

from watchband.core.errors import ConfigError

SECRET_BYTES_MAX = 64 * 1024
HIDDEN = "(secret)"


class Secret:
    """A password, token or signing key. Prints, formats and compares without giving itself away.

    Parameters
    ----------
    text : str, optional
        The secret itself.
    file : str, optional
        Where it stands; read anew at every use, so that a rotated secret needs no restart. One line end at its end
        is no part of it.

    Raises
    ------
    ConfigError
        Both or none given; at use, the file cannot be read, is empty or larger than 64 KiB.

    Examples
    --------
    >>> token = Secret("hunter2")
    >>> token, f"{token}", token.reveal()
    (Secret((secret)), '(secret)', 'hunter2')
    """

    __slots__ = ("_text", "file")

    def __init__(self, text: str | None = None, *, file: str | None = None) -> None:
        if (text is None) == (file is None):
            raise ConfigError("A secret is either a text or a file. Give one of them.")
        self._text, self.file = text, file

    def reveal(self) -> str:
        """The secret, for the one call that needs it."""
        if self.file is None:
            assert self._text is not None
            return self._text
        try:
            with Path(self.file).open("rb") as file:
                data = file.read(SECRET_BYTES_MAX + 1)
            text = "" if len(data) > SECRET_BYTES_MAX else data.decode()
        except (OSError, ValueError) as error:
            if isinstance(error, UnicodeDecodeError):
                raise ConfigError(f"The secret in {self.file} is not UTF-8 text.") from None
            raise ConfigError(
                f"The secret in {self.file!r} cannot be read: {getattr(error, 'strerror', error)}. Check the path and "
                "that this user may read it."
            ) from None
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise ConfigError(f"The secret in {self.file} is {'too large' if data.strip() else 'empty'}.")
        return text

    def __repr__(self) -> str:
        return f"Secret(file={self.file!r})" if self.file else f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._text, self.file) == (other._text, other.file)

    def __hash__(self) -> int:
        return hash((Secret, self.file))

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("A secret is not written anywhere.")
