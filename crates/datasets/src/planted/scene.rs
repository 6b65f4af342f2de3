//! The surroundings: eight procedural scenes.

use super::draws::{Draws, lattice};

/// A scene around the object. Scene `k` belongs to class `k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scene {
    /// Soft, slanted, parallel bands.
    Stripes,
    /// A woven check pattern.
    Gingham,
    /// Discs on a staggered lattice.
    Dots,
    /// Circles around a point.
    Ripples,
    /// Soft fractal noise.
    Clouds,
    /// Short fibers along two directions.
    Linen,
    /// Overlapping fans.
    Scales,
    /// Ridges one behind another.
    Hills,
}

impl Scene {
    /// All scenes in the order of their classes.
    pub const ALL: [Self; 8] =
        [Self::Stripes, Self::Gingham, Self::Dots, Self::Ripples, Self::Clouds, Self::Linen, Self::Scales, Self::Hills];

    /// Returns the name for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stripes => "stripes",
            Self::Gingham => "gingham",
            Self::Dots => "dots",
            Self::Ripples => "ripples",
            Self::Clouds => "clouds",
            Self::Linen => "linen",
            Self::Scales => "scales",
            Self::Hills => "hills",
        }
    }
}

/// A scene with drawn parameters.
pub(super) struct Backdrop {
    scene: Scene,
    /// The number of repetitions across the image.
    frequency: f32,
    /// The origin of the pattern.
    origin: (f32, f32),
    /// The direction of the pattern, of length 1.
    axis: (f32, f32),
    /// The key of the noise, for scenes that use it.
    key: u32,
    /// The width of a soft edge: a fixed length, but at least a pixel, to avoid aliasing.
    soft: f32,
}

impl Backdrop {
    pub(super) fn draw(scene: Scene, draws: &mut Draws, size: usize) -> Self {
        let origin = (draws.range(0.0, 1.0), draws.range(0.0, 1.0));
        let (low, high) = match scene {
            Scene::Stripes => (5.0, 8.0),
            Scene::Gingham => (4.5, 6.5),
            Scene::Dots => (5.0, 7.5),
            Scene::Ripples => (6.0, 9.0),
            Scene::Clouds => (2.2, 3.4),
            Scene::Linen => (26.0, 32.0),
            Scene::Scales => (4.0, 6.0),
            Scene::Hills => (1.0, 1.8),
        };
        let frequency = draws.range(low, high);
        // A slope between 0.6 and 1.4 to either side, scaled to length 1.
        let slope = if draws.coin() { draws.range(0.6, 1.4) } else { -draws.range(0.6, 1.4) };
        let norm = (1.0 + slope * slope).sqrt();
        let axis = (1.0 / norm, slope / norm);
        let key = draws.bits() as u32;
        Self { scene, frequency, origin, axis, key, soft: (1.0 / size as f32).max(0.012) }
    }

    /// Returns the tone at a point of the unit square, from 0 (the dark end of the palette) to 1 (the light end).
    pub(super) fn tone(&self, x: f32, y: f32) -> f32 {
        let (f, soft) = (self.frequency, self.soft * self.frequency);
        let (px, py) = (x - self.origin.0, y - self.origin.1);
        match self.scene {
            Scene::Stripes => step(wave((px * self.axis.0 + py * self.axis.1) * f) - 0.5, 2.0 * soft),
            Scene::Gingham => {
                let across = step(wave(px * f) - 0.5, 2.0 * soft);
                let down = step(wave(py * f) - 0.5, 2.0 * soft);
                0.5 * (across + down)
            }
            Scene::Dots => {
                let row = (py * f).floor();
                let shift = if row - 2.0 * (row / 2.0).floor() > 0.5 { 0.5 } else { 0.0 };
                let (u, v) = (fraction(px * f + shift) - 0.5, fraction(py * f) - 0.5);
                step(0.3 - (u * u + v * v).sqrt(), soft)
            }
            Scene::Ripples => {
                let t = wave((px * px + py * py).sqrt() * f);
                t * t * (3.0 - 2.0 * t)
            }
            Scene::Clouds => {
                let (mut sum, mut amplitude, mut scale) = (0.0, 0.54, f);
                for octave in 0..4 {
                    sum += amplitude * noise(self.key.wrapping_add(octave), x * scale, y * scale);
                    amplitude *= 0.5;
                    scale *= 2.0;
                }
                step(sum - 0.5, 0.55)
            }
            Scene::Linen => {
                let warp = noise(self.key, x * f, y * f * 0.16);
                let weft = noise(self.key.wrapping_add(1), x * f * 0.16, y * f);
                step(0.5 * (warp + weft) - 0.5, 0.6)
            }
            Scene::Scales => self.scales(px * f, py * f, soft),
            Scene::Hills => self.hills(x, y, f),
        }
    }

