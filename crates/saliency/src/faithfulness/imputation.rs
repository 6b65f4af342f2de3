use crate::ExplainError;
use candle_core::{DType, Tensor};
use hard_imagenet_masks::Mask;

/// Weights of the four pixels beside one, and of the four diagonal ones: together 1.
const BESIDE: f64 = 1.0 / 6.0;
const DIAGONAL: f64 = 1.0 / 12.0;

/// A picture `(C, H, W)` whose removed pixels are filled from the others (Rong et al. 2022, section 5.2, without the
/// noise): each is the mean of its eight neighbours, removed ones among them, those beside it counted twice. So no edge
/// of the mask is left that would tell the network what was there. The values kept are the same bits; the dtype stays.
///
/// Where everything is removed there is nothing to fill from, and the picture becomes 0, the mean colour.
///
/// Solved by conjugate gradients in f64 (the system is symmetric and positive definite), to a residual of 1e-9 of the
/// right-hand side.
///
/// # Errors
/// A mask of another size than the picture.
pub fn linear_imputation(picture: &Tensor, removed: &Mask) -> Result<Tensor, ExplainError> {
    let (channels, height, width) = picture.dims3()?;
    if (removed.height(), removed.width()) != (height, width) {
        let map = (removed.height(), removed.width());
        return Err(ExplainError::MapSize { map, picture: (height, width) });
    }
    let grid = Grid::new(removed);
    let mut values = picture.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    for channel in values.chunks_exact_mut((height * width).max(1)) {
        grid.fill(channel);
    }
    let filled = Tensor::from_vec(values, (channels, height, width), picture.device())?;
    Ok(filled.to_dtype(picture.dtype())?)
}

/// The removed pixels, in a picture with a frame of one pixel of zeros around it.
struct Grid {
    width: usize,
    /// Pixels of picture and frame.
    len: usize,
    /// Of each removed pixel, its index in the picture, and with the frame.
    removed: Vec<(usize, usize)>,
    /// Of each removed pixel, the sum of its neighbours' weights: 1 but at the border.
    shares: Vec<f64>,
}

impl Grid {
    fn new(mask: &Mask) -> Self {
        let (height, width) = (mask.height(), mask.width());
        let framed = |pixel: usize| (pixel / width + 1) * (width + 2) + pixel % width + 1;
        let removed = mask.as_slice().iter().enumerate().filter(|(_, on)| **on != 0);
        let removed = removed.map(|(pixel, _)| (pixel, framed(pixel))).collect();
        let mut grid = Self { width, len: (height + 2) * (width + 2), removed, shares: Vec::new() };
        let mut inside = vec![0.0; grid.len];
        (0..height * width).for_each(|pixel| inside[framed(pixel)] = 1.0);
        grid.shares = grid.removed.iter().map(|(_, at)| grid.neighbours(&inside, *at)).collect();
        grid
    }

    /// The weighted sum of a pixel's neighbours.
    fn neighbours(&self, values: &[f64], at: usize) -> f64 {
        let row = self.width + 2;
        let [above, below] = [&values[at - row - 1..=at - row + 1], &values[at + row - 1..=at + row + 1]];
        BESIDE * (above[1] + below[1] + values[at - 1] + values[at + 1])
            + DIAGONAL * (above[0] + above[2] + below[0] + below[2])
    }

    /// Solves `share · u - Σ weight · u of removed neighbours = Σ weight · value of kept neighbours`.
    fn fill(&self, channel: &mut [f32]) {
        let n = self.removed.len();
        let mut kept = vec![0.0; self.len];
        for (pixel, value) in channel.iter().enumerate() {
            kept[(pixel / self.width + 1) * (self.width + 2) + pixel % self.width + 1] = f64::from(*value);
        }
        self.removed.iter().for_each(|(_, at)| kept[*at] = 0.0);

        let mut residual: Vec<f64> = self.removed.iter().map(|(_, at)| self.neighbours(&kept, *at)).collect();
        let mut solution = vec![0.0; n];
        // Zero wherever a pixel is not removed, so that only removed neighbours count.
        let mut direction = vec![0.0; self.len];
        self.removed.iter().zip(&residual).for_each(|((_, at), r)| direction[*at] = *r);
        let mut product = vec![0.0; n];
        let mut norm = dot(&residual, &residual);
        let small = 1e-18 * norm;
        // In exact arithmetic n steps are enough; with rounding a few more may be needed.
        for _ in 0..2 * n {
            if norm <= small {
                break;
            }
            let mut curvature = 0.0;
            for ((y, (_, at)), share) in product.iter_mut().zip(&self.removed).zip(&self.shares) {
                *y = share * direction[*at] - self.neighbours(&direction, *at);
                curvature += *y * direction[*at];
            }
            let step = norm / curvature;
            for ((u, r), ((_, at), y)) in solution.iter_mut().zip(&mut residual).zip(self.removed.iter().zip(&product))
            {
                *u += step * direction[*at];
                *r -= step * y;
            }
            let before = std::mem::replace(&mut norm, dot(&residual, &residual));
            let turn = norm / before;
            for ((_, at), r) in self.removed.iter().zip(&residual) {
                direction[*at] = r + turn * direction[*at];
            }
        }
        self.removed.iter().zip(&solution).for_each(|((pixel, _), u)| channel[*pixel] = *u as f32);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
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
