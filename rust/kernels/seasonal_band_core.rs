//! The numbers that the band keeps of a series besides its tables, by name.

macro_rules! core_numbers {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// One f64 each, in the order of the state array.
        #[derive(Clone, Debug, Default)]
        pub struct Core { $($(#[$doc])* pub $name: f64),* }

        impl Core {
            pub const WIDTH: usize = [$(stringify!($name)),*].len();

            pub fn load(from: &[f64]) -> Self {
                let mut cells = from.iter().copied();
                Core { $($name: cells.next().unwrap_or(0.0)),* }
            }

            pub fn store(&self, to: &mut [f64]) {
                let mut cells = to.iter_mut();
                $(if let Some(cell) = cells.next() { *cell = self.$name; })*
            }
        }
    };
}

pub(super) use core_numbers;

core_numbers! {
    /// Values learned from, and seconds between points (clipped running mean).
    seen, interval,
    /// First values, kept until there are enough for a robust start.
    head0, head1, head2, head3, head4, head5, head6, head7,
    /// Slow level, its change a second.
    level, slope,
    /// Last two values and their fast mean, as distances from level + season.
    lag1, lag2, fast,
    /// Weights of the three in the short-term forecast and the matrix of their uncertainty.
    w1, w2, w3, p11, p12, p13, p22, p23, p33,
    /// One-step scale, scale of the distance from level + season, and mean one-step scale over days.
    near, far, base,
    /// Mean distance from level + season over the last hours.
    local,
    /// Share of the way from the one-step scale to the far scale, 0 after an accepted value.
    doubt,
    /// Seconds since the last believed value.
    since,
    /// Running mean of the one-step errors; errors in a row on one side, counted with that side's sign.
    bias, streak,
    /// Running share of whole numbers, 1 once a believed value was below zero.
    whole, negative,
    /// Small step between different values, how many such steps, the last value.
    quantum, changes, last,
    /// Distance beyond which a value is not believed.
    gate,
    /// Nodes of the day and of the week being visited, and the last striking value in each of them.
    day_node, day_value, week_node, week_value,
    /// Sums behind the weight of each seasonal table.
    hour_xy, hour_xx, fine_xy, fine_xx, weekday_xy, weekday_xx, week_xy, week_xx, holiday_xy, holiday_xx, factor_xy, factor_xx,
    /// What one count in the tail histogram is worth, and the sum of all of them.
    tail_unit, tail_sum,
    /// A run of values outside: values, outside ones, inside ones in a row, outside ones seen there before.
    run, run_out, run_in, run_known,
    /// Sums over the run: season x, value less level u, their products, steps between neighbours, last u,
    /// distances from the mean so far.
    run_x, run_u, run_xx, run_xu, run_uu, run_step, run_last, run_away,
    /// Scale of the distance from the mean distance of the last hours; held runs of late, each counts 1 and is forgotten.
    ripple, often,
    /// What the tables said of the last two values, its fast mean, and the sums behind their worth one step ahead.
    said1, said2, said_fast, worth_xy, worth_xx,
}

/// Values before the first opinion.
pub const HEAD: usize = 8;

impl Core {
    pub fn head(&self) -> [f64; HEAD] {
        [self.head0, self.head1, self.head2, self.head3, self.head4, self.head5, self.head6, self.head7]
    }

    pub fn set_head(&mut self, at: usize, value: f64) {
        let cells = [
            &mut self.head0,
            &mut self.head1,
            &mut self.head2,
            &mut self.head3,
            &mut self.head4,
            &mut self.head5,
            &mut self.head6,
            &mut self.head7,
        ];
        for (i, cell) in cells.into_iter().enumerate() {
            if i == at {
                *cell = value;
            }
        }
    }
}

/// `value` brought into `-bound ..= bound`.
pub fn clip(value: f64, bound: f64) -> f64 {
    value.min(bound).max(-bound)
}
