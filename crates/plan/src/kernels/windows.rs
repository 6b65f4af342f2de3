use super::{Kernel, ResidualFrom};
use crate::memory::Memory;
use crate::view::{BufferId, View};
use hard_imagenet_cpu::Activation;
use hard_imagenet_cpu::product::Residual;
use hard_imagenet_cpu::winograd::{WinogradImages, WinogradWeights, winograd};
use hard_imagenet_cpu::{self as cpu, average_pool, max_pool};
use hard_imagenet_cpu::{DepthwiseWeights, depthwise};
use hard_imagenet_cpu::{ImageView, ImagesView, Isa};
use std::ops::Range;
use std::sync::Arc;

/// Returns the images of a view `(B, C, H, W)` whose channels are neighbors.
pub(crate) fn images_of(view: &View) -> Option<ImagesView> {
    let [count, channels, height, width] = view.shape[..] else { return None };
    let [stride, channel, row, pixel] = view.strides[..] else { return None };
    let image = ImageView { start: view.start, height, width, channels, pixel, row };
    (channel == 1 || channels == 1).then_some(ImagesView { image, count, stride })
}

/// Returns one of the images.
fn image(images: &ImagesView, i: usize) -> ImageView {
    ImageView { start: images.image.start + i * images.stride, ..images.image }
}

/// Divides images among parts, or the rows of one image if there are fewer images than parts. Returns the images and the rows
/// of each part, which start at multiples of `step`.
fn divide(images: &ImagesView, parts: usize, step: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let (count, rows) = (images.count, images.image.height);
    let pieces = |n: usize| {
        let parts = parts.min(n).max(1);
        (0..parts).map(move |i| n * i / parts..n * (i + 1) / parts)
    };
    if count == 1 {
        let bands = pieces(rows.div_ceil(step));
        bands.map(|band| (0..1, band.start * step..(band.end * step).min(rows))).collect()
    } else {
        pieces(count).map(|images| (images, 0..rows)).collect()
    }
}

/// A kernel that computes some rows of some images.
macro_rules! split_by_rows {
    ($step:expr) => {
        fn split(&self, parts: usize) -> Vec<Box<dyn Kernel>> {
            let part = |(images, rows)| Box::new(Self { images, rows, ..self.clone() }) as Box<dyn Kernel>;
            divide(&self.to, parts, $step).into_iter().map(part).collect()
        }

        fn start(&self) -> usize {
            image(&self.to, self.images.start).at(self.rows.start, 0) - self.shift
        }

        fn shift(&mut self, by: usize) {
            self.shift += by;
        }
    };
}

/// The function of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolKind {
    Max,
    Average { count_padding: bool },
}

/// A pool.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) isa: Isa,
    pub(crate) x: BufferId,
    pub(crate) from: ImagesView,
    pub(crate) to: ImagesView,
    pub(crate) pool: cpu::Pool,
    pub(crate) kind: PoolKind,
    pub(crate) images: Range<usize>,
    pub(crate) rows: Range<usize>,
    /// Where the slice of the output starts in its buffer.
    pub(crate) shift: usize,
}

impl Kernel for Pool {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        let x = memory.read(self.x);
        for i in self.images.clone() {
            let (from, mut to, rows) = (image(&self.from, i), image(&self.to, i), self.rows.clone());
            to.start = to.at(rows.start, 0) - self.shift;
            match self.kind {
                PoolKind::Max => max_pool(self.isa, x, from, y, to, self.pool, rows),
                PoolKind::Average { count_padding } => {
                    average_pool(self.isa, x, from, y, to, self.pool, count_padding, rows);
                }
            }
        }
    }

    fn reads(&self) -> Vec<BufferId> {
        vec![self.x]
    }

    split_by_rows!(1);
}

/// A convolution whose groups have one channel each.
#[derive(Clone, Debug)]
pub(crate) struct Depthwise {
    pub(crate) isa: Isa,
    pub(crate) x: BufferId,
    pub(crate) from: ImagesView,
    pub(crate) to: ImagesView,
    pub(crate) weights: Arc<DepthwiseWeights>,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) dilation: usize,
    pub(crate) activation: Option<Activation>,
    pub(crate) images: Range<usize>,
    pub(crate) rows: Range<usize>,
    /// Where the slice of the output starts in its buffer.
    pub(crate) shift: usize,
}

impl Kernel for Depthwise {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        let x = memory.read(self.x);
        for i in self.images.clone() {
            let (from, mut to, rows) = (image(&self.from, i), image(&self.to, i), self.rows.clone());
            to.start = to.at(rows.start, 0) - self.shift;
            let Self { isa, stride, padding, dilation, activation, .. } = *self;
            depthwise(isa, x, from, y, to, &self.weights, stride, padding, dilation, activation, rows);
        }
    }

    fn reads(&self) -> Vec<BufferId> {
        vec![self.x]
    }

    split_by_rows!(1);
}

/// A 3 × 3 convolution by Winograd's method, with residual, bias and activation.
#[derive(Clone, Debug)]
pub(crate) struct Winograd {
    pub(crate) x: BufferId,
    /// The inputs, with a border of zeros.
    pub(crate) from: ImagesView,
    pub(crate) to: ImagesView,
    pub(crate) residual: ResidualFrom,
    pub(crate) added: ImagesView,
    pub(crate) weights: Arc<WinogradWeights>,
    pub(crate) activation: Option<Activation>,
    pub(crate) images: Range<usize>,
    pub(crate) rows: Range<usize>,
    /// Where the slice of the output starts in its buffer.
    pub(crate) shift: usize,
}

/// The number of rows of a tile.
const TILE: usize = 4;

impl Kernel for Winograd {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], scratch: &mut [f32]) {
        let some = |all: &ImagesView| ImagesView {
            image: image(all, self.images.start),
            count: self.images.len(),
            stride: all.stride,
        };
        let mut to = some(&self.to);
        to.image.start = to.image.at(self.rows.start, 0) - self.shift;
        let (residual, added) = match self.residual {
            ResidualFrom::None => (Residual::None, to),
            ResidualFrom::Output => (Residual::Output, to),
            ResidualFrom::Buffer(id) => (Residual::Values(memory.read(id)), some(&self.added)),
        };
        let images = WinogradImages { from: some(&self.from), to, residual: added, rows: self.rows.clone() };
        winograd(memory.read(self.x), &self.weights, &images, residual, self.activation, y, scratch);
    }

    fn reads(&self) -> Vec<BufferId> {
        let residual = if let ResidualFrom::Buffer(id) = self.residual { Some(id) } else { None };
        std::iter::once(self.x).chain(residual).collect()
    }

    fn scratch(&self) -> usize {
        self.weights.scratch_len()
    }

    split_by_rows!(TILE);
}
