use super::coarse::{Coarse, dot};
use crate::ExplainError;
use candle_core::{DType, Tensor};
use hard_imagenet_masks::Mask;
use rayon::prelude::*;

/// Weights of the four pixels beside one, and of the four diagonal ones: together 1.
const BESIDE: f64 = 1.0 / 6.0;
const DIAGONAL: f64 = 1.0 / 12.0;

/// Side of the cells in which the system is seen from far away, in pixels.
const CELL: usize = 8;

/// A picture `(C, H, W)` whose removed pixels are filled from the others (Rong et al. 2022, section 5.2, without the
/// noise): each is the mean of its eight neighbours, removed ones among them, those beside it counted twice. So no edge
/// of the mask is left that would tell the network what was there. The values kept are the same bits; the dtype stays.
///
/// Where everything is removed there is nothing to fill from, and the picture becomes 0, the mean colour.
///
/// Solved by conjugate gradients in f64 (the system is symmetric and positive definite) to a residual of 1e-9 of the
/// right-hand side, preconditioned by the system summed over cells of 8 × 8 pixels, so that large holes take few steps.
///
/// # Errors
/// A mask of another size than the picture.
pub fn linear_imputation(picture: &Tensor, removed: &Mask) -> Result<Tensor, ExplainError> {
    let (channels, height, width) = picture.dims3()?;
    if (removed.height(), removed.width()) != (height, width) {
        let map = (removed.height(), removed.width());
        return Err(ExplainError::MapSize { map, picture: (height, width) });
    }
    if removed.as_slice().iter().all(|on| *on != 0) {
        return Ok(picture.zeros_like()?);
    }
    let system = System::new(removed);
    let mut values = picture.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    values.par_chunks_exact_mut(height * width).for_each(|channel| system.fill(channel));
    let filled = Tensor::from_vec(values, (channels, height, width), picture.device())?;
    Ok(filled.to_dtype(picture.dtype())?)
}

/// `share · u - Σ weight · u of removed neighbours = Σ weight · value of kept neighbours`, for each removed pixel, in a
/// picture with a frame of one pixel of zeros around it.
struct System {
    width: usize,
    /// Pixels of picture and frame.
    len: usize,
    /// Of each removed pixel, its index in the picture, and with the frame.
    removed: Vec<(usize, usize)>,
    /// Of each removed pixel, the sum of its neighbours' weights: 1 but at the border.
    shares: Vec<f64>,
    coarse: Coarse,
}

impl System {
    fn new(mask: &Mask) -> Self {
        let (height, width) = (mask.height(), mask.width());
        let len = (height + 2) * (width + 2);
        let removed: Vec<(usize, usize)> = (0..height * width)
            .filter(|pixel| mask.as_slice()[*pixel] != 0)
            .map(|pixel| (pixel, framed(pixel, width)))
            .collect();
        let mut inside = vec![0.0; len];
        (0..height * width).for_each(|pixel| inside[framed(pixel, width)] = 1.0);
        let shares: Vec<f64> = removed.iter().map(|(_, at)| neighbours(&inside, *at, width)).collect();

        // Cells with removed pixels, numbered row by row.
        let cell = |pixel: usize| pixel / width / CELL * width.div_ceil(CELL) + pixel % width / CELL;
        let mut cells: Vec<usize> = removed.iter().map(|(pixel, _)| cell(*pixel)).collect();
        let mut used = cells.clone();
        used.sort_unstable();
        used.dedup();
        cells.iter_mut().for_each(|cell| *cell = used.partition_point(|other| *other < *cell));
        let mut unknown = vec![None; len];
        removed.iter().enumerate().for_each(|(i, (_, at))| unknown[*at] = Some(i));
        let unknown = &unknown;
        let entries = removed.iter().zip(&shares).enumerate().flat_map(|(i, ((_, at), share))| {
            let around = around(*at, width).into_iter();
            let others = around.filter_map(move |(place, weight)| unknown[place].map(|j| (i, j, -weight)));
            others.chain([(i, i, *share)])
        });
        let coarse = Coarse::new(cells, entries);
        Self { width, len, removed, shares, coarse }
    }

