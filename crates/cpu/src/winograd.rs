//! 3 × 3 convolutions with a quarter of the multiplications: Winograd's F(4 × 4, 3 × 3).
//!
//! A tile of 4 × 4 outputs depends on 6 × 6 inputs d and on 3 × 3 weights g. It is Aᵀ ((G g Gᵀ) ⊙ (Bᵀ d B)) A: 36
//! multiplications for each pair of an input and an output channel, where the direct sum needs 144. The sums over the input
//! channels are 36 products of matrices, one for each place in the transformed patch. The transforms of inputs and outputs
//! need only additions and multiplications with small constants (Lavin and Gray, "Fast Algorithms for Convolutional Neural
//! Networks", 2016). The points at which the method evaluates polynomials are chosen for small errors.
//!
//! Each value is computed in one fixed order: a chain of fused multiply-adds over the channels between two transforms. Its bits
//! therefore depend on the 6 × 6 inputs of its tile only, not on other images, rows or the instruction set. The rounding error
//! is about twice that of the direct sum: 8e-7 of the outputs' standard deviation with 64 channels of noise, 2e-6 with 512.

use crate::Isa;
use crate::activation::{Activation, split};
use crate::aligned::Aligned;
use crate::arch::patch::{Added, P, PATCH, Q, SIDE, Square, transform_inputs, transform_outputs};
use crate::arch::tile::{Finish, Places, Start, Taps, Tile};
use crate::product::{PanelWidth, Residual};
use crate::simd::{LANES, Simd, Vectorized};
use crate::view::ImagesView;
use std::ops::Range;

/// The number of places in a patch, and so of matrices.
const MATRICES: usize = PATCH * PATCH;
/// The largest number of tiles in a block.
const MOST_TILES: usize = 32;

/// Returns whether [`winograd`] is faster than the direct sum for images of this size.
///
/// The answer depends on the shape only, so that a network computes the same bits for every number of images and on every
/// processor. Where it is yes, one image is computed up to 3.5 times as fast. The exception are very many channels: transformed
/// weights are four times as large as the others, and if they have to come from memory, as with 512 channels, it takes a few
/// images of 7 × 7 pixels until the method pays clearly.
pub fn pays(inputs: usize, outputs: usize, height: usize, width: usize) -> bool {
    // With fewer channels, a product has too few taps, or too few of its channels are used.
    let enough_channels = inputs >= LANES && outputs >= LANES;
    // Half of the outputs of all tiles must exist, which halves the multiplications at least.
    let tiles = height.div_ceil(SIDE) * width.div_ceil(SIDE);
    enough_channels && 2 * height * width >= tiles * SIDE * SIDE
}

/// Transformed weights of a 3 × 3 convolution, in the order in which the tile kernel reads them.
///
/// Output channels form panels as wide as a tile of the instruction set. A panel is `[36][inputs][width]`, so that all
/// weights stream through the caches in the order of their use.
#[derive(Clone, Debug)]
pub struct WinogradWeights {
    isa: Isa,
    inputs: usize,
    outputs: usize,
    values: Aligned,
    bias: Aligned,
}

impl WinogradWeights {
    /// Transforms the weights `weight(output, row, column, input)`, in `f64`, and packs them with what is added to the sums, one
    /// number for each output.
    ///
    /// # Panics
    /// Panics if the length of `bias` is not `outputs`, or if there are no inputs.
    pub fn pack(
        isa: Isa,
        outputs: usize,
        inputs: usize,
        weight: impl Fn(usize, usize, usize, usize) -> f32,
        bias: Option<&[f32]>,
    ) -> Self {
        assert!(inputs > 0, "a convolution without inputs");
        let widest = isa.vectorize(PanelWidth);
        let padded = outputs.next_multiple_of(LANES);
        let mut values = Aligned::zeros(MATRICES * inputs * padded);
        for output in 0..outputs {
            let first = output / widest * widest;
            let width = widest.min(padded - first);
            let panel = &mut values[MATRICES * inputs * first..][..MATRICES * inputs * width];
            for input in 0..inputs {
                let g = [0, 1, 2].map(|y| [0, 1, 2].map(|x| f64::from(weight(output, y, x, input))));
                for (matrix, value) in transform_weights(g).as_flattened().iter().enumerate() {
                    panel[(matrix * inputs + input) * width + output - first] = *value as f32;
                }
            }
        }
        let mut padded_bias = Aligned::zeros(padded);
        if let Some(bias) = bias {
            padded_bias[..outputs].copy_from_slice(bias);
        }
        Self { isa, inputs, outputs, values, bias: padded_bias }
    }

