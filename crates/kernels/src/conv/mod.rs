mod depthwise;
mod im2col;
mod params;
mod portable;
mod portable_depthwise;

pub use params::Conv2dParams;

use crate::with_gradient2;
use candle_core::{Result, Tensor};

/// Returns the two-dimensional convolution (cross-correlation) of `x` `(B, I, H, W)` with `weight`
/// `(O, I / groups, kh, kw)`, plus `bias` `(O)`: `(B, O, H', W')` in the dtype of `x`.
///
/// On the CPU, halves are computed in f32 and rounded once. Gradients flow to every tensor that depends on a variable, and
/// only those are computed: a frozen network does not pay for the gradients of its weights.
///
/// # Errors
/// Returns an error if the channels do not match or the window is larger than the padded image.
pub fn conv2d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, params: Conv2dParams) -> Result<Tensor> {
    let (outputs, ..) = weight.dims4()?;
    let p = params;
    check_shapes(x, weight, p)?;
    // A bias that learns is added where candle records it; a frozen one is added along with the sums.
    let fused = bias.filter(|bias| !bias.track_op());
    let y = forward(&x.detach(), &weight.detach(), fused, p)?;
    let (dx_wanted, dw_wanted) = (x.track_op(), weight.track_op());
    let y = with_gradient2(x, weight, y, move |x, weight, _, dy| {
        let dx = if dx_wanted { Some(input_gradient(x, weight, dy, p)?) } else { None };
        let dw = if dw_wanted { Some(weight_gradient(x, weight, dy, p)?) } else { None };
        Ok((dx, dw))
    })?;
    match bias {
        Some(bias) if bias.track_op() => y.broadcast_add(&bias.reshape((1, outputs, 1, 1))?),
        _ => Ok(y),
    }
}

/// Checks that the weights match the image's channels and that the window fits into the padded image.
fn check_shapes(x: &Tensor, weight: &Tensor, p: Conv2dParams) -> Result<()> {
    let (_, channels, h, w) = x.dims4()?;
    let (outputs, per_group, kh, kw) = weight.dims4()?;
    if p.groups == 0 || channels != per_group * p.groups || outputs % p.groups != 0 {
        candle_core::bail!(
            "a convolution with weights {:?} in {} groups does not match {channels} channels",
            weight.dims(),
            p.groups
        );
    }
    if p.output_len(h, kh) == 0 || p.output_len(w, kw) == 0 {
        candle_core::bail!(
            "the window of a convolution with weights {:?} and {p:?} does not fit into an image of {h} × {w}",
            weight.dims()
        );
    }
    Ok(())
}

fn forward(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, p: Conv2dParams) -> Result<Tensor> {
    if x.device().is_cpu() {
        return match p.is_depthwise(weight) {
            true => depthwise::forward(x, weight, bias, p),
            false => im2col::forward(x, weight, bias, p),
        };
    }
    let y = match p.is_depthwise(weight) {
        true => portable_depthwise::forward(x, weight, p)?,
        false => portable::forward(&x.contiguous()?, weight, p)?,
    };
    match bias {
        Some(bias) => y.broadcast_add(&bias.reshape((1, bias.dim(0)?, 1, 1))?),
        None => Ok(y),
    }
}

fn input_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let compute = match (x.device().is_cpu(), p.is_depthwise(weight)) {
        (true, true) => depthwise::input_gradient,
        (true, false) => im2col::input_gradient,
        (false, true) => portable_depthwise::input_gradient,
        (false, false) => portable::input_gradient,
    };
    compute(x, weight, dy, p)
}