    /// Gives one channel's removed pixels their values.
    fn fill(&self, channel: &mut [f32]) {
        let n = self.removed.len();
        let mut kept = vec![0.0; self.len];
        for (pixel, value) in channel.iter().enumerate() {
            kept[framed(pixel, self.width)] = f64::from(*value);
        }
        self.removed.iter().for_each(|(_, at)| kept[*at] = 0.0);

        let mut residual: Vec<f64> = self.removed.iter().map(|(_, at)| neighbours(&kept, *at, self.width)).collect();
        let small = 1e-18 * dot(&residual, &residual);
        let mut solution = vec![0.0; n];
        let mut product = vec![0.0; n];
        // Zero wherever a pixel is not removed, so that only removed neighbours count.
        let mut direction = vec![0.0; self.len];
        let mut before = f64::INFINITY;
        // In exact arithmetic n steps are enough; with rounding a few more may be needed.
        for _ in 0..2 * n {
            if dot(&residual, &residual) <= small {
                break;
            }
            let mut near = residual.clone();
            self.coarse.add_solution(&residual, &mut near);
            let norm = dot(&residual, &near);
            let turn = norm / before;
            before = norm;
            for ((_, at), z) in self.removed.iter().zip(&near) {
                direction[*at] = z + turn * direction[*at];
            }
            let mut curvature = 0.0;
            for ((y, (_, at)), share) in product.iter_mut().zip(&self.removed).zip(&self.shares) {
                *y = share * direction[*at] - neighbours(&direction, *at, self.width);
                curvature += *y * direction[*at];
            }
            let step = norm / curvature;
            let unknowns = solution.iter_mut().zip(&mut residual);
            for ((u, r), ((_, at), y)) in unknowns.zip(self.removed.iter().zip(&product)) {
                *u += step * direction[*at];
                *r -= step * y;
            }
        }
        self.removed.iter().zip(&solution).for_each(|((pixel, _), u)| channel[*pixel] = *u as f32);
    }
}

/// A pixel's index with the frame.
fn framed(pixel: usize, width: usize) -> usize {
    (pixel / width + 1) * (width + 2) + pixel % width + 1
}

/// The eight places around one, with their weights.
fn around(at: usize, width: usize) -> [(usize, f64); 8] {
    let (above, below) = (at - width - 2, at + width + 2);
    [
        (above - 1, DIAGONAL),
        (above, BESIDE),
        (above + 1, DIAGONAL),
        (at - 1, BESIDE),
        (at + 1, BESIDE),
        (below - 1, DIAGONAL),
        (below, BESIDE),
        (below + 1, DIAGONAL),
    ]
}

/// The weighted sum of a place's neighbours.
fn neighbours(values: &[f64], at: usize, width: usize) -> f64 {
    around(at, width).iter().map(|(place, weight)| weight * values[*place]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn ramp(height: usize, width: usize) -> Tensor {
        let values: Vec<f32> = (0..height * width).map(|i| (i % width) as f32 + 2.0 * (i / width) as f32).collect();
        Tensor::from_vec(values, (1, height, width), &Device::Cpu).unwrap()
    }

    fn values(picture: &Tensor) -> Vec<f32> {
        picture.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// A plane is its own mean everywhere inside.
    #[test]
    fn a_hole_in_a_ramp_is_filled_by_the_ramp() {
        let hole = Mask::from_fn(20, 30, |row, column| (2..17).contains(&row) && (1..28).contains(&column));
        let got = values(&linear_imputation(&ramp(20, 30), &hole).unwrap());
        for (got, want) in got.iter().zip(values(&ramp(20, 30))) {
            assert!((got - want).abs() < 1e-4, "{got} for {want}");
        }
    }

    #[test]
    fn one_known_pixel_colours_all_and_none_gives_zeros() {
        let check = |known: usize, want: f32| {
            let mask = Mask::from_fn(7, 5, |row, column| row * 5 + column != known);
            let got = values(&linear_imputation(&ramp(7, 5), &mask).unwrap());
            assert!(got.iter().all(|v| (v - want).abs() < 1e-5), "{got:?}");
        };
        check(7, 4.0);
        check(99, 0.0);
    }

    #[test]
    fn sizes_must_agree() {
        let error = linear_imputation(&ramp(4, 4), &Mask::new(4, 5)).unwrap_err().to_string();
        assert!(error.contains("4 × 5"), "{error}");
    }
}
