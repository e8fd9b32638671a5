"""``wb.load_model``: a champion from its folder, refused where it cannot be trusted, and what it says of data."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from watchband.analysis.training.fitting import MODEL
from watchband.analysis.tuning.configuration import Configuration
from watchband.apps.library.detection import Detection
from watchband.apps.library.feeds import Feed, open_source
from watchband.apps.library.job import execute
from watchband.apps.library.options import Options
from watchband.apps.library.training import card as cards
from watchband.apps.library.training.schema import Checked
from watchband.core.detector import Detector
from watchband.core.errors import ConfigError, StateCorruptError, StateVersionError, WatchbandError


class Model:
    """A trained champion.

    Attributes
    ----------
    folder : Path
        Where it is.
    card : dict
        ``champion.json``: what was chosen, on which data, by which rule, with which figures.
    detector : Detector
        Ready, with its model file.
    """

    def __init__(self, folder: Path, card: dict[str, Any]) -> None:
        self.folder, self.card = folder, card
        self.detector = self._detector()

    @property
    def configuration(self) -> Configuration:
        """Detector with the path of its model file, rule and policy."""
        said = self.card["champion"]
        made = Configuration.of(said["configuration"], Options(**self.card["options"]).shared())
        if said["model"] is None:
            return made
        return dataclasses.replace(made, parameters={**made.parameters, MODEL: str(self.folder / said["model"])})

    @property
    def options(self) -> Options:
        """What ``detect`` is told, so that it says the same bits."""
        return Options(**{**self.card["options"], **_rule(self.configuration), "detector": self.detector})

    @property
    def flags(self) -> str:
        """Flags of ``watchband detect`` that give the same bits, beside those that training was given."""
        return self.configuration.flags

    def score(
        self,
        source: Any,
        *,
        accept_drift: bool = False,
        time: str | None = None,
        value: str | Sequence[str] = (),
        label: str | Sequence[str] = (),
        metric: str | None = None,
        out: str | Path | None = None,
    ) -> Detection:
        """Judge data as ``detect`` does with this model; see ``watchband score``.

        Parameters
        ----------
        source : frame, series, (times, values), path or list of paths
            As for ``detect``.
        accept_drift : bool, default False
            Score also what differs from the data of the training: other metrics, another interval.
        time, value, label, metric
            Columns, where they are not found as in training.
        out : path, optional
            Folder for scores, plots and report.

        Raises
        ------
        DataError
            The data are not of the kind that the model was trained on; says what differs.
        """
        given = {"time": time, "value": _listed(value), "label": _listed(label), "metric": metric}
        feed = open_source(source, self.options, self.hints(given))
        found = execute(self.checked(feed, accept_drift), self.options, keep_rows=True, out=out)
        assert isinstance(found, Detection)
        return found

    @property
    def text(self) -> str:
        """The detector as configuration and command line write it, with the path of its model file.

        Raises
        ------
        ConfigError
            The path of the folder has a comma in it, which ends a parameter there.
        """
        if "," in str(self.folder) and self.card["champion"]["model"] is not None:
            raise ConfigError(
                f"The folder {self.folder} has a comma in its path, which no detector can be told. Rename it."
            )
        return self.configuration.text

    @property
    def identity(self) -> dict[str, Any]:
        """What names it: folder, detector, checksum of the card, when it was trained."""
        return {
            "folder": str(self.folder),
            "detector": self.configuration.detector,
            "checksum": self.card["checksum"],
            "created": self.card["created"],
        }

    def hints(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """How data are read: as is said now, or else as the training was told."""
        own = self.card["input"]
        return dict(given) if any(given.values()) or not isinstance(own, dict) else {**given, **own}

    def checked(self, feed: Feed, accept_drift: bool = False) -> Checked:
        """A feed that is held against the data of the training."""
        resampled = self.options.resample is not None
        joined = bool(self.options.join)
        return Checked(feed, self.card["data"], strict=not accept_drift, resampled=resampled, joined=joined)

    def _detector(self) -> Detector:
        said = self.card["champion"]["detector"]
        options = Options(**self.card["options"])
        built = self.configuration.build(options.shared())
        name, version = said["name"], said["state_version"]
        if (name, version) != (built.name, built.state_version):
            raise StateVersionError(
                f"{self.folder} was trained for version {version} of {name}, this release has version "
                f"{built.state_version} of {built.name}: its scores would be others. Train it anew."
            )
        if "names" in said and list(getattr(built, "names", ())) != said["names"]:
            raise StateVersionError(
                f"{self.folder} reads the features {', '.join(map(str, list(said['names'])[:5]))}…; this release makes "
                "others of the same points. Train it anew."
            )
        return built

    def __repr__(self) -> str:
        return f"Model({self.configuration.detector}, trained on {', '.join(self.card['data']['metrics'][:3])})"


def load_model(folder: str | os.PathLike[str]) -> Model:
    """A champion from the folder that ``watchband train`` wrote.

    Parameters
    ----------
    folder : path
        With ``champion.json`` in it.

    Raises
    ------
    NotThereError
        There is no such folder, or a file is gone.
    StateCorruptError
        The card or a file that scores was changed or is damaged.
    StateVersionError
        It is of a newer release, or of one whose scores were others.
    """
    place = Path(folder).expanduser().absolute()
    card = cards.read_card(place)
    try:
        _check_shape(card)
        for name in card["champion"]["needs"]:
            cards.check_file(place, card, name)
        model = Model(place, card)
        model.options.watch()
        _ = model.identity
    except WatchbandError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # A checksum is no signature: whoever made this one knew how.
        raise StateCorruptError(
            f"The card of {place} makes no sense ({type(error).__name__}: {error}). {cards.ADVICE}"
        ) from None
    return model


def _check_shape(card: Mapping[str, Any]) -> None:
    """Raise TypeError, KeyError or ValueError unless everything that is read later is of its type."""
    champion, data = card["champion"], card["data"]
    for holder, name, kinds in (
        (champion, "needs", list), (champion, "model", str | None), (champion, "configuration", dict),
        (champion, "detector", dict), (card, "options", dict), (card, "input", dict), (card, "files", dict),
        (data, "metrics", list), (data, "labels", list), (data, "series", list), (data, "series_count", int),
        (data, "interval_ns", int | None),
    ):  # fmt: skip
        if not isinstance(holder[name], kinds):
            raise TypeError(f"{name!r} is of another type")
    if not all(isinstance(name, str) for part in ("metrics", "labels", "series") for name in data[part]):
        raise TypeError("a name of its data is no text")
    if not all(isinstance(name, str) for name in champion["needs"]) or champion["model"] not in (
        None,
        *champion["needs"],
    ):
        raise ValueError("its model is not among the files that it needs")


def _rule(configuration: Configuration) -> dict[str, Any]:
    """Rule and policy as fields of ``Options``."""
    kind, _, rest = configuration.rule.partition(":")
    value = float(rest) if kind in ("cutoff", "contamination") else rest
    return {kind: value, **configuration.policy}


def options_with(model: Model, given: Mapping[str, Any]) -> Options:
    """The options of a model with what somebody else says beside it.

    Parameters
    ----------
    model : Model
        What judges.
    given : mapping
        Fields of ``Options``; those that are the default leave the model's own.

    Raises
    ------
    ConfigError
        A detector is given too, which is the model's alone to say.
    """
    plain, own = Options(), model.options
    stated = {name: value for name, value in given.items() if value != getattr(plain, name)}
    if "detector" in stated:
        raise ConfigError(
            f"'detector' and 'model' exclude each other: the model in {model.folder} is a "
            f"{model.configuration.detector}. Give one of them."
        )
    rules = [name for name in ("budget", "cutoff", "sigma", "contamination", "width") if name in stated]
    cleared = dict.fromkeys(("budget", "cutoff", "sigma", "contamination", "width")) if rules else {}
    return dataclasses.replace(own, **{**cleared, **stated})


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