    /// Draws fans of concentric arcs. Each row of fans hides the lower part of the row behind it.
    fn scales(&self, u: f32, v: f32, soft: f32) -> f32 {
        // Rows are half a diameter apart. The lowest row whose disc contains the point is in front.
        let row = (2.0 * v).floor();
        for ahead in [1.0f32, 0.0, -1.0] {
            let r = row + ahead;
            let shift = if r - 2.0 * (r / 2.0).floor() > 0.5 { 0.5 } else { 0.0 };
            let du = fraction(u + shift) - 0.5;
            let dv = v - (0.5 * r + 0.5);
            let distance = (du * du + dv * dv).sqrt();
            if distance < 0.5 {
                let rim = step(distance - 0.42, soft);
                let arc = step(distance - 0.26, soft) * (1.0 - step(distance - 0.34, soft));
                return (0.25 + 0.75 * distance - 0.25 * arc) * (1.0 - rim) + rim;
            }
        }
        1.0
    }

    /// Draws five ridges. Each is lighter than the one in front of it and darkens toward its crest.
    fn hills(&self, x: f32, y: f32, f: f32) -> f32 {
        let mut tone = 1.0 - 0.25 * y;
        for ridge in 0..5u32 {
            let depth = ridge as f32;
            let key = self.key.wrapping_add(ridge);
            let relief = noise(key, (x + depth) * f * 2.0, 0.0) + 0.4 * noise(key, (x + depth) * f * 5.0, 9.0);
            let crest = 0.08 + 0.19 * depth + 0.13 * (relief - 0.7);
            let below = y - crest;
            let cover = step(below, self.soft);
            let shade = 0.80 - 0.19 * depth + 0.9 * below.clamp(0.0, 0.16);
            tone = tone * (1.0 - cover) + shade * cover;
        }
        tone.clamp(0.0, 1.0)
    }
}

/// Returns x modulo 1, in [0, 1).
fn fraction(x: f32) -> f32 {
    x - x.floor()
}

/// Returns a triangle wave of period 1 between 0 and 1, which replaces a sine because its arithmetic is exact.
fn wave(x: f32) -> f32 {
    (2.0 * fraction(x) - 1.0).abs()
}

/// Returns a smooth step from 0 to 1 over `width` around 0.
fn step(x: f32, width: f32) -> f32 {
    let t = (x / width + 0.5).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Returns value noise in [0, 1): random values on the integer lattice, smoothly interpolated.
fn noise(key: u32, x: f32, y: f32) -> f32 {
    let (x0, y0) = (x.floor(), y.floor());
    let (ix, iy) = (x0 as i32, y0 as i32);
    let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
    let (u, v) = (smooth(x - x0), smooth(y - y0));
    let above = lattice(key, ix, iy) * (1.0 - u) + lattice(key, ix + 1, iy) * u;
    let below = lattice(key, ix, iy + 1) * (1.0 - u) + lattice(key, ix + 1, iy + 1) * u;
    above * (1.0 - v) + below * v
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_cover_their_range() {
        for scene in Scene::ALL {
            for sample in 0..5 {
                let backdrop = Backdrop::draw(scene, &mut Draws::new(3, sample, 0), 64);
                let tones: Vec<f32> = (0..4096)
                    .map(|i| backdrop.tone((i % 64) as f32 / 64.0 + 1.0 / 128.0, (i / 64) as f32 / 64.0 + 1.0 / 128.0))
                    .collect();
                let low = tones.iter().copied().fold(f32::INFINITY, f32::min);
                let high = tones.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                assert!(low >= 0.0 && high <= 1.0, "{scene:?}: {low}..{high}");
                assert!(high - low > 0.5, "{scene:?} is flat: {low}..{high}");
            }
        }
    }
}