fn weight_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let compute = match (x.device().is_cpu(), p.is_depthwise(weight)) {
        (true, true) => depthwise::weight_gradient,
        (true, false) => im2col::weight_gradient,
        (false, true) => portable_depthwise::weight_gradient,
        (false, false) => portable::weight_gradient,
    };
    compute(x, weight, dy, p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradient, sample};
    use candle_core::Var;

    /// Height and width of the window, its movement, height and width of the image.
    type Case = (usize, usize, Conv2dParams, (usize, usize));

    fn cases() -> Vec<Case> {
        let p = Conv2dParams::default();
        vec![
            (1, 1, p, (4, 5)),
            (3, 3, Conv2dParams { padding: 1, ..p }, (5, 4)),
            // A stride on a rectangle of mixed parity: candle's own gradient fails here.
            (3, 3, Conv2dParams { padding: 1, stride: 2, ..p }, (6, 5)),
            (1, 1, Conv2dParams { stride: 2, ..p }, (5, 6)),
            (3, 3, Conv2dParams { padding: 2, dilation: 2, ..p }, (6, 6)),
            (3, 3, Conv2dParams { padding: 1, groups: 2, ..p }, (4, 4)),
            (7, 7, Conv2dParams { padding: 3, stride: 2, ..p }, (9, 8)),
            (1, 3, p, (4, 5)),
            (2, 2, Conv2dParams { stride: 2, ..p }, (5, 4)),
            // Depthwise: one window per channel.
            (3, 3, Conv2dParams { padding: 1, groups: 4, ..p }, (5, 4)),
            (7, 7, Conv2dParams { padding: 3, groups: 4, ..p }, (6, 5)),
            (3, 3, Conv2dParams { padding: 1, stride: 2, groups: 4, ..p }, (6, 5)),
            (5, 3, Conv2dParams { padding: 2, stride: 3, groups: 4, ..p }, (7, 8)),
            (3, 2, Conv2dParams { padding: 2, stride: 2, dilation: 3, groups: 4 }, (6, 7)),
            (2, 2, Conv2dParams { stride: 3, groups: 4, ..p }, (7, 5)),
        ]
    }

    fn tensors((kh, kw, p, (h, w)): Case) -> Result<(Tensor, Tensor, Tensor)> {
        let outputs = if p.groups == 4 { 4 } else { 6 };
        Ok((sample("x", (2, 4, h, w))?, sample("w", (outputs, 4 / p.groups, kh, kw))?, sample("b", outputs)?))
    }

    /// A single image is divided among the threads, several images are computed one per thread, small images are computed
    /// together and large ones in several blocks. The values are always the same.
    #[test]
    fn values_do_not_depend_on_how_the_work_is_divided() -> Result<()> {
        let p = Conv2dParams::default();
        for (kernel, p, (h, w)) in [
            (1, p, (31, 40)),
            (1, p, (3, 5)),
            (3, Conv2dParams { padding: 1, ..p }, (40, 37)),
            (3, Conv2dParams { padding: 1, groups: 2, ..p }, (33, 40)),
            (3, Conv2dParams { padding: 1, stride: 2, ..p }, (61, 64)),
            (3, Conv2dParams { padding: 1, ..p }, (7, 6)),
            (3, Conv2dParams { padding: 1, ..p }, (16, 20)),
        ] {
            let x = sample("x", (9, 4, h, w))?;
            let (weight, bias) = (sample("w", (6, 4 / p.groups, kernel, kernel))?, sample("b", 6)?);
            let what = format!("{kernel} {p:?} {h} × {w}");
            for bias in [None, Some(&bias)] {
                let together = conv2d(&x, &weight, bias, p)?;
                let want = x.conv2d(&weight, p.padding, p.stride, p.dilation, p.groups)?;
                let want = match bias {
                    Some(bias) => want.broadcast_add(&bias.reshape((1, 6, 1, 1))?)?,
                    None => want,
                };
                check_equal(&together, &want, &what)?;
                for i in [0, 8] {
                    let alone = conv2d(&x.narrow(0, i, 1)?, &weight, bias, p)?;
                    check_equal(&alone, &together.narrow(0, i, 1)?, &what)?;
                }
            }
        }
        Ok(())
    }

    fn check_equal(got: &Tensor, want: &Tensor, what: &str) -> Result<()> {
        assert_eq!(got.dims(), want.dims(), "{what}");
        let error = (got - want)?.abs()?.max_all()?.to_scalar::<f32>()?;
        assert!(error < 1e-5, "{what}: {error}");
        Ok(())
    }

    #[test]
    fn forward_equals_candle() -> Result<()> {
        for case in cases() {
            let (p, (x, w, b)) = (case.2, tensors(case)?);
            let want =
                x.conv2d(&w, p.padding, p.stride, p.dilation, p.groups)?.broadcast_add(&b.reshape((1, (), 1, 1))?)?;
            check_equal(&conv2d(&x, &w, Some(&b), p)?, &want, &format!("{case:?}"))?;
        }
        Ok(())
    }

    #[test]
    fn large_and_batched_images_equal_candle() -> Result<()> {
        // Several blocks of columns per image, and several images per block.
        for (b, size, kernel, stride) in [(1, 40, 3, 1), (3, 40, 3, 2), (7, 6, 3, 1), (2, 32, 1, 1), (5, 7, 1, 1)] {
            let p = Conv2dParams { stride, padding: kernel / 2, ..Default::default() };
            let (x, w) = (sample("x", (b, 3, size, size + 1))?, sample("w", (5, 3, kernel, kernel))?);
            check_equal(
                &conv2d(&x, &w, None, p)?,
                &x.conv2d(&w, p.padding, p.stride, 1, 1)?,
                &format!("{b} of {size}"),
            )?;
        }
        Ok(())
    }

    #[test]
    fn gradients_of_input_weight_and_bias() -> Result<()> {
        for case in cases() {
            let (p, (x, w, b)) = (case.2, tensors(case)?);
            check_gradient(&x, |x| conv2d(x, &w, Some(&b), p))?;
            check_gradient(&w, |w| conv2d(&x, w, Some(&b), p))?;
            check_gradient(&b, |b| conv2d(&x, &w, Some(b), p))?;
        }
        Ok(())
    }

    #[test]
    fn portable_gradients_equal_cpu_gradients() -> Result<()> {
        for case in cases() {
            let (p, (x, w, _)) = (case.2, tensors(case)?);
            let dy = sample("dy", conv2d(&x, &w, None, p)?.shape())?;
            let what = format!("{case:?}");
            check_equal(&portable::input_gradient(&x, &w, &dy, p)?, &input_gradient(&x, &w, &dy, p)?, &what)?;
            check_equal(&portable::weight_gradient(&x, &w, &dy, p)?, &weight_gradient(&x, &w, &dy, p)?, &what)?;
            if p.is_depthwise(&w) {
                check_equal(&portable_depthwise::forward(&x, &w, p)?, &conv2d(&x, &w, None, p)?, &what)?;
                let dx = portable_depthwise::input_gradient(&x, &w, &dy, p)?;
                check_equal(&dx, &portable::input_gradient(&x, &w, &dy, p)?, &what)?;
                let dw = portable_depthwise::weight_gradient(&x, &w, &dy, p)?;
                check_equal(&dw, &portable::weight_gradient(&x, &w, &dy, p)?, &what)?;
            }
        }
        Ok(())
    }

    #[test]
    fn frozen_weights_have_no_gradient() -> Result<()> {
        let (x, w) = (Var::from_tensor(&sample("x", (1, 4, 3, 3))?)?, sample("w", (2, 4, 1, 1))?);
        let y = conv2d(&x, &w, None, Conv2dParams::default())?.sum_all()?;
        assert!(y.backward()?.get(&w).is_none());
        Ok(())
    }

    #[test]
    fn shapes_that_do_not_match_are_errors() -> Result<()> {
        let (x, w) = (sample("x", (1, 3, 4, 4))?, sample("w", (2, 4, 1, 1))?);
        assert!(conv2d(&x, &w, None, Conv2dParams::default()).is_err());
        let w = sample("w", (2, 3, 5, 5))?;
        assert!(conv2d(&x, &w, None, Conv2dParams::default()).is_err());
        Ok(())
    }
}
