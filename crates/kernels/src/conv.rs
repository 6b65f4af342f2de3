use crate::Activation;
use crate::pad::pad;
use crate::portable_depthwise;
use crate::taps::{Axis, tap};
use crate::{cpu_conv, cpu_depthwise, with_gradient2};
use candle_core::conv::CudnnFwdAlgo;
use candle_core::{DType, Result, Tensor};

/// How a convolution's window moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dParams {
    /// Step between windows.
    pub stride: usize,
    /// Zeros added on each side.
    pub padding: usize,
    /// Distance between the window's taps.
    pub dilation: usize,
    /// Channels are split in this many groups that do not see each other.
    pub groups: usize,
}

impl Default for Conv2dParams {
    fn default() -> Self {
        Self { stride: 1, padding: 0, dilation: 1, groups: 1 }
    }
}

impl Conv2dParams {
    /// Length of an axis after a window of `size` taps; 0 when the window does not fit, or does not move.
    pub fn output(&self, length: usize, size: usize) -> usize {
        if size == 0 || self.stride == 0 {
            return 0;
        }
        let reach = self.dilation * (size - 1) + 1;
        (length + 2 * self.padding).checked_sub(reach).map_or(0, |room| room / self.stride + 1)
    }
}

/// Two-dimensional convolution (cross-correlation): `x` `(B, I, H, W)`, `weight` `(O, I / groups, kh, kw)`, `bias` `(O)`.
///
/// Of input and weights only what depends on a variable is differentiated, so a frozen network does not pay for
/// gradients of its weights.
///
/// # Errors
/// When channels do not fit or the window is larger than the padded picture.
pub fn conv2d(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, params: Conv2dParams) -> Result<Tensor> {
    let (outputs, ..) = weight.dims4()?;
    let p = params;
    check(x, weight, p)?;
    // A bias that learns is added where candle sees it; a frozen one goes along with the sums.
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

/// Do picture and weights go together?
fn check(x: &Tensor, weight: &Tensor, p: Conv2dParams) -> Result<()> {
    let (_, channels, h, w) = x.dims4()?;
    let (outputs, per_group, kh, kw) = weight.dims4()?;
    if p.groups == 0 || channels != per_group * p.groups || outputs % p.groups != 0 {
        candle_core::bail!(
            "a convolution with weights {:?} in {} groups does not fit {channels} channels",
            weight.dims(),
            p.groups
        );
    }
    if p.output(h, kh) == 0 || p.output(w, kw) == 0 {
        candle_core::bail!("a convolution with weights {:?}, {p:?} does not fit a picture of {h} × {w}", weight.dims());
    }
    Ok(())
}

/// [`conv2d`] and an activation in one pass over memory, on the CPU in f32, to the same bits. Not differentiable; `None` for
/// a depthwise convolution, which has no such form.
///
/// # Errors
/// As [`conv2d`].
pub fn conv2d_then(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    params: Conv2dParams,
    then: Activation,
) -> Result<Option<Tensor>> {
    if depthwise(weight, params) {
        return Ok(None);
    }
    check(x, weight, params)?;
    cpu_conv::forward(&x.detach(), &weight.detach(), bias, params, Some(then)).map(Some)
}

fn on_cpu(x: &Tensor) -> bool {
    x.device().is_cpu()
}

/// One window a channel.
fn depthwise(weight: &Tensor, p: Conv2dParams) -> bool {
    weight.dims().first() == Some(&p.groups) && weight.dims().get(1) == Some(&1)
}

fn forward(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>, p: Conv2dParams) -> Result<Tensor> {
    if on_cpu(x) {
        return match depthwise(weight, p) {
            true => cpu_depthwise::forward(x, weight, bias, p),
            false => cpu_conv::forward(x, weight, bias, p, None),
        };
    }
    let y = match depthwise(weight, p) {
        true => portable_depthwise::forward(x, weight, p)?,
        false => by_candle(&x.contiguous()?, weight, p)?,
    };
    match bias {
        Some(bias) => y.broadcast_add(&bias.reshape((1, bias.dim(0)?, 1, 1))?),
        None => Ok(y),
    }
}

/// candle's convolution. cuDNN would choose an algorithm anew at each call, which takes longer than most convolutions (on an
/// H100 about 0.4 ms in f32, 4 ms in bf16); this one takes all shapes and dtypes.
fn by_candle(x: &Tensor, weight: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let algorithm = Some(CudnnFwdAlgo::ImplicitPrecompGemm);
    x.conv2d_with_algo(weight, p.padding, p.stride, p.dilation, p.groups, algorithm)
}

fn input_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let of = match (on_cpu(x), depthwise(weight, p)) {
        (true, true) => cpu_depthwise::input_gradient,
        (true, false) => cpu_conv::input_gradient,
        (false, true) => portable_depthwise::input_gradient,
        (false, false) => portable_input_gradient,
    };
    of(x, weight, dy, p)
}

fn weight_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let of = match (on_cpu(x), depthwise(weight, p)) {
        (true, true) => cpu_depthwise::weight_gradient,
        (true, false) => cpu_conv::weight_gradient,
        (false, true) => portable_depthwise::weight_gradient,
        (false, false) => portable_weight_gradient,
    };
    of(x, weight, dy, p)
}

