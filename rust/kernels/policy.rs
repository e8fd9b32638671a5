//! What a score means for one point: policies that suppress or raise it, and the band as it is drawn.

// Events of a point, as `pipeline/policy.py` names them.
pub const SUPPRESSED_DIRECTION: i64 = 1;
pub const SUPPRESSED_MIN_DEVIATION: i64 = 1 << 1;
pub const SUPPRESSED_MIN_COUNT: i64 = 1 << 2;
pub const WAITING: i64 = 1 << 3;
pub const COOLING: i64 = 1 << 4;
pub const MISSING: i64 = 1 << 5;
pub const OUT_OF_RANGE: i64 = 1 << 6;
pub const BREACHING: i64 = 1 << 7;
pub const OPENED: i64 = 1 << 8;
pub const ESCALATED: i64 = 1 << 9;
pub const CLOSED: i64 = 1 << 10;
pub const REOPENED: i64 = 1 << 11;
pub const ADOPTED_LEVEL: i64 = 1 << 12;
pub const TIMED_OUT: i64 = 1 << 13;
pub const NO_BAND: i64 = 1 << 14;
pub const PATTERN: i64 = 1 << 15;
pub const MUTED: i64 = 1 << 16;
pub const ENDED_SERIES: i64 = 1 << 17;

/// Score of a finding that opens an alert directly: out of range, or no data where that counts as breaching.
pub const FINDING: f64 = 3.0;

/// What is done with a point that has no value.
#[derive(Clone, Copy, PartialEq)]
pub enum Missing {
    /// Not judged; interrupts a run of consecutive points, does not count as quiet.
    Missing,
    /// Counts as a quiet point.
    NotBreaching,
    /// Counts as a finding.
    Breaching,
    /// As if the point were not there.
    Ignore,
}

pub struct Policy {
    /// 1 above, -1 below, 0 both.
    pub direction: i64,
    pub min_deviation: f64,
    pub min_deviation_relative: f64,
    pub min_count: f64,
    pub range_low: f64,
    pub range_high: f64,
    pub missing: Missing,
}

/// One point as it comes in.
pub struct Seen {
    pub value: f64,
    pub expected: f64,
    pub score: f64,
    pub confidence: f64,
    /// The detector holds back learning.
    pub held: bool,
    /// A bit for each member of an ensemble that is above the limit on its own, the band's first.
    pub spoke: i64,
    /// Of an ensemble, at most 1: ranks what is not anomalous; NaN without one.
    pub grade: f64,
}

/// Where the band ends: limits in units of scale, or the detector's own band where it has no scale.
pub struct Limits {
    pub scale: f64,
    pub above: f64,
    pub below: f64,
    pub lower: f64,
    pub upper: f64,
}

/// One point after the policies. A side of the band that is not watched is NaN.
pub struct Judged {
    pub score: f64,
    pub lower: f64,
    pub upper: f64,
    /// 1 above, -1 below, 0 neither.
    pub side: f64,
    pub flags: i64,
    /// The point moves the state machine on.
    pub counts: bool,
    /// The point does not, but interrupts a run of consecutive points.
    pub breaks: bool,
}

/// A band under construction; infinite where there is no edge.
struct Band {
    lower: f64,
    upper: f64,
    own: bool,
}

impl Band {
    fn of(seen: &Seen, limits: &Limits) -> Band {
        let edge = |x: f64, none: f64| if x.is_finite() { x } else { none };
        if limits.scale.is_finite() && seen.expected.is_finite() {
            return Band {
                lower: edge(seen.expected - limits.below * limits.scale, f64::NEG_INFINITY),
                upper: edge(seen.expected + limits.above * limits.scale, f64::INFINITY),
                own: false,
            };
        }
        Band {
            lower: edge(limits.lower, f64::NEG_INFINITY),
            upper: edge(limits.upper, f64::INFINITY),
            own: true,
        }
    }

    fn exists(&self) -> bool {
        self.lower.is_finite() || self.upper.is_finite()
    }

    fn excludes(&self, value: f64) -> bool {
        value > self.upper || value < self.lower
    }

    fn none() -> Band {
        Band { lower: f64::NEG_INFINITY, upper: f64::INFINITY, own: true }
    }
}

impl Policy {
    fn least(&self, expected: f64) -> f64 {
        let relative = if expected.is_finite() { self.min_deviation_relative * expected.abs() } else { 0.0 };
        self.min_deviation.max(relative)
    }

    fn side(&self, seen: &Seen, band: &Band) -> f64 {
        let (value, expected) = (seen.value, seen.expected);
        if value.is_nan() {
            0.0
        } else if value > band.upper || (expected.is_finite() && value > expected) {
            1.0
        } else if value < band.lower || (expected.is_finite() && value < expected) {
            -1.0
        } else {
            0.0
        }
    }

