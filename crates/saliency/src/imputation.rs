//! Removes pixels without leaving visible edges: each becomes the mean of its neighbors, which may be unknown too.

use crate::coarse::{CoarseSystem, dot};
use candle_core::{Result, Tensor};

/// Offsets to half of a pixel's eight neighbors, and their weights. The other half is opposite. Direct neighbors have
/// the weight 1/6, diagonal ones 1/12.
const NEIGHBORS: [(isize, isize, f64); 4] =
    [(0, 1, 1.0 / 6.0), (1, 0, 1.0 / 6.0), (1, 1, 1.0 / 12.0), (1, -1, 1.0 / 12.0)];

/// Side of the cells of the coarse system, in pixels.
const CELL: usize = 8;

/// Returns `x` `(C, H, W)` with linear imputation (Rong et al. 2022, section 4.2): every pixel for which `known`
/// (row-major) is false becomes the weighted mean of its neighbors inside the image. Returns `None` if no pixel is
/// known.
///
/// The equations are solved by conjugate gradients in f64, to 10⁻⁹ of the right-hand side. They are preconditioned by
/// the system summed over cells of 8 × 8 pixels, so that large holes need few steps.
///
/// # Errors
/// Returns candle's errors.
pub(crate) fn impute(x: &Tensor, known: &[bool]) -> Result<Option<Tensor>> {
    let (_, height, width) = x.dims3()?;
    if !known.contains(&true) {
        return Ok(None);
    }
    let system = System::new(known, height, width);
    let mut values = x.flatten_from(1)?.to_vec2::<f32>()?;
    for channel in &mut values {
        system.fill(channel);
    }
    Ok(Some(Tensor::from_vec(values.concat(), x.shape(), x.device())?))
}

/// The equations Σ w_j (u_i - u_j) = 0 over the neighbors j of each unknown pixel i. The system is symmetric, and
/// positive definite if at least one pixel is known.
struct System {
    /// Positions of the unknown pixels in the image.
    unknown: Vec<usize>,
    /// For each of them, the position and weight of each neighbor.
    neighbors: Vec<Vec<(usize, f64)>>,
    coarse: CoarseSystem,
}

impl System {
    fn new(known: &[bool], height: usize, width: usize) -> Self {
        let unknown: Vec<usize> = (0..known.len()).filter(|i| !known[*i]).collect();
        let around = |&at: &usize| {
            let offsets = NEIGHBORS.iter().flat_map(|&(y, x, w)| [(y, x, w), (-y, -x, w)]);
            let inside = |(y, x, w): (isize, isize, f64)| {
                let row = (at / width).checked_add_signed(y).filter(|row| *row < height)?;
                let column = (at % width).checked_add_signed(x).filter(|column| *column < width)?;
                Some((row * width + column, w))
            };
            offsets.filter_map(inside).collect()
        };
        let neighbors: Vec<Vec<(usize, f64)>> = unknown.iter().map(around).collect();

        // Cells with unknown pixels, numbered row by row.
        let cell = |at: &usize| at / width / CELL * width.div_ceil(CELL) + at % width / CELL;
        let mut cells: Vec<usize> = unknown.iter().map(cell).collect();
        let mut used = cells.clone();
        used.sort_unstable();
        used.dedup();
        cells.iter_mut().for_each(|cell| *cell = used.partition_point(|other| *other < *cell));
        let mut place = vec![None; known.len()];
        unknown.iter().enumerate().for_each(|(i, at)| place[*at] = Some(i));
        let place = &place;
        let entries = neighbors.iter().enumerate().flat_map(|(i, around)| {
            let others = around.iter().filter_map(move |(at, weight)| place[*at].map(|j| (i, j, -weight)));
            others.chain([(i, i, around.iter().map(|(_, weight)| weight).sum())])
        });
        let coarse = CoarseSystem::new(cells, entries);
        Self { unknown, neighbors, coarse }
    }

