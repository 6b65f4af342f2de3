//! Operators with a moving window, and operators that change the border of an image.

use super::{Call, dimension};
use crate::error::Reason;
use crate::importer::Importer;
use crate::value::{Value, show_shape};
use hard_imagenet_graph::{Conv2d, Op, Pad, Pool2d, Reduce, Reduction};

/// The movement of a window along rows and columns.
struct Window {
    kernel: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
    /// The padding before and after, along rows and columns.
    pads: [(usize, usize); 2],
}

/// Turns a sequence `(B, C, L)` into an image of one row. Images stay as they are.
fn to_image(importer: &mut Importer, x: &Value) -> Result<Value, Reason> {
    match *x.shape() {
        [_, _, _, _] => Ok(x.clone()),
        [a, b, length] => importer.reshape(x, &[a, b, 1, length]),
        _ => Err(format!("it needs (B, C, H, W) or (B, C, L), got {}", show_shape(x.shape())).into()),
    }
}

/// Turns the image back into a sequence if the value had three dimensions.
fn from_image(importer: &mut Importer, x: &Value, rank: usize) -> Result<Value, Reason> {
    match *x.shape() {
        [a, b, 1, length] if rank == 3 => importer.reshape(x, &[a, b, length]),
        _ => Ok(x.clone()),
    }
}

/// Checks that a length is small enough for arithmetic without overflow.
fn checked_length(length: i64) -> Result<usize, Reason> {
    let fits = usize::try_from(length).ok().filter(|length| *length < 1 << 16);
    fits.ok_or_else(|| Reason(format!("a window, step or padding of {length} is not supported")))
}

impl Window {
    fn new(call: &Call<'_>, kernel: &[usize], extents: &[usize]) -> Result<Self, Reason> {
        let pair = |values: Vec<usize>, one: usize| match values[..] {
            [columns] => Ok([one, columns]),
            [rows, columns] => Ok([rows, columns]),
            _ => Err(Reason(format!("a window of {} dimensions is not supported", values.len()))),
        };
        let numbers = |name: &str, default: usize| match call.ints(name) {
            Some(values) => values.iter().map(|&v| checked_length(v)).collect::<Result<Vec<_>, _>>(),
            None => Ok(vec![default; kernel.len()]),
        };
        let kernel = pair(kernel.to_vec(), 1)?;
        let strides = pair(numbers("strides", 1)?, 1)?;
        let dilations = pair(numbers("dilations", 1)?, 1)?;
        let pads = numbers("pads", 0)?;
        let upper = match call.text("auto_pad", "NOTSET") {
            "SAME_UPPER" => Some(true),
            "SAME_LOWER" => Some(false),
            _ => None,
        };
        let pads = match (upper, &pads[..]) {
            (None, &[before, after])
                if call.ints("pads").is_some() && kernel[0] == 1 && call.ints("pads").map(<[_]>::len) == Some(2) =>
            {
                [(0, 0), (before, after)]
            }
            (None, &[top, left, bottom, right]) => [(top, bottom), (left, right)],
            (None, _) => [(0, 0); 2],
            (Some(upper), _) => [0, 1].map(|i| {
                let reach = dilations[i] * kernel[i].saturating_sub(1) + 1;
                let outputs = extents[i].div_ceil(strides[i].max(1));
                let total = (outputs.saturating_sub(1) * strides[i] + reach).saturating_sub(extents[i]);
                let (less, more) = (total / 2, total - total / 2);
                if upper { (less, more) } else { (more, less) }
            }),
        };
        Ok(Self { kernel, strides, dilations, pads })
    }

    /// Returns the step along both axes. Along an axis where a window of one pixel cannot move, the step does not matter.
    fn stride(&self, extents: &[usize]) -> Result<usize, Reason> {
        let still = |i: usize| extents[i] == 1 && self.kernel[i] == 1;
        match self.strides {
            [rows, columns] if rows == columns || still(0) => Ok(columns),
            [rows, _] if still(1) => Ok(rows),
            _ => Err(format!("the different strides {:?} are not supported", self.strides).into()),
        }
    }

    /// Returns the dilation along both axes. Along an axis with one tap, the dilation does not matter.
    fn dilation(&self) -> Result<usize, Reason> {
        match (self.dilations, self.kernel) {
            ([rows, columns], _) if rows == columns => Ok(rows),
            ([_, columns], [1, _]) => Ok(columns),
            ([rows, _], [_, 1]) => Ok(rows),
            _ => Err(format!("the different dilations {:?} are not supported", self.dilations).into()),
        }
    }

