use crate::cam::explanations;
use crate::gradient::{input_gradient, sums};
use crate::{Explain, ExplainError, ExplainRequest, Explanation};
use candle_core::{DType, Tensor};

/// Integrated gradients (Sundararajan, Taly and Yan 2017): each pixel's share of the logit, from the gradients along
/// the straight line from a baseline to the input.
///
/// The baseline x' is the mean color, which is 0 in the normalized input, so the attribution is x ∫ ∂y(αx)/∂x dα (eq.
/// 1). The integral from α = 0 to 1 uses the Gauss–Legendre rule, as captum's `IntegratedGradients` does by default.
/// Attributions add up to y(x) - y(x') if there are enough steps ("completeness"). With 50 steps, the error relative to
/// the sum of magnitudes is at the level of f32 rounding in smooth networks and about 10⁻³ in networks with ReLUs.
/// `raw` `(H, W)` is the sum of the attributions over channels, with its sign. `map` is the positive part, scaled to
/// [0, 1] like GradCAM's map.
#[derive(Clone, Debug)]
pub struct IntegratedGradients {
    /// Number of places on the line at which the gradient is computed.
    pub steps: usize,
    /// Number of steps that go through the network at once.
    pub batch_size: usize,
}

impl Default for IntegratedGradients {
    fn default() -> Self {
        Self { steps: 50, batch_size: 16 }
    }
}

impl IntegratedGradients {
    /// Returns the attributions, `(B, 3, H, W)`. Their sums over channels are the raw maps.
    fn attributions(&self, request: &mut ExplainRequest<'_>) -> Result<Tensor, ExplainError> {
        let (images, _, _) = request.image_size()?;
        let (steps, batch) = (self.steps.max(1), self.batch_size.max(1));
        let rule = gauss_legendre(steps);
        let mut attributions = Vec::with_capacity(images);
        for (image, &class) in request.classes.iter().enumerate() {
            let x = request.x.narrow(0, image, 1)?.to_dtype(DType::F32)?;
            let mut integral = x.zeros_like()?;
            for (part, rule) in rule.chunks(batch).enumerate() {
                let column = |pick: fn(&(f64, f64)) -> f64| {
                    let values: Vec<f32> = rule.iter().map(|pair| pick(pair) as f32).collect();
                    Tensor::from_vec(values, (rule.len(), 1, 1, 1), x.device())
                };
                let on_the_way = x.broadcast_mul(&column(|pair| pair.0)?)?;
                let slopes = input_gradient(request.model, &on_the_way, &vec![class; rule.len()])?;
                integral = (integral + slopes.broadcast_mul(&column(|pair| pair.1)?)?.sum_keepdim(0)?)?;
                request.report_progress(image * steps + part * batch + rule.len(), images * steps)?;
            }
            attributions.push((integral * x)?);
        }
        Ok(Tensor::cat(&attributions, 0)?)
    }
}

impl Explain for IntegratedGradients {
    fn id(&self) -> String {
        "integrated-gradients".into()
    }

    fn explain_request(&self, mut request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (_, height, width) = request.image_size()?;
        let attributions = self.attributions(&mut request)?;
        explanations(&sums(&attributions)?, (height, width), (height, width))
    }
}

/// Returns the `n` places in (0, 1) and weights of the Gauss–Legendre rule, which is exact for polynomials of degree 2n
/// - 1.
fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let count = n as f64;
    // P_n and its derivative, by the recurrence k P_k = (2k - 1) x P_{k-1} - (k - 1) P_{k-2}.
    let polynomial = |x: f64| {
        let (mut before, mut now) = (0.0, 1.0);
        for k in 1..=n {
            let k = k as f64;
            (before, now) = (now, ((2.0 * k - 1.0) * x * now - (k - 1.0) * before) / k);
        }
        (now, count * (x * now - before) / (x * x - 1.0))
    };
    let place = |i: usize| {
        // Newton's method, starting from Tricomi's estimate of the root. The largest root comes first.
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (count + 0.5)).cos();
        for _ in 0..10 {
            let (value, slope) = polynomial(x);
            x -= value / slope;
        }
        let slope = polynomial(x).1;
        ((1.0 + x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..n).rev().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for n in [1, 2, 5, 50] {
            let rule = gauss_legendre(n);
            for power in 0..2 * n as i32 {
                let integral: f64 = rule.iter().map(|(place, weight)| weight * place.powi(power)).sum();
                let want = 1.0 / f64::from(power + 1);
                assert!((integral - want).abs() < 1e-13, "{n} places, x^{power}: {integral}, not {want}");
            }
        }
    }
}
