//! Colors that fit together and say nothing about the class.

use super::draws::Draws;

/// Red, green, blue in [0, 1].
pub(super) type Color = [f32; 3];

/// The colors of one image.
pub(super) struct Palette {
    dark: Color,
    light: Color,
    object: Color,
}

impl Palette {
    /// Draws two neighboring hues for the scene, and for the object a hue from the opposite side of the color circle.
    /// The object is clearly lighter or clearly darker than the scene, so it is visible everywhere.
    pub(super) fn draw(draws: &mut Draws) -> Self {
        let hue = draws.range(0.0, 1.0);
        let turn = if draws.coin() { draws.range(0.04, 0.14) } else { -draws.range(0.04, 0.14) };
        let middle = draws.range(0.34, 0.70);
        let spread = draws.range(0.09, 0.14);
        let saturation = draws.range(0.22, 0.55);
        let dark = with_luma(from_hue(hue, saturation), middle - spread);
        let light = with_luma(from_hue(hue + turn, saturation * 0.8), middle + spread);

        let object_hue = from_hue(hue + draws.range(0.3, 0.7), draws.range(0.6, 0.95));
        let gap = spread + draws.range(0.16, 0.26);
        let lighter = if middle < 0.45 {
            true
        } else if middle > 0.58 {
            false
        } else {
            draws.coin()
        };
        let object = with_luma(object_hue, if lighter { middle + gap } else { middle - gap });
        Self { dark, light, object }
    }

    /// Returns the scene's color for a tone in [0, 1].
    pub(super) fn scene(&self, tone: f32) -> Color {
        blend(self.dark, self.light, tone)
    }

    /// Returns the object's color before shading.
    pub(super) fn object(&self) -> Color {
        self.object
    }
}

/// Blends two colors: `a` for 0, `b` for 1.
pub(super) fn blend(a: Color, b: Color, t: f32) -> Color {
    [0, 1, 2].map(|i| a[i] * (1.0 - t) + b[i] * t)
}

/// Returns a color of the color circle (0 is red, 1/3 green, 2/3 blue), mixed with gray at lower saturation.
fn from_hue(hue: f32, saturation: f32) -> Color {
    let around = |offset: f32| {
        let h = hue + offset;
        let h = 6.0 * (h - h.floor());
        let pure = ((h - 3.0).abs() - 1.0).clamp(0.0, 1.0);
        0.5 + saturation * (pure - 0.5)
    };
    [around(0.0), around(2.0 / 3.0), around(1.0 / 3.0)]
}

/// Returns the weighted brightness (Rec. 601) of a color.
fn luma(c: Color) -> f32 {
    0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]
}

/// Brings a color to a brightness by mixing it with black or white.
fn with_luma(color: Color, target: f32) -> Color {
    let now = luma(color);
    if target <= now { color.map(|v| v * target / now) } else { blend(color, [1.0; 3], (target - now) / (1.0 - now)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_contrasts_with_every_tone() {
        for sample in 0..500 {
            let palette = Palette::draw(&mut Draws::new(5, sample, 1));
            for tone in [0.0, 0.5, 1.0] {
                let scene = palette.scene(tone);
                assert!(scene.iter().chain(&palette.object()).all(|v| (0.0..=1.0).contains(v)));
                let gap = (luma(scene) - luma(palette.object())).abs();
                assert!(gap > 0.15, "sample {sample}, tone {tone}: {gap}");
            }
        }
    }
}
