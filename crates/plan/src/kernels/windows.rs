use super::Kernel;
use crate::memory::Memory;
use crate::view::{BufferId, View};
use hard_imagenet_cpu::Activation;
use hard_imagenet_cpu::{self as cpu, average_pool, max_pool};
use hard_imagenet_cpu::{DepthwiseWeights, depthwise};
use hard_imagenet_cpu::{ImageView, Isa};
use std::ops::Range;
use std::sync::Arc;

/// Images in a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Images {
    pub(crate) image: ImageView,
    pub(crate) count: usize,
    /// The distance between images.
    pub(crate) stride: usize,
}

impl Images {
    /// Returns the images of a view `(B, C, H, W)` whose channels are neighbors.
    pub(crate) fn of(view: &View) -> Option<Self> {
        let [count, channels, height, width] = view.shape[..] else { return None };
        let [stride, channel, row, pixel] = view.strides[..] else { return None };
        let image = ImageView { start: view.start, height, width, channels, pixel, row };
        (channel == 1 || channels == 1).then_some(Self { image, count, stride })
    }

    fn at(&self, i: usize) -> ImageView {
        ImageView { start: self.image.start + i * self.stride, ..self.image }
    }
}

/// Divides images among parts, or the rows of one image if there are fewer images than parts. Returns the images and the rows
/// of each part.
fn divide(images: &Images, parts: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let (count, rows) = (images.count, images.image.height);
    let pieces = |n: usize| {
        let parts = parts.min(n).max(1);
        (0..parts).map(move |i| n * i / parts..n * (i + 1) / parts)
    };
    if count == 1 {
        pieces(rows).map(|rows| (0..1, rows)).collect()
    } else {
        pieces(count).map(|images| (images, 0..rows)).collect()
    }
}

/// A kernel that computes some rows of some images.
macro_rules! split_by_rows {
    () => {
        fn split(&self, parts: usize) -> Vec<Box<dyn Kernel>> {
            let part = |(images, rows)| Box::new(Self { images, rows, ..self.clone() }) as Box<dyn Kernel>;
            divide(&self.to, parts).into_iter().map(part).collect()
        }

        fn start(&self) -> usize {
            self.to.at(self.images.start).at(self.rows.start, 0) - self.shift
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
    pub(crate) from: Images,
    pub(crate) to: Images,
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
            let (from, mut to, rows) = (self.from.at(i), self.to.at(i), self.rows.clone());
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

    split_by_rows!();
}

/// A convolution whose groups have one channel each.
#[derive(Clone, Debug)]
pub(crate) struct Depthwise {
    pub(crate) isa: Isa,
    pub(crate) x: BufferId,
    pub(crate) from: Images,
    pub(crate) to: Images,
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
            let (from, mut to, rows) = (self.from.at(i), self.to.at(i), self.rows.clone());
            to.start = to.at(rows.start, 0) - self.shift;
            let Self { isa, stride, padding, dilation, activation, .. } = *self;
            depthwise(isa, x, from, y, to, &self.weights, stride, padding, dilation, activation, rows);
        }
    }

    fn reads(&self) -> Vec<BufferId> {
        vec![self.x]
    }

    split_by_rows!();
}