    /// Returns the number of floats of scratch memory that [`winograd`] needs.
    pub fn scratch_len(&self) -> usize {
        let layout = Layout::new(self.inputs, self.isa.vectorize(PanelWidth));
        layout.v_len() + layout.m_len()
    }

    /// Returns the number of bytes.
    pub fn bytes(&self) -> usize {
        4 * (self.values.len() + self.bias.len())
    }
}

/// Computes G g Gᵀ.
fn transform_weights(g: [[f64; 3]; 3]) -> [[f64; PATCH]; PATCH] {
    /// The row of a point x, whose square is not that of the other point.
    const fn row(x: f64, other: f64) -> [f64; 3] {
        let scale = 2.0 * x * x * (x * x - other * other);
        [1.0 / scale, x / scale, x * x / scale]
    }
    const POINTS: (f64, f64) = (P as f64, Q as f64);
    const G: [[f64; 3]; PATCH] = [
        [1.0 / (POINTS.0 * POINTS.0 * POINTS.1 * POINTS.1), 0.0, 0.0],
        row(POINTS.0, POINTS.1),
        row(-POINTS.0, POINTS.1),
        row(POINTS.1, POINTS.0),
        row(-POINTS.1, POINTS.0),
        [0.0, 0.0, 1.0],
    ];
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    G.map(|row| {
        let sums = [0, 1, 2].map(|x| dot(row, [g[0][x], g[1][x], g[2][x]]));
        G.map(|column| dot(column, sums))
    })
}

/// The images of a 3 × 3 convolution with stride 1, which have as many rows and columns after it as before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WinogradImages {
    /// The inputs. The pixels directly around each image are read too and must be zeros, or whatever the convolution pads with.
    pub from: ImagesView,
    /// The outputs, counted from the first row that is computed: `to.image.start` is the place of pixel (`rows.start`, 0).
    /// The output of a band of rows can so be a slice of its own.
    pub to: ImagesView,
    /// The values that are added, if there are any. `residual.image.start` is the place of pixel (0, 0), as for the inputs.
    pub residual: ImagesView,
    /// The rows that are computed. The first one is a multiple of 4, and so is the end unless it is the last row of the image.
    pub rows: Range<usize>,
}

impl WinogradImages {
    fn check(&self, weights: &WinogradWeights, residual: Residual<'_>) {
        let size = |v: &ImagesView| (v.count, v.image.height, v.image.width);
        assert_eq!(size(&self.from), size(&self.to), "the sizes of inputs and outputs");
        assert_eq!(self.from.image.channels, weights.inputs, "the number of input channels");
        assert_eq!(self.to.image.channels, weights.outputs, "the number of output channels");
        if let Residual::Values(_) = residual {
            assert_eq!(size(&self.residual), size(&self.to), "the sizes of the outputs and of what is added to them");
        }
        let Range { start, end } = self.rows;
        let height = self.from.image.height;
        assert!(start <= end && end <= height, "rows outside the image");
        assert!(start % SIDE == 0 && (end % SIDE == 0 || end == height), "rows that are no whole tiles");
        assert!(self.from.image.start >= self.from.image.row + self.from.image.pixel, "no border around the image");
    }

    /// Returns the numbers of rows and columns of tiles in an image.
    #[inline(always)]
    fn tiles(&self) -> (usize, usize) {
        (self.rows.len().div_ceil(SIDE), self.to.image.width.div_ceil(SIDE))
    }

