use crate::{Mask, Rect, rows};

/// Which pixels touch each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Connectivity {
    /// Those that share an edge.
    Four,
    /// Those that share an edge or a corner.
    Eight,
}

/// One connected component of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// Number of pixels.
    pub area: usize,
    /// The smallest rectangle that holds it.
    pub bounds: Rect,
    /// Sums of the rows and of the columns of its pixels.
    sums: (usize, usize),
}

impl Component {
    /// Mean (row, column) of its pixels, in pixel indices.
    pub fn centroid(&self) -> (f64, f64) {
        (self.sums.0 as f64 / self.area as f64, self.sums.1 as f64 / self.area as f64)
    }
}

/// The connected components of a mask, in raster order of their first pixel.
///
/// Held as runs of object pixels, so cheap where only areas and boxes are asked for.
#[derive(Clone, Debug)]
pub struct Components {
    height: usize,
    width: usize,
    components: Vec<Component>,
    runs: Vec<Run>,
}

/// Consecutive object pixels of a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    row: usize,
    start: usize,
    end: usize,
    /// While joining: the index of an earlier run of the same component, or of itself. Afterwards: the component.
    owner: usize,
}

impl Components {
    pub(crate) fn new(mask: &Mask, connectivity: Connectivity) -> Self {
        let mut runs = joined_runs(mask, connectivity);
        let mut components: Vec<Component> = Vec::new();
        // A root is the first run of its component, so numbering roots as they come is raster order. Owners of earlier
        // runs are already component numbers, which is why the first loop resolves all roots.
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

    /// How many there are.
    pub fn len(&self) -> usize {
        self.components.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }

    /// Area and box of each.
    pub fn iter(&self) -> std::slice::Iter<'_, Component> {
        self.components.iter()
    }

    /// Area and box of each.
    pub fn as_slice(&self) -> &[Component] {
        &self.components
    }

    /// The component with the most pixels, the first of several; `None` if there is none.
    pub fn largest(&self) -> Option<&Component> {
        self.components.iter().rev().max_by_key(|component| component.area)
    }

    /// The component of each pixel, `(H, W)` row-major: 0 for the background, 1 for the first component, and so on.
    pub fn labels(&self) -> Vec<u32> {
        let mut labels = vec![0; self.height * self.width];
        for run in &self.runs {
            labels[run.row * self.width + run.start..run.row * self.width + run.end].fill(run.owner as u32 + 1);
        }
        labels
    }

    /// One component as a mask of the whole size; an empty mask beyond the last.
    pub fn mask(&self, index: usize) -> Mask {
        let mut values = vec![0; self.height * self.width];
        for run in self.runs.iter().filter(|run| run.owner == index) {
            values[run.row * self.width + run.start..run.row * self.width + run.end].fill(1);
        }
        Mask::from_vec(self.height, self.width, values).expect("one value per pixel")
    }
}

impl<'a> IntoIterator for &'a Components {
    type Item = &'a Component;
    type IntoIter = std::slice::Iter<'a, Component>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// All runs in raster order; those that touch a run of the row before are joined to it (union-find).
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
            // The last run above that touches this one may touch the next one too, so `upper` stays.
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

fn root(runs: &mut [Run], mut run: usize) -> usize {
    while runs[run].owner != run {
        runs[run].owner = runs[runs[run].owner].owner;
        run = runs[run].owner;
    }
    run
}

/// The earlier root becomes the root of both.
fn join(runs: &mut [Run], a: usize, b: usize) {
    let (a, b) = (root(runs, a), root(runs, b));
    runs[a.max(b)].owner = a.min(b);
}
