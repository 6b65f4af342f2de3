//! Operations that move elements without computing.

use candle_core::{Result, Tensor};
use hard_imagenet_kernels as kernels;

type Shape = std::result::Result<Vec<usize>, String>;

/// The length of a dimension after a reshape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The length of the dimension at the same position before.
    Same,
    /// This length.
    Is(usize),
    /// Whatever is left. It may appear once in a reshape.
    Rest,
}

pub(super) fn reshape(x: &[usize], extents: &[Extent]) -> Shape {
    let mut shape: Vec<usize> = Vec::with_capacity(extents.len());
    let mut rest = None;
    for (i, extent) in extents.iter().enumerate() {
        shape.push(match extent {
            Extent::Same => *x.get(i).ok_or_else(|| format!("at least {} dimensions", i + 1))?,
            Extent::Is(n) => *n,
            Extent::Rest => {
                rest = Some(i);
                1
            }
        });
    }
    let (before, after) = (x.iter().product::<usize>(), shape.iter().product::<usize>());
    if let Some(i) = rest
        && after > 0
    {
        shape[i] = before / after;
    }
    if shape.iter().product::<usize>() == before {
        Ok(shape)
    } else {
        Err(format!("a number of elements that {extents:?} divides"))
    }
}

pub(super) fn permute(x: &[usize], order: &[usize]) -> Shape {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if sorted.iter().copied().eq(0..x.len()) {
        Ok(order.iter().map(|&dim| x[dim]).collect())
    } else {
        Err(format!("{} dimensions", order.len()))
    }
}

pub(super) fn narrow(x: &[usize], dim: usize, start: usize, len: usize) -> Shape {
    let mut shape = x.to_vec();
    match shape.get_mut(dim) {
        Some(extent) if start + len <= *extent => *extent = len,
        _ => return Err(format!("at least {} at dimension {dim}", start + len)),
    }
    Ok(shape)
}

pub(super) fn select(x: &[usize], dim: usize, index: usize) -> Shape {
    let mut shape = narrow(x, dim, index, 1)?;
    shape.remove(dim);
    Ok(shape)
}

pub(super) fn concat(inputs: &[&[usize]], dim: usize) -> Shape {
    let fail = || format!("values that differ at dimension {dim} only");
    let mut shape = inputs.first().filter(|first| dim < first.len()).ok_or_else(fail)?.to_vec();
    for other in &inputs[1..] {
        let same = other.len() == shape.len() && (0..shape.len()).all(|i| i == dim || other[i] == shape[i]);
        if !same {
            return Err(fail());
        }
        shape[dim] += other[dim];
    }
    Ok(shape)
}

pub(super) fn expand_batch(x: &[usize], like: &[usize]) -> Shape {
    match (x, like) {
        ([1, rest @ ..], [batch, ..]) => Ok([&[*batch], rest].concat()),
        _ => Err("a first value of batch size 1".into()),
    }
}

pub(super) fn index_select(x: &[usize], dim: usize, indices: &[u32]) -> Shape {
    let mut shape = x.to_vec();
    match shape.get_mut(dim) {
        Some(extent) if indices.iter().all(|i| (*i as usize) < *extent) => *extent = indices.len(),
        _ => return Err(format!("all of the indices at dimension {dim}")),
    }
    Ok(shape)
}

/// The attributes of padding along one dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pad {
    /// The dimension, counted from 0.
    pub dim: usize,
    /// The number of elements added before the first.
    pub before: usize,
    /// The number of elements added after the last.
    pub after: usize,
    /// The value of the added elements.
    pub value: f32,
}

impl Pad {
    pub(super) fn shape(&self, x: &[usize]) -> Shape {
        let mut shape = x.to_vec();
        *shape.get_mut(self.dim).ok_or_else(|| format!("a dimension {}", self.dim))? += self.before + self.after;
        Ok(shape)
    }

    pub(super) fn value(&self, x: &Tensor) -> Result<Tensor> {
        kernels::pad(x, self.dim, (self.before, self.after), self.value)
    }
}