    /// Returns the places of a tile. Tiles are counted through all images.
    #[inline(always)]
    fn place(&self, tile: usize) -> TilePlace {
        let (tile_rows, tile_columns) = self.tiles();
        let (n, row, column) =
            (tile / (tile_rows * tile_columns), tile / tile_columns % tile_rows * SIDE, tile % tile_columns * SIDE);
        let (from, to, residual) = (&self.from, &self.to, &self.residual);
        let above = self.rows.start + row;
        TilePlace {
            from: n * from.stride + from.image.at(above, column) - from.image.row - from.image.pixel,
            to: n * to.stride + to.image.at(row, column),
            residual: n * residual.stride + residual.image.at(above, column),
            patch: [PATCH.min(from.image.height + 2 - above), PATCH.min(from.image.width + 2 - column)],
            side: [SIDE.min(self.rows.len() - row), SIDE.min(to.image.width - column)],
        }
    }
}

/// Where a tile lies. At the right and lower borders, parts of tiles and patches lie beyond the image.
#[derive(Clone, Copy, Default)]
struct TilePlace {
    /// The place of the upper left pixel of the patch, which is one row above and one column before the tile.
    from: usize,
    /// The place of the tile's first output.
    to: usize,
    /// The place of what is added to it.
    residual: usize,
    /// The numbers of rows and columns of the patch that exist. The others are zeros.
    patch: [usize; 2],
    /// The numbers of rows and columns of the tile that exist. No others are stored.
    side: [usize; 2],
}

/// Where the transformed values of a block of tiles lie in the scratch memory.
///
/// The inputs V are `[36][tiles][channels]` and the sums M of one panel of output channels `[36][tiles][width]`. Both have
/// gaps: at distances of whole powers of two, the rows of a product and the 36 values that a transform stores would compete for
/// few places of the caches.
#[derive(Clone, Copy)]
struct Layout {
    /// The largest number of tiles in a block.
    tiles: usize,
    /// The distance between the inputs of neighboring tiles.
    v_tile: usize,
    /// The distance between the matrices of inputs.
    v_matrix: usize,
    /// The distance between the matrices of sums.
    m_matrix: usize,
}

impl Layout {
    fn new(inputs: usize, width: usize) -> Self {
        // Measured by `examples/winograd.rs`. Small blocks keep V and M near; large ones read the weights less often, which
        // counts more the larger these are. 64 channels have 0.6 MB of weights, 512 have 38 MB.
        let tiles = match inputs {
            0..192 => 14,
            192..384 => 16,
            _ => 32,
        };
        let odd_lines = |len: usize| (len.div_ceil(LANES) | 1) * LANES;
        let v_tile = odd_lines(inputs);
        Self { tiles, v_tile, v_matrix: odd_lines(tiles * v_tile), m_matrix: odd_lines(tiles * width) }
    }

    fn v_len(&self) -> usize {
        MATRICES * self.v_matrix
    }

    fn m_len(&self) -> usize {
        MATRICES * self.m_matrix
    }
}

/// Computes `y = activation(residual + Σ weights · x + bias)` for 3 × 3 weights around each pixel.
///
/// `scratch` has at least [`WinogradWeights::scratch_len`] floats, whose values do not matter. Nothing is allocated.
///
/// # Panics
/// Panics if the images do not fit each other, the weights or their slices, or if `scratch` is too short.
pub fn winograd(
    x: &[f32],
    weights: &WinogradWeights,
    images: &WinogradImages,
    residual: Residual<'_>,
    activation: Option<Activation>,
    y: &mut [f32],
    scratch: &mut [f32],
) {
    images.check(weights, residual);
    assert!(scratch.len() >= weights.scratch_len(), "too little scratch memory");
    weights.isa.vectorize(Winograd { x, weights, images, residual, activation, y, scratch });
}

