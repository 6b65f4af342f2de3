//! A linear system over the pixels seen from far away: what conjugate gradients need to carry a value across a large hole
//! in a few steps, where each step alone carries it by one pixel.

/// The system summed over cells of pixels, factored.
pub(crate) struct Coarse {
    /// Of each unknown, its cell.
    cell_of: Vec<usize>,
    /// The rows of its Cholesky factor (A = L Lᵀ): the diagonal, and before it as many entries as may differ from 0.
    rows: Vec<Vec<f64>>,
    /// How many those are. Column j of row i is at `j + band - i`.
    band: usize,
}

impl Coarse {
    /// From the cells of the unknowns and the system's entries (row, column, value): symmetric and positive definite.
    pub(crate) fn new(cell_of: Vec<usize>, entries: impl Iterator<Item = (usize, usize, f64)> + Clone) -> Self {
        let cells = cell_of.iter().max().map_or(0, |last| last + 1);
        let entries = entries.map(|(row, column, value)| (cell_of[row], cell_of[column], value));
        let band = entries.clone().map(|(row, column, _)| row.abs_diff(column)).max().unwrap_or(0);
        let mut rows = vec![vec![0.0; band + 1]; cells];
        for (row, column, value) in entries.filter(|(row, column, _)| column <= row) {
            rows[row][column + band - row] += value;
        }
        for i in 0..cells {
            let (before, rest) = rows.split_at_mut(i);
            let row = &mut rest[0];
            let from = i.saturating_sub(band);
            for j in from..i {
                let known = dot(&row[from + band - i..j + band - i], &before[j][from + band - j..band]);
                row[j + band - i] = (row[j + band - i] - known) / before[j][band];
            }
            row[band] = (row[band] - dot(&row[..band], &row[..band])).sqrt();
        }
        Self { cell_of, rows, band }
    }

    /// To each unknown the solution of its cell, for the sums of the right-hand side over the cells.
    pub(crate) fn add_solution(&self, right: &[f64], to: &mut [f64]) {
        let band = self.band;
        let mut u = vec![0.0; self.rows.len()];
        self.cell_of.iter().zip(right).for_each(|(cell, value)| u[*cell] += value);
        for (i, row) in self.rows.iter().enumerate() {
            let from = i.saturating_sub(band);
            u[i] = (u[i] - dot(&row[from + band - i..band], &u[from..i])) / row[band];
        }
        for (i, row) in self.rows.iter().enumerate().rev() {
            u[i] /= row[band];
            for j in i.saturating_sub(band)..i {
                u[j] -= row[j + band - i] * u[i];
            }
        }
        self.cell_of.iter().zip(to).for_each(|(cell, value)| *value += u[*cell]);
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With a cell for each unknown it is the system itself: -u'' of a chain, whose solution for ones is a parabola.
    #[test]
    fn a_chain() {
        let entries = (0..5usize).flat_map(|i| (0..5).map(move |j| (i, j, [2.0, -1.0, 0.0, 0.0, 0.0][i.abs_diff(j)])));
        let coarse = Coarse::new((0..5).collect(), entries.filter(|entry| entry.2 != 0.0));
        let mut solution = vec![10.0; 5];
        coarse.add_solution(&[1.0; 5], &mut solution);
        for (got, want) in solution.iter().zip([12.5, 14.0, 14.5, 14.0, 12.5]) {
            assert!((got - want).abs() < 1e-12, "{solution:?}");
        }
    }
}