    /// Returns the padding if it is the same on all four sides.
    fn padding(&self) -> Option<usize> {
        let [(top, bottom), (left, right)] = self.pads;
        (top == bottom && left == right && top == left).then_some(top)
    }

    /// Adds the padding around the image, filled with `value`.
    fn add_frame(&self, importer: &mut Importer, x: Value, value: f32) -> Result<Value, Reason> {
        let mut x = x;
        for (i, &(before, after)) in self.pads.iter().enumerate().filter(|(_, pads)| **pads != (0, 0)) {
            x = importer.op(Op::Pad(Pad { dim: 2 + i, before, after, value }), &[&x])?;
        }
        Ok(x)
    }
}

pub(super) fn conv(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let rank = call.x()?.rank();
    let mut x = to_image(importer, call.x()?)?;
    let weight = to_image(importer, call.input(1)?)?;
    let &[outputs, inputs, h, w] = weight.shape() else {
        return Err("its weight does not have four dimensions".into());
    };
    let kernel = if rank == 3 { vec![w] } else { vec![h, w] };
    let window = Window::new(call, &kernel, &x.shape()[2..])?;
    let padding = match window.padding() {
        Some(padding) => padding,
        None => {
            x = window.add_frame(importer, x, 0.0)?;
            0
        }
    };
    let groups = usize::try_from(call.int("group", 1))?.max(1);
    let conv = Conv2d {
        kernel: (h, w),
        stride: window.stride(&x.shape()[2..])?,
        padding,
        dilation: window.dilation()?,
        groups,
        bias: call.optional(2).is_some(),
        ..Conv2d::new(inputs * groups, outputs, 1)
    };
    let weights: Vec<_> = [("weight", &weight)].into_iter().chain(call.optional(2).map(|b| ("bias", b))).collect();
    let y = importer.weighted(Op::Conv2d(conv), &[&x], &weights)?;
    from_image(importer, &y, rank)
}

pub(super) fn pool(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let rank = call.x()?.rank();
    let x = to_image(importer, call.x()?)?;
    let kernel = call.ints("kernel_shape").ok_or("it has no window")?;
    let kernel = kernel.iter().map(|&v| checked_length(v)).collect::<Result<Vec<_>, _>>()?;
    let window = Window::new(call, &kernel, &x.shape()[2..])?;
    let largest = call.node.op == "MaxPool";
    let count_padding = call.int("count_include_pad", 0) != 0;
    let ceil = call.int("ceil_mode", 0) != 0;
    let y = match (window.kernel, window.padding()) {
        _ if window.dilations != [1, 1] => return Err("dilation is not supported".into()),
        ([size, columns], _) if size == columns && window.strides[0] == window.strides[1] => {
            let (padding, x) = match window.padding() {
                Some(padding) => (padding, x),
                None if largest => (0, window.add_frame(importer, x, f32::NEG_INFINITY)?),
                None if count_padding => (0, window.add_frame(importer, x, 0.0)?),
                None => return Err("padding that differs between sides and does not count is not supported".into()),
            };
            let pool = Pool2d { size, stride: window.strides[0], padding, ceil };
            let op = if largest { Op::MaxPool2d(pool) } else { Op::AvgPool2d { pool, count_padding } };
            importer.op(op, &[&x])?
        }
        (kernel, Some(0)) if kernel == window.strides && !ceil => pool_tiles(importer, &x, kernel, largest)?,
        _ => return Err("windows that are not square must not overlap".into()),
    };
    from_image(importer, &y, rank)
}

/// Pools windows that lie side by side: splits rows and columns into windows and reduces each.
fn pool_tiles(importer: &mut Importer, x: &Value, kernel: [usize; 2], largest: bool) -> Result<Value, Reason> {
    let mut x = x.clone();
    for (dim, size) in [(2, kernel[0]), (3, kernel[1])] {
        let len = x.shape()[dim].checked_div(size).ok_or("its window has a side of 0")? * size;
        if len != x.shape()[dim] {
            x = importer.op(Op::Narrow { dim, start: 0, len }, &[&x])?;
        }
    }
    let &[b, c, h, w] = x.shape() else { return Err("only four dimensions are supported".into()) };
    let (oh, ow) = (h / kernel[0], w / kernel[1]);
    let cut = importer.reshape(&x, &[b, c, oh, kernel[0], ow, kernel[1]])?;
    let how = if largest { Reduction::Max } else { Reduction::Mean };
    let y = importer.op(Op::Reduce(Reduce { how, dims: vec![3, 5], keep: false }), &[&cut])?;
    Ok(importer.copy_axes(y, &x))
}

