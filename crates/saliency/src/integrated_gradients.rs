use crate::{Explain, ExplainError, Explanation, Question, input_gradient, pixels};
use candle_core::{DType, Tensor};

/// Integrated gradients (Sundararajan, Taly, Yan 2017): what each pixel adds to the logit on the way from a picture of
/// the mean colour to the image.
///
/// With g the gradient of the target's logit y, raw = Σ over channels of x ∫₀¹ g(αx) dα (eq. 1, its baseline the zeros of
/// the normalised input), at the input's resolution, signed, in logits. The integral is a Gauss-Legendre sum, as
/// captum's. Completeness: the values of a raw map add up to y(x) - y(0), as exactly as the sum is the integral; the
/// difference says whether there are enough steps. The map is raw without its negative part, scaled linearly to [0, 1].
#[derive(Clone, Debug)]
pub struct IntegratedGradients {
    /// Points of the sum.
    pub steps: usize,
    /// Points that go through the network together.
    pub batch: usize,
}

impl Default for IntegratedGradients {
    /// 50 steps, as captum; the paper found 20 to 300 to be enough.
    fn default() -> Self {
        Self { steps: 50, batch: 16 }
    }
}

impl Explain for IntegratedGradients {
    fn id(&self) -> String {
        "integrated-gradients".into()
    }

    fn answer(&self, mut question: Question<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (images, ..) = question.size()?;
        let (model, x) = (question.model, question.x.to_dtype(DType::F32)?);
        let rule = gauss_legendre(self.steps.max(1));

        let mut raw = Vec::with_capacity(images);
        for (image, &class) in question.classes.iter().enumerate() {
            let picture = x.narrow(0, image, 1)?;
            let mut slope = picture.zeros_like()?;
            let mut steps = image * rule.len();
            for points in rule.chunks(self.batch.max(1)) {
                let column = |values: Vec<f32>| Tensor::from_vec(values, (points.len(), 1, 1, 1), x.device());
                let shares = column(points.iter().map(|point| point.at as f32).collect())?;
                let weights = column(points.iter().map(|point| point.weight as f32).collect())?;
                let slopes = input_gradient(model, &picture.broadcast_mul(&shares)?, &vec![class; points.len()])?;
                slope = (slope + slopes.broadcast_mul(&weights)?.sum_keepdim(0)?)?;
                steps += points.len();
                question.done(steps, images * rule.len())?;
            }
            raw.push((picture * slope)?.sum(1)?);
        }
        pixels::explanations(&Tensor::cat(&raw, 0)?)
    }
}

/// A point of a sum that stands for an integral from 0 to 1.
struct Point {
    at: f64,
    weight: f64,
}

/// Gauss and Legendre's rule of `n` points, exact for polynomials of degrees below 2n.
fn gauss_legendre(n: usize) -> Vec<Point> {
    let point = |i: usize| {
        // A root of the Legendre polynomial P_n, by Newton's method from a guess that is right to 1/n².
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 0.0;
        for _ in 0..10 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=n {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
            }
            slope = n as f64 * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        // From [-1, 1] to [0, 1].
        Point { at: (1.0 - x) / 2.0, weight: 1.0 / ((1.0 - x * x) * slope * slope) }
    };
    (0..n).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_exact_for_polynomials() {
        for n in [1, 2, 3, 50, 301] {
            let rule = gauss_legendre(n);
            for degree in [0, 1, n, 2 * n - 1] {
                let sum: f64 = rule.iter().map(|point| point.weight * point.at.powi(degree as i32)).sum();
                let want = 1.0 / (degree as f64 + 1.0);
                assert!((sum - want).abs() < 1e-13, "{n} points, degree {degree}: {sum} for {want}");
            }
        }
        let (sum, want): (f64, f64) = (gauss_legendre(2).iter().map(|p| p.weight * p.at.powi(4)).sum(), 0.2);
        assert!((sum - want).abs() > 1e-3, "one degree too many");
    }
}