    /// The score after the policies that can lower it, and which of them did.
    fn suppress(&self, seen: &Seen, limits: &Limits, side: f64) -> (f64, i64) {
        let (mut score, mut flags) = (seen.score, 0);
        if self.direction as f64 * side < 0.0 {
            // Calibrate knows the direction too: tell what the watched side's limit would have made of the point.
            let limit = if side < 0.0 { limits.above } else { limits.below };
            let strange = score > 1.0 || (seen.value - seen.expected).abs() > limit * limits.scale;
            flags |= if strange { SUPPRESSED_DIRECTION } else { 0 };
            score = 0.0;
        }
        // An unknown expectation is no reason to judge low traffic.
        let busy = seen.value >= self.min_count || seen.expected >= self.min_count;
        if !busy {
            flags |= if score > 1.0 { SUPPRESSED_MIN_COUNT } else { 0 };
            score = 0.0;
        }
        let least = self.least(seen.expected);
        let gap = (seen.value - seen.expected).abs();
        if gap <= least && least > 0.0 {
            flags |= if score > 1.0 { SUPPRESSED_MIN_DEVIATION } else { 0 };
            score = score.min(gap / least);
        }
        (score, flags)
    }

    /// The band after the same policies.
    fn widen(&self, seen: &Seen, band: &mut Band) {
        if self.direction > 0 {
            band.lower = f64::NEG_INFINITY;
        } else if self.direction < 0 {
            band.upper = f64::INFINITY;
        }
        let least = self.least(seen.expected);
        if least > 0.0 && seen.expected.is_finite() {
            band.lower = band.lower.min(seen.expected - least);
            band.upper = band.upper.max(seen.expected + least);
        }
        let quiet = seen.expected.is_nan() || seen.expected < self.min_count;
        if quiet && self.min_count.is_finite() {
            // Values below min_count are not judged: only from min_count on is a point outside.
            band.upper = band.upper.max(self.min_count.next_down());
            if band.lower <= self.min_count {
                band.lower = f64::NEG_INFINITY;
            }
        }
    }

    /// Makes "outside the band" and "strange by its value" the same thing, which up to rounding they are.
    fn agree(&self, seen: &Seen, score: f64, strange: bool, band: Band) -> Band {
        let outside = band.excludes(seen.value);
        if outside == strange || seen.value.is_nan() || !band.exists() {
            return band;
        }
        if band.own || score.is_nan() {
            return Band::none();
        }
        let above = seen.value >= seen.expected;
        match (strange, above) {
            (true, true) => Band { upper: seen.value.next_down(), ..band },
            (true, false) => Band { lower: seen.value.next_up(), ..band },
            (false, _) => {
                Band { lower: band.lower.min(seen.value), upper: band.upper.max(seen.value), ..band }
            }
        }
    }

    pub fn judge(&self, seen: &Seen, limits: &Limits) -> Judged {
        let mut band = Band::of(seen, limits);
        let side = self.side(seen, &band);
        let drawn = band.exists();
        if drawn {
            self.widen(seen, &mut band);
        }
        if !band.own && limits.lower == 0.0 && (seen.value.is_nan() || seen.value >= 0.0) {
            // The detector ends its own band at 0 for a metric that was never below: so does the drawn one.
            band.lower = band.lower.max(0.0);
        }
        let (mut score, mut flags) = (seen.score, 0);
        if !seen.value.is_nan() && !score.is_nan() {
            (score, flags) = self.suppress(seen, limits, side);
        }
        let beyond = seen.value > self.range_high || seen.value < self.range_low;
        if beyond {
            score = if score.is_nan() { FINDING } else { score.max(FINDING) };
            flags |= OUT_OF_RANGE;
        }
        if drawn || beyond {
            band.lower = band.lower.max(self.range_low).min(self.range_high);
            band.upper = band.upper.min(self.range_high).max(self.range_low);
        }
        // What only other members of an ensemble find strange may lie within the band.
        let by_value = beyond || seen.spoke & 1 == 1;
        flags |= if score > 1.0 && !by_value { PATTERN } else { 0 };
        let band = self.agree(seen, score, score > 1.0 && by_value, band);
        let side = match () {
            () if seen.value > self.range_high => 1.0,
            () if seen.value < self.range_low => -1.0,
            () => side,
        };
        self.sort(seen, score, flags, side, band)
    }

    fn sort(&self, seen: &Seen, score: f64, flags: i64, side: f64, band: Band) -> Judged {
        let known = |x: f64| if x.is_finite() { x } else { f64::NAN };
        let mut judged = Judged {
            score,
            lower: known(band.lower),
            upper: known(band.upper),
            side,
            flags: flags | if band.exists() { 0 } else { NO_BAND },
            counts: true,
            breaks: false,
        };
        if seen.value.is_nan() {
            judged.flags |= MISSING;
            judged.counts = matches!(self.missing, Missing::NotBreaching | Missing::Breaching);
            judged.breaks = self.missing == Missing::Missing;
            judged.score = match self.missing {
                Missing::Breaching => FINDING,
                Missing::NotBreaching => 0.0,
                _ => f64::NAN,
            };
            if self.missing == Missing::Breaching {
                judged.flags |= BREACHING;
            }
        }
        judged
    }
}