pub(super) fn global_pool(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let how = if call.node.op == "GlobalMaxPool" { Reduction::Max } else { Reduction::Mean };
    importer.op(Op::Reduce(Reduce { how, dims: (2..x.rank()).collect(), keep: true }), &[x])
}

pub(super) fn pad(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let mut x = call.x()?.clone();
    let pads = call.ints_input_or_attribute(1, "pads")?.ok_or("it has no pads")?;
    let axes = match call.optional(3) {
        Some(axes) => axes.ints()?,
        None => (0..(pads.len() / 2) as i64).collect(),
    };
    let value = call.optional(2).and_then(Value::scalar).unwrap_or(call.float("value", 0.0));
    for (i, axis) in axes.iter().enumerate() {
        let dim = dimension(*axis, x.rank())?;
        // A negative number removes elements.
        let side = |at: usize| -> Result<(usize, usize), Reason> {
            let n = pads.get(at).copied().ok_or("it has too few pads")?;
            let size = usize::try_from(n.unsigned_abs()).ok().filter(|n| *n < 1 << 20);
            let size = size.ok_or_else(|| Reason(format!("padding of {n} elements is not supported")))?;
            Ok(if n < 0 { (0, size) } else { (size, 0) })
        };
        let ((before, cut_before), (after, cut_after)) = (side(i)?, side(i + axes.len())?);
        if cut_before + cut_after > 0 {
            let len =
                x.shape()[dim].checked_sub(cut_before + cut_after).ok_or("it removes more elements than there are")?;
            x = importer.op(Op::Narrow { dim, start: cut_before, len }, &[&x])?;
        }
        if (before, after) == (0, 0) {
            continue;
        }
        let extent = x.shape()[dim] as i64;
        if extent == 0 {
            return Err("an empty dimension cannot be padded".into());
        }
        let positions = -(before as i64)..extent + after as i64;
        let source = |at: i64| match call.text("mode", "constant") {
            "reflect" => at.abs().min(2 * (extent - 1) - at.abs()),
            "wrap" => at.rem_euclid(extent.max(1)),
            _ => at.clamp(0, extent - 1),
        };
        x = match call.text("mode", "constant") {
            "constant" => importer.op(Op::Pad(Pad { dim, before, after, value }), &[&x])?,
            _ => {
                let indices = positions.map(|at| u32::try_from(source(at))).collect::<Result<Vec<_>, _>>()?;
                importer.op(Op::IndexSelect { dim, indices: indices.into() }, &[&x])?
            }
        };
    }
    Ok(x)
}

/// Moves blocks of pixels to channels, or back.
pub(super) fn blocks(importer: &mut Importer, call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.x()?;
    let size = usize::try_from(call.int("blocksize", 1))?.max(1);
    let &[b, c, h, w] = x.shape() else { return Err("only four dimensions are supported".into()) };
    let columns_last = call.text("mode", "DCR") == "CRD";
    let square = size.checked_mul(size).ok_or("a block that is too large")?;
    let (cut, order, after) = match call.node.op.as_str() {
        "SpaceToDepth" => (
            vec![b, c, h / size, size, w / size, size],
            vec![0, 3, 5, 1, 2, 4],
            vec![b, c * square, h / size, w / size],
        ),
        _ if columns_last => {
            (vec![b, c / square, size, size, h, w], vec![0, 1, 4, 2, 5, 3], vec![b, c / square, h * size, w * size])
        }
        _ => (vec![b, size, size, c / square, h, w], vec![0, 3, 4, 1, 5, 2], vec![b, c / square, h * size, w * size]),
    };
    let y = importer.reshape(x, &cut)?;
    let y = importer.op(Op::Permute(order), &[&y])?;
    let y = importer.reshape(&y, &after)?;
    Ok(importer.copy_axes(y, x))
}