struct Winograd<'a> {
    x: &'a [f32],
    weights: &'a WinogradWeights,
    images: &'a WinogradImages,
    residual: Residual<'a>,
    activation: Option<Activation>,
    y: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl Vectorized for Winograd<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { x, weights, images, residual, activation, y, scratch } = self;
        let (inputs, outputs) = (weights.inputs, weights.outputs);
        let widest = S::VECTORS * LANES;
        let layout = Layout::new(inputs, widest);
        let (v, m) = scratch.split_at_mut(layout.v_len());
        let transforms = Transforms { images, residual, activation, layout };

        let (tile_rows, tile_columns) = images.tiles();
        let tiles = images.to.count * tile_rows * tile_columns;
        let blocks = tiles.div_ceil(layout.tiles);
        let mut places = [TilePlace::default(); MOST_TILES];
        // A block of tiles, whose transformed inputs stay in the second-level cache. Blocks are about equally large, so that the
        // last one is not too small for full tiles of the products.
        for block in 0..blocks {
            let (first, end) = (tiles * block / blocks, tiles * (block + 1) / blocks);
            let places = &mut places[..end - first];
            for (i, place) in places.iter_mut().enumerate() {
                *place = images.place(first + i);
            }
            for (i, place) in places.iter().enumerate() {
                let next = images.place((first + i + 1).min(tiles - 1));
                transforms.inputs(s, x, (place, &next), (&mut *v, i * layout.v_tile));
            }
            // All output channels, one panel of weights after the other. The weights come from the second- or third-level cache,
            // once for all tiles of the block.
            for channel in (0..outputs).step_by(widest) {
                let width = widest.min(outputs.next_multiple_of(LANES) - channel);
                let panel = &weights.values[MATRICES * inputs * channel..][..MATRICES * inputs * width];
                let bias = &weights.bias[channel..channel + width];
                multiply(s, v, panel, &layout, places.len(), width, m);
                // The sums of the panel are still in the first- or second-level cache.
                for (i, place) in places.iter().enumerate() {
                    let next = &places[(i + 1).min(places.len() - 1)];
                    transforms.outputs(s, (&*m, i * width), (channel, bias), (place, next), y);
                }
            }
        }
    }
}

/// Computes the 36 products of transformed inputs with one panel of weights.
#[inline(always)]
fn multiply<S: Simd>(s: S, v: &[f32], panel: &[f32], layout: &Layout, tiles: usize, width: usize, m: &mut [f32]) {
    let inputs = panel.len() / (MATRICES * width);
    let groups = tiles.div_ceil(S::STRIP * S::STRIPS);
    // One matrix after the other: its weights stay in the first-level cache ..
    for (matrix, weights) in panel.chunks_exact(inputs * width).enumerate() {
        // .. while groups of tiles pass, as many in each as the tile kernel has sums for, or about equally fewer.
        for group in 0..groups {
            let (first, end) = (tiles * group / groups, tiles * (group + 1) / groups);
            let places = |start: usize, distance: usize| Places {
                strips: std::array::from_fn(|strip| start + (first + strip * S::STRIP) * distance),
                pixel: distance,
            };
            let tile = Tile {
                pixels: end - first,
                x: v,
                from: places(matrix * layout.v_matrix, layout.v_tile),
                taps: Taps { offsets: &[0], run: inputs },
                weights,
                bias: None,
                start: Start::Zero,
                finish: Finish::Nothing,
                channels: width,
                y: m,
                to: places(matrix * layout.m_matrix, width),
            };
            s.tile(tile, width < S::VECTORS * LANES);
        }
    }
}

/// Loads the first vector of a slice, filled up with zeros.
#[inline(always)]
fn load_some<S: Simd>(s: S, from: &[f32]) -> S::F32 {
    if let Some(from) = from.first_chunk() {
        return s.load(from);
    }
    let mut lanes = [0.0; LANES];
    lanes[..from.len()].copy_from_slice(from);
    s.load(&lanes)
}

/// Stores as many lanes of a vector as the slice has.
#[inline(always)]
fn store_some<S: Simd>(s: S, x: S::F32, to: &mut [f32]) {
    if let Some(to) = to.first_chunk_mut() {
        return s.store(x, to);
    }
    let mut lanes = [0.0; LANES];
    s.store(x, &mut lanes);
    to.copy_from_slice(&lanes[..to.len()]);
}

/// The steps before and after the products.
#[derive(Clone, Copy)]
struct Transforms<'a> {
    images: &'a WinogradImages,
    residual: Residual<'a>,
    activation: Option<Activation>,
    layout: Layout,
}