    /// Returns Σ w_j (v_i - v_j) at each unknown pixel i of an image v.
    fn differences(&self, image: &[f64]) -> Vec<f64> {
        let at = |(&i, around): (&usize, &Vec<(usize, f64)>)| {
            around.iter().map(|&(j, weight)| weight * (image[i] - image[j])).sum()
        };
        self.unknown.iter().zip(&self.neighbors).map(at).collect()
    }

    /// Sets the unknown pixels of one channel by preconditioned conjugate gradients.
    fn fill(&self, channel: &mut [f32]) {
        let mut image: Vec<f64> = channel.iter().map(|v| f64::from(*v)).collect();
        self.unknown.iter().for_each(|i| image[*i] = 0.0);
        let mut residual: Vec<f64> = self.differences(&image).iter().map(|v| -v).collect();
        let enough = 1e-18 * dot(&residual, &residual);
        let mut direction = vec![0.0; residual.len()];
        // The direction as an image, 0 at known pixels.
        let mut spread = vec![0.0; image.len()];
        let mut before = f64::INFINITY;
        // In exact arithmetic, as many steps as unknowns are enough.
        for _ in 0..2 * self.unknown.len() {
            if dot(&residual, &residual) <= enough {
                break;
            }
            let mut near = residual.clone();
            self.coarse.add_solution(&residual, &mut near);
            let size = dot(&residual, &near);
            direction.iter_mut().zip(&near).for_each(|(d, z)| *d = z + size / before * *d);
            before = size;
            self.unknown.iter().zip(&direction).for_each(|(i, d)| spread[*i] = *d);
            let turned = self.differences(&spread);
            let step = size / dot(&direction, &turned);
            for (((i, d), r), t) in self.unknown.iter().zip(&direction).zip(&mut residual).zip(&turned) {
                image[*i] += step * d;
                *r -= step * t;
            }
        }
        self.unknown.iter().for_each(|i| channel[*i] = image[*i] as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use hard_imagenet_models::generated;

    /// The reference is the imputer of pytorch-grad-cam, which the authors of ROAD wrote and which solves by SuperLU.
    /// Seven of ten pixels are removed.
    #[test]
    fn the_solution_equals_that_of_a_direct_solver() -> Result<()> {
        let golden = include_bytes!("../tests/golden/gradients.safetensors");
        let golden = candle_core::safetensors::load_buffer(golden, &Device::Cpu)?;
        let x = Tensor::from_vec(generated::values("input", &[2, 3, 32, 32]), (2, 3, 32, 32), &Device::Cpu)?;
        let known: Vec<bool> =
            generated::values("map", &[2, 32, 32])[..1024].iter().map(|value| value + 0.5 < 0.3).collect();
        let got = impute(&x.get(0)?, &known)?.unwrap();
        let error = (got - &golden["imputed"])?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(error < 1e-6, "{error}");
        Ok(())
    }

    #[test]
    fn every_unknown_pixel_is_the_mean_of_its_neighbors() -> Result<()> {
        let values: Vec<f32> = (0..12 * 9).map(|i| ((i * 7919 + 13) % 101) as f32 / 50.5 - 1.0).collect();
        let known: Vec<bool> = (0..12 * 9).map(|i| i % 5 == 2 || i == 107).collect();
        let x = Tensor::from_vec(values.clone(), (1, 12, 9), &Device::Cpu)?;
        let filled = impute(&x, &known)?.unwrap().flatten_all()?.to_vec1::<f32>()?;
        let image: Vec<f64> = filled.iter().map(|v| f64::from(*v)).collect();
        assert!(System::new(&known, 12, 9).differences(&image).iter().all(|v| v.abs() < 1e-6));
        for ((before, after), known) in values.iter().zip(&filled).zip(&known) {
            assert!(!known || before == after);
        }
        assert!(impute(&x, &[false; 108])?.is_none());
        Ok(())
    }
}
