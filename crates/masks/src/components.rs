use crate::{Mask, Rect, rows};

/// Which pixels count as neighbors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Connectivity {
    /// Pixels that share an edge.
    Four,
    /// Pixels that share an edge or a corner.
    Eight,
}

/// One connected component of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// The number of pixels.
    pub area: usize,
    /// The smallest rectangle that contains the component.
    pub bounds: Rect,
    /// The sum of the rows and the sum of the columns of all pixels.
    sums: (usize, usize),
}

impl Component {
    /// Returns the mean (row, column) of the pixels, in pixel indices.
    pub fn centroid(&self) -> (f64, f64) {
        (self.sums.0 as f64 / self.area as f64, self.sums.1 as f64 / self.area as f64)
    }
}

/// The connected components of a mask, in raster order of their first pixel.
///
/// They are stored as runs of object pixels, so areas and boxes alone are cheap.
#[derive(Clone, Debug)]
pub struct Components {
    height: usize,
    width: usize,
    components: Vec<Component>,
    runs: Vec<Run>,
}

/// Consecutive object pixels in a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    row: usize,
    start: usize,
    end: usize,
    /// While runs are joined, the index of an earlier run of the same component or of the run itself. Afterwards, the
    /// index of the component.
    owner: usize,
}

impl Components {
    pub(crate) fn new(mask: &Mask, connectivity: Connectivity) -> Self {
        let mut runs = joined_runs(mask, connectivity);
        let mut components: Vec<Component> = Vec::new();
        // A root is the first run of its component, so numbering the roots in their order gives raster order. The loop
        // below overwrites `owner` by component numbers, so all roots are resolved before it.
        let roots: Vec<usize> = (0..runs.len()).map(|run| root(&mut runs, run)).collect();
        for (index, root) in roots.into_iter().enumerate() {
            let Run { row, start, end, .. } = runs[index];
            let bounds = Rect { top: row, left: start, bottom: row + 1, right: end };
            let area = end - start;
            let sums = (row * area, (start + end - 1) * area / 2);
            if root == index {
                runs[index].owner = components.len();
                components.push(Component { area, bounds, sums });
            } else {
                runs[index].owner = runs[root].owner;
                let component = &mut components[runs[root].owner];
                component.area += area;
                component.bounds = component.bounds.hull(&bounds);
                component.sums = (component.sums.0 + sums.0, component.sums.1 + sums.1);
            }
        }
        Self { height: mask.height(), width: mask.width(), components, runs }
    }

    /// Returns the number of components.
    pub fn len(&self) -> usize {
        self.components.len()
    }

    /// Returns whether there are no components.
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }

    /// Iterates over the components.
    pub fn iter(&self) -> std::slice::Iter<'_, Component> {
        self.components.iter()
    }

    /// Returns the components as a slice.
    pub fn as_slice(&self) -> &[Component] {
        &self.components
    }

    /// Returns the component with the most pixels, the first one of several; `None` if there are no components.
    pub fn largest(&self) -> Option<&Component> {
        self.components.iter().rev().max_by_key(|component| component.area)
    }

    /// Returns the component of each pixel, `(H, W)` row-major: 0 for the background, 1 for the first component, and so
    /// on.
    pub fn labels(&self) -> Vec<u32> {
        let mut labels = vec![0; self.height * self.width];
        for run in &self.runs {
            labels[run.row * self.width + run.start..run.row * self.width + run.end].fill(run.owner as u32 + 1);
        }
        labels
    }

    /// Returns one component as a mask of the whole image. If there is no component `index`, the mask is empty.
    #[allow(clippy::missing_panics_doc, reason = "the values match the extents by construction")]
    pub fn mask(&self, index: usize) -> Mask {
        let mut values = vec![0; self.height * self.width];
        for run in self.runs.iter().filter(|run| run.owner == index) {
            values[run.row * self.width + run.start..run.row * self.width + run.end].fill(1);
        }
        Mask::from_binary(self.height, self.width, values)
    }
}

impl<'a> IntoIterator for &'a Components {
    type Item = &'a Component;
    type IntoIter = std::slice::Iter<'a, Component>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Finds all runs in raster order and joins each with the runs of the row above that it touches (union-find).
fn joined_runs(mask: &Mask, connectivity: Connectivity) -> Vec<Run> {
    let reach = match connectivity {
        Connectivity::Four => 0,
        Connectivity::Eight => 1,
    };
    let mut runs: Vec<Run> = Vec::new();
    let mut above = 0..0;
    for row in 0..mask.height() {
        let first = runs.len();
        let mut upper = above.start;
        rows::stretches(mask.row(row), |start, end| {
            let run = runs.len();
            runs.push(Run { row, start, end, owner: run });
            while upper < above.end && runs[upper].end + reach <= start {
                upper += 1;
            }
            // The last touching run of the row above may touch the next run too, so `upper` stays.
            let mut touching = upper;
            while touching < above.end && runs[touching].start < end + reach {
                join(&mut runs, touching, run);
                touching += 1;
            }
        });
        above = first..runs.len();
    }
    runs
}

/// Finds the root of a run and shortens the path to it.
fn root(runs: &mut [Run], mut run: usize) -> usize {
    while runs[run].owner != run {
        runs[run].owner = runs[runs[run].owner].owner;
        run = runs[run].owner;
    }
    run
}

/// Joins the components of two runs; the earlier root becomes the root of both.
fn join(runs: &mut [Run], a: usize, b: usize) {
    let (a, b) = (root(runs, a), root(runs, b));
    runs[a.max(b)].owner = a.min(b);
}
