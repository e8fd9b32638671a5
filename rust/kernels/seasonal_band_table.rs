//! Tables over local time that are linear between their nodes.

/// A table of `nodes` values and, behind them, how often each has been visited.
#[derive(Clone, Copy)]
pub struct Table {
    pub at: usize,
    pub nodes: usize,
    /// Seconds between nodes: what a full visit lasts.
    pub visit: f64,
    /// Visits after which an old one counts less: the memory of a node.
    pub memory: f64,
}

/// Two neighbouring nodes and how near the second is.
#[derive(Clone, Copy)]
pub struct Between(usize, usize, f64);

impl Between {
    pub fn at(position: f64, nodes: usize) -> Self {
        let below = position as usize % nodes;
        Between(below, (below + 1) % nodes, position - (position as usize) as f64)
    }

    pub fn moved(self, by: usize) -> Self {
        Between(self.0 + by, self.1 + by, self.2)
    }

    pub fn only(node: usize) -> Self {
        Between(node, node, 0.0)
    }
}

impl Table {
    pub fn read(&self, cells: &[f32], b: Between) -> f64 {
        f64::from(cells[self.at + b.0]) * (1.0 - b.2) + f64::from(cells[self.at + b.1]) * b.2
    }

    pub fn visits(&self, cells: &[f32], b: Between) -> f64 {
        let n = self.at + self.nodes;
        f64::from(cells[n + b.0]) * (1.0 - b.2) + f64::from(cells[n + b.1]) * b.2
    }

    /// Move the nodes towards explaining `error`, each by its share of the visit.
    pub fn learn(&self, cells: &mut [f32], b: Between, error: f64, seconds: f64, memory: f64) {
        let visit = (seconds / self.visit).min(1.0);
        for (node, weight) in [(b.0, 1.0 - b.2), (b.1, b.2)] {
            let part = weight * visit;
            if part > 0.0 {
                let n = self.at + self.nodes + node;
                let count = (f64::from(cells[n]) + part).min(self.memory.min(memory));
                cells[n] = count as f32;
                let value = f64::from(cells[self.at + node]);
                cells[self.at + node] = (value + part / count * error) as f32;
            }
        }
    }

    pub fn multiply(&self, cells: &mut [f32], factor: f64) {
        for cell in &mut cells[self.at..self.at + self.nodes] {
            *cell = (f64::from(*cell) * factor) as f32;
        }
    }

    /// Move each node towards the mean of what was seen around it, whatever its neighbour says. To explain what the
    /// neighbour leaves would hand that one's mistakes on: with many points a visit, larger and of the other sign each time.
    pub fn learn_means(&self, cells: &mut [f32], b: Between, value: f64, seconds: f64) {
        for (node, share) in [(b.0, 1.0 - b.2), (b.1, b.2)] {
            let only = Between::only(node);
            let error = value - self.read(cells, only);
            self.learn(cells, only, error, share * seconds.min(self.visit), self.memory);
        }
    }
}
