//! Values as images: borders, pools and depthwise convolutions.

use super::Compiler;
use super::products::FoldedWeights;
use crate::PlanError;
use crate::fusion::Chain;
use crate::kernels::{self, PoolKind, images_of};
use crate::view::View;
use hard_imagenet_cpu::DepthwiseWeights;
use hard_imagenet_cpu::winograd::{self, WinogradWeights};
use hard_imagenet_cpu::{ImagesView, Pool};
use hard_imagenet_graph::{Conv2d, Pool2d};

/// Returns whether each channel is convolved by itself.
pub(super) fn is_depthwise(conv: &Conv2d) -> bool {
    conv.groups > 1 && conv.groups == conv.inputs && conv.groups == conv.outputs
}

/// Returns whether Winograd's method computes a convolution faster than a product. It depends on the shapes of an image and on
/// whether products are in bf16 only.
pub(super) fn is_winograd(conv: &Conv2d, output: &[usize], is_bf16: bool) -> bool {
    let simple = conv.kernel == (3, 3) && [conv.stride, conv.padding, conv.dilation, conv.groups] == [1; 4];
    // Transformed weights take eight times the memory of those in bf16. A few pixels are computed faster than they are read.
    let few_pixels = output[2] * output[3] < LEAST_PIXELS;
    simple && !(is_bf16 && few_pixels) && winograd::pays(conv.inputs, conv.outputs, output[2], output[3])
}

/// The least pixels for which Winograd's method is faster than a product in bf16.
const LEAST_PIXELS: usize = 100;

impl Compiler<'_> {
    /// Returns images whose channels are neighbors, copied if they are not.
    pub(super) fn channels_last(&mut self, i: usize, view: View) -> Result<View, PlanError> {
        if view.shape.len() != 4 {
            return Err(self.unsupported(i, "not an image"));
        }
        if view.strides[1] == 1 || view.shape[1] == 1 {
            return Ok(view);
        }
        self.copy_images(i, &view, 0)
    }

    /// Returns images whose channels are neighbors, with at least `border` zeros around them, copied if they are not so.
    pub(super) fn bordered(&mut self, i: usize, view: View, border: usize) -> Result<View, PlanError> {
        if view.border >= border {
            return self.channels_last(i, view);
        }
        if view.shape.len() != 4 {
            return Err(self.unsupported(i, "not an image"));
        }
        self.copy_images(i, &view, border)
    }

    fn copy_images(&mut self, i: usize, view: &View, border: usize) -> Result<View, PlanError> {
        let images = self.make_images(&view.shape, border);
        self.copy(i, view, &images)?;
        Ok(images)
    }

    pub(super) fn images(&self, i: usize, view: &View) -> Result<ImagesView, PlanError> {
        images_of(view).ok_or_else(|| self.unsupported(i, "channels that are not neighbors"))
    }

    pub(super) fn lower_pool(
        &mut self,
        i: usize,
        pool: Pool2d,
        count_padding: Option<bool>,
    ) -> Result<View, PlanError> {
        let x = self.value(self.graph.nodes()[i].inputs[0].index())?;
        let x = self.channels_last(i, x)?;
        let y = self.make_output(i);
        let (from, to) = (self.images(i, &x)?, self.images(i, &y)?);
        let kind = count_padding.map_or(PoolKind::Max, |count_padding| PoolKind::Average { count_padding });
        let (images, rows) = (0..to.count, 0..to.image.height);
        let pool = Pool { size: pool.size, stride: pool.stride, padding: pool.padding };
        let isa = self.isa;
        self.push(y.buffer, kernels::Pool { isa, x: x.buffer, from, to, pool, kind, images, rows, shift: 0 });
        Ok(y)
    }

    /// Adds a 3 × 3 convolution by Winograd's method.
    pub(super) fn lower_winograd(&mut self, i: usize, chain: &Chain, conv: Conv2d) -> Result<View, PlanError> {
        let x = self.value(self.graph.nodes()[chain.host].inputs[0].index())?;
        let x = self.bordered(i, x, 1)?;
        let (y, residual, residual_view) = self.make_chain_output(i, chain, &x)?;
        let (from, to) = (self.images(i, &x)?, self.images(i, &y)?);
        let added = residual_view.as_ref().map_or(Ok(to), |view| self.images(i, view))?;
        let weights = self.packed.winograd(chain.host, chain.scale, || {
            let FoldedWeights { weight, bias } = self.folded_weights(chain, conv.outputs)?;
            let at = |output: usize, ky: usize, kx: usize, input: usize| {
                weight[((output * conv.inputs + input) * 3 + ky) * 3 + kx]
            };
            Ok(WinogradWeights::pack(self.isa, conv.outputs, conv.inputs, at, bias.as_deref()))
        })?;
        let (images, rows, activation) = (0..to.count, 0..to.image.height, chain.activation);
        let x = x.buffer;
        self.push(
            y.buffer,
            kernels::Winograd { x, from, to, residual, added, weights, activation, images, rows, shift: 0 },
        );
        Ok(y)
    }

    pub(super) fn lower_depthwise(&mut self, i: usize, chain: &Chain, conv: Conv2d) -> Result<View, PlanError> {
        let host = &self.graph.nodes()[chain.host];
        let x = self.value(host.inputs[0].index())?;
        let x = self.channels_last(i, x)?;
        let y = self.make_output(i);
        let (from, to) = (self.images(i, &x)?, self.images(i, &y)?);
        let weights = self.packed.depthwise(chain.host, chain.scale, || {
            let folded = self.folded_weights(chain, conv.outputs)?;
            Ok(DepthwiseWeights::pack(&folded.weight, folded.bias.as_deref(), conv.kernel.0, conv.kernel.1))
        })?;
        let (images, rows) = (0..to.count, 0..to.image.height);
        let Conv2d { stride, padding, dilation, .. } = conv;
        let (isa, activation) = (self.isa, chain.activation);
        self.push(
            y.buffer,
            kernels::Depthwise {
                isa,
                x: x.buffer,
                from,
                to,
                weights,
                stride,
                padding,
                dilation,
                activation,
                images,
                rows,
                shift: 0,
            },
        );
        Ok(y)
    }
}
