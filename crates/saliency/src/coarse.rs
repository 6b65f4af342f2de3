//! A coarse version of a linear system over pixels. Without it, each step of conjugate gradients carries a value by one
//! pixel only; with it, a few steps carry values across a large hole.

/// A system summed over cells of pixels, as its Cholesky factor.
pub(crate) struct CoarseSystem {
    /// The cell of each unknown.
    cell_of: Vec<usize>,
    /// The rows of L in A = L Lᵀ: the diagonal element, preceded by the `band` elements that may differ from 0.
    rows: Vec<Vec<f64>>,
    /// The number of elements before the diagonal. Column j of row i is at `j + band - i`.
    band: usize,
}

impl CoarseSystem {
    /// Sums and factors a symmetric positive definite system, given the cell of each unknown and the entries
    /// (row, column, value).
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

    /// Solves the system for the sums of the right-hand side over the cells, and adds to each unknown the solution of
    /// its cell.
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

    /// With one cell per unknown, the coarse system is the system itself: -u'' of a chain, whose solution for ones is a
    /// parabola.
    #[test]
    fn a_chain_is_solved_exactly() {
        let entries = (0..5usize).flat_map(|i| (0..5).map(move |j| (i, j, [2.0, -1.0, 0.0, 0.0, 0.0][i.abs_diff(j)])));
        let coarse = CoarseSystem::new((0..5).collect(), entries.filter(|entry| entry.2 != 0.0));
        let mut solution = vec![10.0; 5];
        coarse.add_solution(&[1.0; 5], &mut solution);
        for (got, want) in solution.iter().zip([12.5, 14.0, 14.5, 14.0, 12.5]) {
            assert!((got - want).abs() < 1e-12, "{solution:?}");
        }
    }
}