/// The transposed convolution of dy, group by group.
fn portable_input_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let (_, _, h, w) = x.dims4()?;
    let (outputs, _, kh, kw) = weight.dims4()?;
    let (_, _, oh, ow) = dy.dims4()?;
    // Rows and columns at the far ends that no window reached: one number for both axes in candle, so ask for the
    // larger and cut.
    let reached = |out: usize, size: usize| (out - 1) * p.stride + p.dilation * (size - 1) + 1;
    let missing = |length: usize, out, size| (length + 2 * p.padding).saturating_sub(reached(out, size));
    let extra = missing(h, oh, kh).max(missing(w, ow, kw));
    let each = outputs / p.groups;
    let mut parts = Vec::with_capacity(p.groups);
    for group in 0..p.groups {
        let weight = weight.narrow(0, group * each, each)?.contiguous()?;
        let dy = dy.narrow(1, group * each, each)?.contiguous()?;
        let dx = if p.stride == 1 && kh == kw && p.dilation * (kh - 1) >= p.padding {
            // With stride 1 this is an ordinary convolution with the mirrored window, which is faster.
            let mirrored = weight.transpose(0, 1)?.contiguous()?.flip(&[2, 3])?.contiguous()?;
            let p = Conv2dParams { padding: p.dilation * (kh - 1) - p.padding, stride: 1, groups: 1, ..p };
            by_candle(&dy, &mirrored, p)?
        } else {
            dy.conv_transpose2d(&weight, p.padding, extra, p.stride, p.dilation)?
        };
        parts.push(dx.narrow(2, 0, h)?.narrow(3, 0, w)?.contiguous()?);
    }
    if parts.len() == 1 { Ok(parts.remove(0)) } else { Tensor::cat(&parts, 1) }
}

/// For each tap of the window, the product of dy with the picture seen from that tap.
fn portable_weight_gradient(x: &Tensor, weight: &Tensor, dy: &Tensor, p: Conv2dParams) -> Result<Tensor> {
    let (outputs, per_group, kh, kw) = weight.dims4()?;
    let (_, _, oh, ow) = dy.dims4()?;
    let each = outputs / p.groups;
    let frame = (p.padding, p.padding);
    let padded = pad(&pad(x, 2, frame, 0.0)?, 3, frame, 0.0)?;
    let mut groups = Vec::with_capacity(p.groups);
    for group in 0..p.groups {
        let x = padded.narrow(1, group * per_group, per_group)?.contiguous()?;
        let dy = dy.narrow(1, group * each, each)?.flatten_from(2)?.contiguous()?;
        let mut taps = Vec::with_capacity(kh * kw);
        for ky in 0..kh {
            for kx in 0..kw {
                let rows = Axis { start: ky * p.dilation, stride: p.stride, count: oh };
                let columns = Axis { start: kx * p.dilation, stride: p.stride, count: ow };
                let seen = tap(&x, rows, columns)?.flatten_from(2)?.transpose(1, 2)?;
                taps.push(dy.matmul(&seen)?.to_dtype(DType::F32)?.sum(0)?);
            }
        }
        groups.push(Tensor::stack(&taps, 2)?.reshape((each, per_group, kh, kw))?);
    }
    Tensor::cat(&groups, 0)?.to_dtype(weight.dtype())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradient, sample};
    use candle_core::Var;

    /// Kernel height and width, movement, picture.
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
            // Depthwise: one window a channel.
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

    /// An image alone is divided among threads, one of several is not, small ones are computed together; large pictures
    /// make several blocks. All of it gives the same.
    #[test]
    fn images_are_alike_however_they_are_divided() -> Result<()> {
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
    fn forward_equals_candles() -> Result<()> {
        for case in cases() {
            let (p, (x, w, b)) = (case.2, tensors(case)?);
            let want =
                x.conv2d(&w, p.padding, p.stride, p.dilation, p.groups)?.broadcast_add(&b.reshape((1, (), 1, 1))?)?;
            check_equal(&conv2d(&x, &w, Some(&b), p)?, &want, &format!("{case:?}"))?;
        }
        Ok(())
    }

    #[test]
    fn large_and_batched_pictures_equal_candles() -> Result<()> {
        // Several blocks of columns an image, and several images a block.
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
    fn portable_gradients_equal_those_of_the_cpu() -> Result<()> {
        for case in cases() {
            let (p, (x, w, _)) = (case.2, tensors(case)?);
            let dy = sample("dy", conv2d(&x, &w, None, p)?.shape())?;
            let what = format!("{case:?}");
            check_equal(&portable_input_gradient(&x, &w, &dy, p)?, &input_gradient(&x, &w, &dy, p)?, &what)?;
            check_equal(&portable_weight_gradient(&x, &w, &dy, p)?, &weight_gradient(&x, &w, &dy, p)?, &what)?;
            if depthwise(&w, p) {
                check_equal(&portable_depthwise::forward(&x, &w, p)?, &conv2d(&x, &w, None, p)?, &what)?;
                let dx = portable_depthwise::input_gradient(&x, &w, &dy, p)?;
                check_equal(&dx, &portable_input_gradient(&x, &w, &dy, p)?, &what)?;
                let dw = portable_depthwise::weight_gradient(&x, &w, &dy, p)?;
                check_equal(&dw, &portable_weight_gradient(&x, &w, &dy, p)?, &what)?;
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
    fn what_does_not_fit_is_an_error() -> Result<()> {
        let (x, w) = (sample("x", (1, 3, 4, 4))?, sample("w", (2, 4, 1, 1))?);
        assert!(conv2d(&x, &w, None, Conv2dParams::default()).is_err());
        let w = sample("w", (2, 3, 5, 5))?;
        assert!(conv2d(&x, &w, None, Conv2dParams::default()).is_err());
        Ok(())
    }
}
