"""Watch: prepare → detect → calibrate → decide as one fold over the raw readings of a fleet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from watchband.core.alert import Alert
from watchband.core.detector import Detector
from watchband.core.errors import ConfigError, StateMismatchError
from watchband.core.events import ControlEvent
from watchband.core.fold import Fold
from watchband.core.points import Float64, Int64
from watchband.core.ports import Readings
from watchband.core.scores import HELD
from watchband.core.series import SeriesKey
from watchband.core.state import ADVICE, State
from watchband.pipeline import series_states
from watchband.pipeline.beside import Beside
from watchband.pipeline.breach.alerts import watch_breach
from watchband.pipeline.breach.breach import Breach
from watchband.pipeline.calibrate import Calibrate, Calibrated
from watchband.pipeline.decide import Decide, Decisions, Judgement, Record
from watchband.pipeline.drift import Drift
from watchband.pipeline.drifting import watch_drift
from watchband.pipeline.ensemble import Ensemble
from watchband.pipeline.excluded import Span, resize, score_excluded, within
from watchband.pipeline.explain import Context, alert_of
from watchband.pipeline.folding import fold_entry
from watchband.pipeline.join_columns import JoinColumns, Waiting
from watchband.pipeline.joined import check_join, say_together, widened
from watchband.pipeline.policy import Policy
from watchband.pipeline.prepare import Prepare, Raw
from watchband.pipeline.pulse import Pulse
from watchband.pipeline.results import Results, alert_column
from watchband.pipeline.rules import Budget, Rule
from watchband.pipeline.scored import Scored
from watchband.pipeline.series_states import Readiness, Why
from watchband.pipeline.stretches import calibrate_by_interval
from watchband.pipeline.upstream import Upstream
from watchband.pipeline.vote import heard, labels_of, says_of, shares_of
from watchband.pipeline.watch_state import MAY_LACK, STAGES, WatchState, combined, onlooker, open_state


@dataclass(frozen=True)
class Watch:
    """How some series are watched: a fold made of folds.

    Parameters
    ----------
    name : str
        Part of every alert's identity.
    detector : Detector
        What scores the points.
    rule : Rule, default Budget()
        What turns scores into anomalies: a budget of alerts, a cut-off, sigmas or a contamination.
    policy : Policy, default Policy()
        What of that becomes an alert.
    prepare : Prepare, default Prepare()
        How readings become points.
    zone : str, default "UTC"
        IANA time zone in which alerts are worded.
    pulse : Pulse, optional
        What tells of series that stop reporting or whose value stands still; None: nothing does.
    drift : Drift, optional
        What tells whether a series is still what its model was made for; None: nothing does.
    weight : float, default 1
        Factor on the score that the severity of alerts is read from.
    join : JoinColumns, optional
        Several metrics of an entity that are judged together; None: every series by itself.

    Raises
    ------
    ConfigError
        The detector, or how readings become points, does not go with the join.

    Examples
    --------
    >>> import numpy as np
    >>> from watchband.core.series import SeriesKey
    >>> from watchband.detectors import RollingZscore
    >>> from watchband.pipeline.rules import Cutoff
    >>> watch = Watch("cpu", RollingZscore(window=12), Cutoff(8))
    >>> state = watch.start([SeriesKey("cpu_percent")])
    >>> values = np.r_[np.tile([10.0, 12.0], 30), 90.0]
    >>> results = watch.step(state, Raw.of(np.arange(61) * 60_000_000_000, values))
    >>> int((results.anomaly_score > 1).sum()), results.alerts[0].kind
    (1, 'value')
    """

    name: str
    detector: Detector
    rule: Rule = field(default_factory=Budget)
    policy: Policy = field(default_factory=Policy)
    prepare: Prepare = field(default_factory=Prepare)
    zone: str = "UTC"
    pulse: Pulse | None = None
    drift: Drift | None = None
    breach: Breach | None = None
    weight: float = 1.0
    join: JoinColumns | None = None

    def __post_init__(self) -> None:
        check_join(self)

    @cached_property
    def calibrate(self) -> Calibrate:
        """The stage from scores to anomaly scores."""
        if not isinstance(self.detector, Ensemble):
            tier = self.detector.tier if isinstance(self.rule, Budget) else "full"
            return Calibrate(self.rule, direction=self.policy.direction, tier=tier)
        return Calibrate(self.rule, direction=self.policy.direction, **self.detector.combination)

    @cached_property
    def members(self) -> tuple[str, ...]:
        """What the members of an ensemble are called, as far as they count; empty for a single detector."""
        return labels_of(self.detector, self.calibrate)

    @cached_property
    def decide(self) -> Decide:
        """The stage from anomaly scores to alerts."""
        return Decide(self.policy)

    @cached_property
    def stages(self) -> dict[str, Fold]:
        """The stages of this watch, by name."""
        found = {stage: getattr(self, stage) for stage in STAGES}
        return {stage: fold for stage, fold in found.items() if fold is not None}

    @cached_property
    def fingerprint(self) -> str:
        """Equal where the state of one may go on under the other."""
        # What looks on without a part in any verdict begins anew by itself.
        found = [fold.fingerprint for stage, fold in self.stages.items() if stage not in MAY_LACK]
        return combined([*found, self.join.fingerprint] if self.join is not None else found)

    def start(self, keys: Sequence[SeriesKey] = ()) -> WatchState:
        """A state for some series that have seen nothing; it grows by ``state.add``.

        Raises
        ------
        ConfigError
            A key appears twice.
        """
        if len(set(keys)) != len(keys):
            raise ConfigError(f"Every series is watched once. Got {len(keys)} keys, {len(set(keys))} different.")
        blank = self._blank(len(keys))
        return WatchState(list(keys), blank=self._blank, upstream=Upstream(), ledger=None, waiting=Waiting(), **blank)

    def take_over(self, state: WatchState) -> None:
        """Go on with a state of a watch of the same fingerprint: what only looks on begins anew where it is another."""
        state.blank = self._blank
        for stage in MAY_LACK:
            fold, now = self.stages.get(stage), state.stages.get(stage)
            if (None if now is None else now.fingerprint) != (None if fold is None else fold.fingerprint):
                setattr(state, stage, None if fold is None else fold.start(len(state.keys)))

    def _blank(self, series: int) -> dict[str, State]:
        return {stage: fold.start(series) for stage, fold in self.stages.items()}

    def load(self, data: bytes) -> WatchState:
        """Read back what ``WatchState.to_bytes`` wrote.

        Raises
        ------
        StateError
            The bytes are damaged, or belong to a watch with other stages or parameters.
        """
        columns = 0 if self.join is None else len(self.join.columns)
        opened = open_state(data, list(self.stages), columns)
        keys, parts = opened.keys, opened.parts
        stages = {stage: fold.load(parts[stage]) for stage, fold in self.stages.items() if stage not in MAY_LACK}
        for stage in self.stages.keys() & MAY_LACK:
            stages[stage] = onlooker(self.stages[stage], parts.get(stage), len(keys))
        for stage, state in stages.items():
            if state.series != len(keys):
                raise StateMismatchError(f"Stage {stage} holds {state.series} series, the watch {len(keys)}. {ADVICE}")
        upstream, ledger, waiting = opened.upstream, opened.ledger, opened.waiting
        return WatchState(keys, blank=self._blank, upstream=upstream, ledger=ledger, waiting=waiting, **stages)

    def fold(
        self,
        state: WatchState,
        readings: Sequence[Readings],
        events: Sequence[ControlEvent] = (),
        *,
        excluded: Sequence[Span] = (),
        threads: int = 0,
    ) -> Results:
        """Fold an entry of a log; ``state`` is moved on in place, new series join it.

        Readings that came on time are judged, late ones counted; held ones wait for the watermark of their source.
        With watermarks time passes: series whose source went on without them fall silent. Windows and the ends of
        series are heeded. ``step`` is the part of this that is about points.

        Parameters
        ----------
        state : WatchState
            From ``start``, ``load`` or an earlier entry.
        readings, events : sequences of Readings and ControlEvent
            The entry's, as the log has them.
        excluded : sequence of (int, int)
            Ranges of time that are judged but not learned.
        threads : int, default 0
            Threads over series; never changes a bit of the result.
        """
        return fold_entry(self, state, readings, events, excluded=excluded, threads=threads)

    def step(
        self,
        state: WatchState,
        raw: Raw,
        *,
        excluded: Sequence[Span] = (),
        flush: bool = False,
        threads: int = 0,
    ) -> Results:
        """Fold a batch of readings; ``state`` is moved on in place.

        Should a stage raise, the state may stand between two stages: throw it away and restore it (the runner does).

        Parameters
        ----------
        state : WatchState
            From ``start``, ``load`` or an earlier step.
        raw : Raw
            Readings; ``rows`` are those of ``state.keys``. Cutting a stream elsewhere, in time or between
            series, gives the same results.
        excluded : sequence of (int, int)
            Ranges of time that are judged but not learned.
        flush : bool, default False
            The stream ends here: let go of what prepare holds back.
        threads : int, default 0
            Threads over series; never changes a bit of the result.

        Raises
        ------
        StateError
            The state belongs to another watch.
        PointsShapeError
            A row that the state does not hold.
        """
        scored = self.score(state, raw, excluded=excluded, flush=flush, threads=threads)
        return self.judge(state, scored, threads=threads)

    def score(
        self,
        state: WatchState,
        raw: Raw,
        *,
        excluded: Sequence[Span] = (),
        flush: bool = False,
        threads: int = 0,
    ) -> Scored:
        """The first half of ``step``: prepare and detect. Neither rule nor policy has a part in it."""
        counters = state.counters() if self.prepare.by_name and not self.prepare.counter else None
        prepared = self.prepare.step(state.prepare, raw, flush=flush, counters=counters, threads=threads)
        points = prepared.points if self.join is None else widened(self.join, prepared.points, raw)
        came = points
        out = within(points.times, excluded)
        marks = state.upstream.windows.marks(points, state.keys)
        if marks:
            out = out | marks.unlearned
            points = points.with_values(points.values / marks.factor[:, None])
        values = points.values[:, 0]
        fed = points.with_values(np.where(out[:, None], np.nan, points.values)) if out.any() else points
        scores = self.detector.step(state.detector, fed, threads=threads)
        score_excluded(scores, values, out)
        if marks:
            resize(scores, marks)
        return Scored(prepared, scores, out, Beside.of(self.join, came, scores))

    def judge(self, state: WatchState, scored: Scored, *, threads: int = 0) -> Results:
        """The second half of ``step``: calibrate, decide, explain."""
        prepared, scores, out = scored.prepared, scored.scores, scored.excluded
        points, values = prepared.points, prepared.points.values[:, 0]
        # A value that was made up is drawn, but neither learned by calibrate nor judged; one that the user asserted is.
        guessed = prepared.imputed & (self.prepare.gap not in ("zero", "fixed"))
        # What the detector holds back as no part of what is normal must not become usual by its scores either.
        held = scores.flags.astype(np.int64) & HELD != 0
        calibrated = calibrate_by_interval(
            self.calibrate, state.calibrate, prepared, scores, ~(out | guessed), held, threads
        )
        calibrated = heard(self.detector, scores, calibrated)
        judgement = Judgement(
            calibrated.anomaly_score,
            calibrated.limit_above,
            calibrated.limit_below,
            calibrated.confidence,
            calibrated.spoke if self.members else None,
            calibrated.grade,
        )
        judged = points.with_values(np.where(guessed, np.nan, values)[:, None]) if guessed.any() else points
        decisions = self.decide.step(state.decide, judged, scores, judgement, threads=threads)
        y = np.where(prepared.imputed & np.isnan(values), scores.expected, values)
        results = self._results(state, scored, calibrated, decisions, y)
        spared = out | prepared.imputed
        results.alerts.extend(watch_drift(self, state, prepared, scores, calibrated, decisions, spared, threads))
        results.alerts.extend(watch_breach(self, state, prepared, scores, spared))
        return results

    def _results(
        self,
        state: WatchState,
        scored: Scored,
        calibrated: Calibrated,
        decisions: Decisions,
        y: Float64,
    ) -> Results:
        prepared, scores = scored.prepared, scored.scores
        points = prepared.points
        alerts = self._alerts(state, decisions.records)
        row = np.repeat(points.rows, np.diff(points.offsets))
        ids = {(r.row, r.opened): alert.id for r, alert in zip(decisions.records, alerts, strict=True)}
        return Results(
            keys=state.keys,
            row=row,
            time=points.times,
            y=y,
            yhat=scores.expected,
            yhat_lower=decisions.lower,
            yhat_upper=decisions.upper,
            score=scores.score,
            p_value=calibrated.p_value,
            anomaly_score=decisions.anomaly_score,
            counted_score=decisions.counted_score,
            alert_score=decisions.alert_score,
            alert=alert_column(self.name, state.keys, row, decisions.alert_opened, ids),
            imputed=prepared.imputed,
            excluded=scored.excluded,
            flags=scores.flags.astype(np.int64),
            events=decisions.events,
            confidence=calibrated.confidence,
            limit_above=calibrated.limit_above,
            limit_below=calibrated.limit_below,
            ordinal=prepared.ordinal,
            member_scores=np.stack(calibrated.members, axis=1) if self.members else np.empty((len(points), 0)),
            row_ordinal=prepared.row_ordinal,
            alerts=alerts,
            members=tuple(zip(self.members, shares_of(self.detector, self.calibrate), strict=False)),
            beside=scored.beside,
        )

    def _alerts(self, state: WatchState, records: Sequence[Record]) -> list[Alert]:
        named = self.name, self.detector.name
        context = Context(*named, self.policy, self.zone, self.members, says_of(self.detector), self.weight)
        leads = [self.detector.leads(state.detector, r.row, r.opened, r.decided) for r in records]
        made = [alert_of(r, state.keys[r.row], context, lead) for r, lead in zip(records, leads, strict=True)]
        return made if self.join is None else [say_together(self.join, alert) for alert in made]

    def end(self, state: WatchState, ends: Sequence[tuple[int, int]]) -> list[Alert]:
        """What is open of these series (state rows) is over at these times (ns UTC): the alerts that are closed so."""
        rows, times = [row for row, _ in ends], [time for _, time in ends]
        return self._alerts(state, self.decide.end(state.decide, rows, times))

    @cached_property
    def silence(self) -> Results:
        """What is said of no readings."""
        return self.step(self.start(), Raw.fleet([]))

    @cached_property
    def warm_up(self) -> int:
        """Points until the first opinion of a series; 0 if there never is one."""
        return series_states.warm_up(self)

    def states(self, state: WatchState) -> NDArray[np.int8]:
        """How every series is, a ``series_states.SeriesState`` each: int8[series]."""
        return series_states.states(self, state)

    def tallies(self, state: WatchState) -> dict[str, Int64]:
        """What was missing, zero, late, stuck and so on of every series, see ``series_states.tallies``."""
        return series_states.tallies(self, state)

    def readiness(self, state: WatchState) -> Readiness:
        """When every series has its first opinion."""
        return series_states.readiness(self, state)

    def why(self, state: WatchState, key: SeriesKey) -> Why | None:
        """Why a series alerts or does not; None where it was not seen."""
        return series_states.why(self, state, key)
