use serde::{Deserialize, Serialize};

/// How an image is resized before the crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// Keeps the size.
    None,
    /// Resizes to exactly (height, width) without keeping the aspect ratio.
    Squash(usize, usize),
    /// Resizes the shorter side to this length and keeps the aspect ratio, like torchvision's `Resize(n)`: the longer
    /// side becomes `n * longer / shorter`, rounded down.
    ShorterSide(usize),
    /// Resizes so that (height, width) is just covered and keeps the aspect ratio, like timm's `ResizeKeepRatio`.
    /// timm's `center` mode uses it if height and width differ. Sides are rounded half to even.
    Cover(usize, usize),
    /// Resizes so that the image just fits into a size and keeps the aspect ratio, like timm's `border` mode.
    Contain {
        /// The (height, width) to fit into. Sides are rounded half to even, and to at least 1.
        size: (usize, usize),
        /// The color (red, green, blue) of the border that the crop adds around the image. In a mask, the border is
        /// background.
        fill: [u8; 3],
    },
}

impl Resize {
    /// Returns the (height, width) of an image of `height × width` after the resize.
    pub fn size(self, height: usize, width: usize) -> (usize, usize) {
        match self {
            Self::None => (height, width),
            Self::Squash(height, width) => (height, width),
            // An empty image has no aspect ratio to keep and stays empty.
            _ if height == 0 || width == 0 => (height, width),
            Self::ShorterSide(n) if width <= height => (n * height / width, n),
            Self::ShorterSide(n) => (n, n * width / height),
            Self::Cover(tall, wide) => divided(height, width, ratios((height, width), (tall, wide)).0),
            Self::Contain { size, .. } => divided(height, width, ratios((height, width), size).1),
        }
    }

    /// Returns the color of the border around an image that is smaller than the crop.
    pub(crate) fn fill(self) -> [u8; 3] {
        match self {
            Self::Contain { fill, .. } => fill,
            _ => [0; 3],
        }
    }
}

/// Returns the ratios of the sides to the wanted ones: the smaller ratio, then the larger one.
fn ratios((height, width): (usize, usize), (tall, wide): (usize, usize)) -> (f64, f64) {
    let (down, across) = (height as f64 / tall as f64, width as f64 / wide as f64);
    (down.min(across), down.max(across))
}

/// Divides both sides by a ratio.
fn divided(height: usize, width: usize, ratio: f64) -> (usize, usize) {
    let side = |length: usize| ((length as f64 / ratio).round_ties_even() as usize).max(1);
    (side(height), side(width))
}

#[cfg(test)]
mod tests {
    use super::Resize::{self, Contain, Cover, ShorterSide, Squash};

    #[test]
    fn sizes_equal_torchvision_and_timm() {
        let check = |resize: Resize, (height, width), expected| {
            assert_eq!(resize.size(height, width), expected, "{resize:?}: {height} × {width}");
        };
        // torchvision.transforms.functional._compute_resized_output_size((height, width), [n])
        check(ShorterSide(256), (375, 500), (256, 341));
        check(ShorterSide(256), (500, 375), (341, 256));
        check(ShorterSide(248), (333, 500), (248, 372));
        check(ShorterSide(256), (256, 256), (256, 256));
        check(ShorterSide(10), (3, 1000), (10, 3333));
        check(ShorterSide(10), (0, 5), (0, 5));
        check(Squash(3, 4), (0, 5), (3, 4));
        let contain = |height, width| Contain { size: (height, width), fill: [0; 3] };
        check(Cover(256, 192), (375, 500), (256, 341)); // 341.33
        check(contain(256, 192), (375, 500), (144, 192));
        check(contain(10, 10), (4, 16), (2, 10)); // 2.5, to even
        check(contain(10, 10), (1, 1000), (1, 10));
        check(contain(10, 10), (0, 0), (0, 0));
    }
}
