use super::{Kernel, split_by_loops};
use crate::loops::Loops;
use crate::memory::Memory;
use crate::view::{BufferId, View};

/// Copies elements to another order.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) x: BufferId,
    /// The output and the input.
    pub(crate) loops: Loops<2>,
}

impl Kernel for Copy {
    fn run(&self, memory: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        let x = memory.read(self.x);
        copy(&self.loops, x, y);
    }

    fn reads(&self) -> Vec<BufferId> {
        vec![self.x]
    }

    split_by_loops!();
}

/// Copies what the loops visit.
pub(crate) fn copy(loops: &Loops<2>, x: &[f32], y: &mut [f32]) {
    let run = loops.run;
    match loops.steps {
        [1, 1] => loops.for_each(|[to, from]| y[to..to + run].copy_from_slice(&x[from..from + run])),
        [1, 0] => loops.for_each(|[to, from]| y[to..to + run].fill(x[from])),
        [1, step] => loops.for_each(|[to, from]| {
            let from = x[from..].iter().step_by(step);
            y[to..to + run].iter_mut().zip(from).for_each(|(y, x)| *y = *x);
        }),
        [to_step, from_step] => loops.for_each(|[to, from]| {
            for i in 0..run {
                y[to + i * to_step] = x[from + i * from_step];
            }
        }),
    }
}

/// Writes zeros around each image, where windows reach beyond it.
#[derive(Clone, Debug)]
pub(crate) struct ClearBorder {
    pub(crate) images: View,
}

impl Kernel for ClearBorder {
    fn run(&self, _: &Memory<'_>, y: &mut [f32], _: &mut [f32]) {
        let View { shape, strides, border, .. } = &self.images;
        let [images, _, height, width] = shape[..] else { return };
        let pixel = strides[3];
        let (pitch, above) = (strides[2], border * strides[2]);
        for image in y.chunks_exact_mut(strides[0]).take(images) {
            image[..above].fill(0.0);
            image[above + height * pitch..].fill(0.0);
            for row in image[above..above + height * pitch].chunks_exact_mut(pitch) {
                row[..border * pixel].fill(0.0);
                row[(border + width) * pixel..].fill(0.0);
            }
        }
    }

    fn reads(&self) -> Vec<BufferId> {
        Vec::new()
    }

    fn split(&self, _: usize) -> Vec<Box<dyn Kernel>> {
        vec![Box::new(self.clone())]
    }

    fn start(&self) -> usize {
        0
    }

    fn shift(&mut self, _: usize) {}
}