impl Transforms<'_> {
    /// Computes and stores Bᵀ d B for all channels of a tile's patch.
    #[inline(always)]
    fn inputs<S: Simd>(
        &self,
        s: S,
        x: &[f32],
        (place, next): (&TilePlace, &TilePlace),
        (v, start): (&mut [f32], usize),
    ) {
        let image = &self.images.from.image;
        let square = |place: &TilePlace| Square { start: place.from, row: image.row, pixel: image.pixel };
        let (from, next) = (square(place), square(next));
        let matrix = self.layout.v_matrix;
        let to = Square { start, row: PATCH * matrix, pixel: matrix };
        let [rows, columns] = place.patch;
        let whole = if [rows, columns] == [PATCH; 2] { image.channels / LANES } else { 0 };
        if whole > 0 {
            transform_inputs(s, whole, (x, from, next), (v, to));
        }
        // Patches that reach beyond the image, and channels that do not fill a vector, go through a patch with zeros.
        for channel in (whole * LANES..image.channels).step_by(LANES) {
            let mut patch = [[[0.0; LANES]; PATCH]; PATCH];
            let count = LANES.min(image.channels - channel);
            for (i, row) in patch[..rows].iter_mut().enumerate() {
                for (j, pixel) in row[..columns].iter_mut().enumerate() {
                    let x = &x[from.at(i, j) + channel..][..count];
                    s.store(load_some(s, x), pixel);
                }
            }
            let dense = Square { start: 0, row: PATCH * LANES, pixel: LANES };
            transform_inputs(s, 1, (patch.as_flattened().as_flattened(), dense, dense), (v, to.shifted(channel)));
        }
    }

    /// Computes Aᵀ m A for the channels of a panel, adds what is to be added, and stores the pixels that exist.
    #[inline(always)]
    fn outputs<S: Simd>(
        &self,
        s: S,
        (m, start): (&[f32], usize),
        (channel, bias): (usize, &[f32]),
        (place, next): (&TilePlace, &TilePlace),
        y: &mut [f32],
    ) {
        let image = &self.images.to.image;
        let residual = &self.images.residual.image;
        let square = |place: &TilePlace| Square { start: place.to + channel, row: image.row, pixel: image.pixel };
        let (to, next) = (square(place), square(next));
        let matrix = self.layout.m_matrix;
        let from = Square { start, row: PATCH * matrix, pixel: matrix };
        let (bounds, after) = split(s, self.activation);
        let added_at = Square { start: place.residual + channel, row: residual.row, pixel: residual.pixel };
        let channels = bias.len().min(image.channels - channel);
        let [rows, columns] = place.side;
        let whole = if [rows, columns] == [SIDE; 2] { channels / LANES } else { 0 };
        if whole > 0 {
            let added = match self.residual {
                Residual::None => Added::Nothing,
                Residual::Output => Added::Output,
                Residual::Values(values) => Added::Values(values, added_at),
            };
            transform_outputs(s, whole, (m, from), added, bias, bounds, (y, to, next));
        }
        // Tiles that reach beyond the image, and channels that do not fill a vector, go through a tile of their own.
        for first in (whole * LANES..channels).step_by(LANES) {
            let mut tile = [[[0.0; LANES]; SIDE]; SIDE];
            let count = LANES.min(channels - first);
            let pixels = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
            for (i, j) in pixels.clone() {
                let added = match self.residual {
                    Residual::None => continue,
                    Residual::Output => &y[to.at(i, j) + first..][..count],
                    Residual::Values(values) => &values[added_at.at(i, j) + first..][..count],
                };
                s.store(load_some(s, added), &mut tile[i][j]);
            }
            let added = if let Residual::None = self.residual { Added::Nothing } else { Added::Output };
            let dense = Square { start: 0, row: SIDE * LANES, pixel: LANES };
            let flat = tile.as_flattened_mut().as_flattened_mut();
            transform_outputs(s, 1, (m, from.shifted(first)), added, &bias[first..], bounds, (flat, dense, dense));
            for (i, j) in pixels {
                store_some(s, s.load(&tile[i][j]), &mut y[to.at(i, j) + first..][..count]);
            }
        }
        if let Some(activation) = after {
            for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                activation.apply_to_row(s, &mut y[to.at(i, j)..][..channels]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Stream, normals};
    use crate::testing::assert_same_bits;
    use crate::view::ImageView;

    /// A convolution of images that lie apart, with pixels that lie apart, in slices that hold NaN everywhere else.
    struct Case {
        count: usize,
        height: usize,
        width: usize,
        inputs: usize,
        outputs: usize,
    }

    /// Puts the values of dense images in their places in a slice of NaN.
    fn scatter(values: &[f32], view: &ImagesView, len: usize) -> Vec<f32> {
        let mut slice = vec![f32::NAN; len];
        let image = &view.image;
        for (i, pixel) in values.chunks_exact(image.channels).enumerate() {
            let (n, rest) = (i / (image.height * image.width), i % (image.height * image.width));
            let at = n * view.stride + image.at(rest / image.width, rest % image.width);
            slice[at..][..image.channels].copy_from_slice(pixel);
        }
        slice
    }

    /// Inverts [`scatter`].
    fn gather(slice: &[f32], view: &ImagesView) -> Vec<f32> {
        let image = &view.image;
        let mut values = Vec::new();
        for n in 0..view.count {
            for (y, x) in (0..image.height).flat_map(|y| (0..image.width).map(move |x| (y, x))) {
                values.extend_from_slice(&slice[n * view.stride + image.at(y, x)..][..image.channels]);
            }
        }
        values
    }

    impl Case {
        /// Describes images with `border` pixels around each. A pixel is followed by `gap` unused floats.
        fn view(&self, channels: usize, border: usize, gap: usize) -> ImagesView {
            let pixel = channels + gap;
            let row = (self.width + 2 * border) * pixel;
            let start = border * (row + pixel);
            let image = ImageView { start, height: self.height, width: self.width, channels, pixel, row };
            ImagesView { image, count: self.count, stride: (self.height + 2 * border) * row + 5 }
        }

        fn weight(&self) -> impl Fn(usize, usize, usize, usize) -> f32 {
            let values = normals(Stream::new(1), self.outputs * 9 * self.inputs);
            let inputs = self.inputs;
            move |o, y, x, c| values[((o * 3 + y) * 3 + x) * inputs + c]
        }

        fn bias(&self) -> Vec<f32> {
            normals(Stream::new(2), self.outputs)
        }

        /// Returns the inputs with their border of zeros, and NaN beyond.
        fn x(&self) -> (ImagesView, Vec<f32>) {
            let view = self.view(self.inputs, 2, 1);
            let around = ImagesView {
                image: ImageView {
                    start: view.image.start - view.image.row - view.image.pixel,
                    height: self.height + 2,
                    width: self.width + 2,
                    ..view.image
                },
                ..view
            };
            let dense = normals(Stream::new(3), self.count * self.height * self.width * self.inputs);
            // The last image ends with its border, so that nothing beyond can be read.
            let len = (self.count - 1) * view.stride + around.image.at(self.height + 1, self.width + 1) + self.inputs;
            let inside = scatter(&dense, &view, len);
            let zeros =
                scatter(&vec![0.0; self.count * (self.height + 2) * (self.width + 2) * self.inputs], &around, len);
            let x = inside.iter().zip(&zeros).map(|(inside, zero)| if inside.is_nan() { *zero } else { *inside });
            (view, x.collect())
        }

        fn run(&self, isa: Isa, residual: bool, activation: Option<Activation>) -> Vec<f32> {
            let (from, x) = self.x();
            let to = self.view(self.outputs, 0, 3);
            let len = self.count * to.stride;
            let added = self.view(self.outputs, 1, 0);
            let r = normals(Stream::new(4), self.count * self.height * self.width * self.outputs);
            let weights = WinogradWeights::pack(isa, self.outputs, self.inputs, self.weight(), Some(&self.bias()));
            let mut scratch = vec![f32::NAN; weights.scratch_len()];
            let images = WinogradImages { from, to, residual: added, rows: 0..self.height };

            let values = scatter(&r, &added, self.count * added.stride);
            let what = if residual { Residual::Values(&values) } else { Residual::None };
            let mut y = vec![f32::NAN; len];
            winograd(&x, &weights, &images, what, activation, &mut y, &mut scratch);
            let want = gather(&y, &to);
            let stored = y.iter().filter(|y| !y.is_nan()).count();
            assert_eq!(stored, want.len(), "something was written between the pixels");

            if residual {
                let mut y = scatter(&r, &to, len);
                winograd(&x, &weights, &images, Residual::Output, activation, &mut y, &mut scratch);
                assert_same_bits(&gather(&y, &to), &want);
            }

            // Image by image, and each of them in bands.
            let mut y = vec![f32::NAN; len];
            for n in 0..self.count {
                for start in (0..self.height).step_by(2 * SIDE) {
                    let rows = start..self.height.min(start + 2 * SIDE);
                    let single = |mut view: ImagesView| {
                        view.image.start += n * view.stride;
                        view.count = 1;
                        view
                    };
                    let mut band = single(to);
                    let first = band.image.at(start, 0);
                    band.image.start = 0;
                    let images = WinogradImages { from: single(from), to: band, residual: single(added), rows };
                    winograd(&x, &weights, &images, what, activation, &mut y[first..], &mut scratch);
                }
            }
            assert_same_bits(&gather(&y, &to), &want);
            want
        }

        fn check(&self, residual: bool, activation: Option<Activation>) {
            let want = self.run(Isa::Portable, residual, activation);
            for isa in Isa::available() {
                assert_same_bits(&self.run(isa, residual, activation), &want);
            }
        }

        /// Computes some outputs by the definition of a convolution.
        fn check_error(&self) {
            let (from, x) = self.x();
            let got = self.run(Isa::best(), false, None);
            let (weight, bias) = (self.weight(), self.bias());
            let mut errors = Vec::new();
            let mut squares = 0.0;
            for (i, got) in got.iter().enumerate().step_by(7) {
                let (o, pixel) = (i % self.outputs, i / self.outputs);
                let (n, y0, x0) =
                    (pixel / (self.height * self.width), pixel / self.width % self.height, pixel % self.width);
                let mut sum = f64::from(bias[o]);
                for (ky, kx) in (0..3).flat_map(|ky| (0..3).map(move |kx| (ky, kx))) {
                    let at = n * from.stride + from.image.at(y0 + ky, x0 + kx) - from.image.row - from.image.pixel;
                    for c in 0..self.inputs {
                        sum += f64::from(x[at + c]) * f64::from(weight(o, ky, kx, c));
                    }
                }
                errors.push((f64::from(*got) - sum).abs());
                squares += sum * sum;
            }
            let deviation = (squares / errors.len() as f64).sqrt();
            let worst = errors.iter().fold(0.0, |a: f64, b| a.max(*b)) / deviation;
            let rms = (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt() / deviation;

            assert!(worst < 1e-5 && rms < 2.5e-6, "{worst:e} at worst, {rms:e} on average");
        }
    }

    #[test]
    fn convolutions_are_close_to_their_definition() {
        Case { count: 1, height: 9, width: 6, inputs: 64, outputs: 48 }.check_error();
        Case { count: 2, height: 7, width: 7, inputs: 512, outputs: 32 }.check_error();
    }

    #[test]
    fn every_instruction_set_and_division_computes_the_same_bits() {
        Case { count: 3, height: 14, width: 14, inputs: 64, outputs: 64 }.check(false, None);
        Case { count: 1, height: 28, width: 20, inputs: 16, outputs: 48 }.check(true, Some(Activation::Relu));
        Case { count: 5, height: 7, width: 9, inputs: 19, outputs: 37 }.check(true, Some(Activation::Clamp(-1.0, 6.0)));
        Case { count: 2, height: 5, width: 1, inputs: 3, outputs: 1 }.check(true, Some(Activation::Gelu));
        Case { count: 1, height: 13, width: 8, inputs: 200, outputs: 33 }.check(true, Some(Activation::Silu));
    }

    #[test]
    #[should_panic(expected = "no border")]
    fn inputs_without_a_border_are_refused() {
        let weights = WinogradWeights::pack(Isa::best(), 1, 1, |_, _, _, _| 1.0, None);
        let dense = ImagesView { image: ImageView::dense(4, 4, 1), count: 1, stride: 16 };
        let images = WinogradImages { from: dense, to: dense, residual: dense, rows: 0..4 };
        let mut scratch = vec![0.0; weights.scratch_len()];
        winograd(&[0.0; 16], &weights, &images, Residual::None, None, &mut [0.0; 16], &mut scratch);
    }

    #[test]
    fn small_images_and_few_channels_do_not_pay() {
        assert!(pays(64, 64, 56, 56) && pays(512, 512, 7, 7));
        assert!(!pays(3, 64, 224, 224) && !pays(64, 8, 56, 56) && !pays(64, 64, 1, 56));
    }
}
