use crate::Rgb8;
use hard_imagenet_masks::{Heatmap, Mask};

/// Nine colors from black over violet and orange to pale yellow, after matplotlib's `inferno`.
///
/// Their lightness rises evenly, so they remain readable in gray and for color-blind people.
const COLORS: [[f32; 3]; 9] = [
    [0.0, 0.0, 4.0],
    [31.0, 12.0, 72.0],
    [85.0, 15.0, 109.0],
    [136.0, 34.0, 106.0],
    [186.0, 54.0, 85.0],
    [227.0, 89.0, 51.0],
    [249.0, 140.0, 10.0],
    [249.0, 201.0, 50.0],
    [252.0, 255.0, 164.0],
];

/// The weight of the color in an overlay.
const OPACITY: f32 = 0.5;

/// Returns the color of a value in [0, 1]. Other values are clipped, and NaN counts as 0.
fn color(value: f32) -> [f32; 3] {
    let last = COLORS.len() - 1;
    let place = if value > 0.0 { value.min(1.0) * last as f32 } else { 0.0 };
    let low = (place as usize).min(last - 1);
    let share = place - low as f32;
    std::array::from_fn(|c| COLORS[low][c] * (1.0 - share) + COLORS[low + 1][c] * share)
}

/// Draws a heatmap with values in [0, 1] over an image, in colors.
///
/// A heatmap of another size is resized to the image.
pub fn overlay(image: &Rgb8, heatmap: &Heatmap) -> Rgb8 {
    let heatmap = heatmap.resize(image.height, image.width);
    let mix = |(pixel, &value): (&[u8], &f32)| {
        let color = color(value);
        let mixed = |c: usize| (f32::from(pixel[c]) * (1.0 - OPACITY) + color[c] * OPACITY + 0.5) as u8;
        [mixed(0), mixed(1), mixed(2)]
    };
    let data = image.data.chunks_exact(3).zip(heatmap.as_slice()).flat_map(mix).collect();
    Rgb8 { height: image.height, width: image.width, data }
}

/// Draws the outline of a mask on an image: object pixels with at least one background pixel among their four
/// neighbors.
///
/// Image and mask should have the same size; otherwise only their common upper left part is drawn.
pub fn outline(image: &mut Rgb8, mask: &Mask, color: [u8; 3]) {
    let object = |row: usize, column: usize| row < mask.height() && column < mask.width() && mask.get(row, column);
    for row in 0..image.height {
        for column in 0..image.width {
            // Beyond the upper and left border, the subtraction wraps to an index outside the mask.
            let inside = object(row.wrapping_sub(1), column)
                && object(row, column.wrapping_sub(1))
                && object(row + 1, column)
                && object(row, column + 1);
            if object(row, column) && !inside {
                let at = (row * image.width + column) * 3;
                image.data[at..at + 3].copy_from_slice(&color);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_values_are_brighter() {
        let image = Rgb8 { height: 1, width: 4, data: vec![100; 12] };
        let heat = Heatmap::from_vec(1, 4, vec![f32::NAN, 0.0, 1.0, 7.0]).unwrap();
        let drawn = overlay(&image, &heat);
        assert_eq!(drawn.data[..6], [50, 50, 52, 50, 50, 52]);
        assert_eq!(drawn.data[6..], [176, 178, 132, 176, 178, 132]);
        for step in 1..100 {
            let light = |v: f32| color(v).iter().zip([0.2126, 0.7152, 0.0722]).map(|(c, w)| c * w).sum::<f32>();
            assert!(light(step as f32 / 100.0) > light((step - 1) as f32 / 100.0));
        }
    }

    #[test]
    fn the_outline_is_the_inner_edge() {
        let mut image = Rgb8 { height: 4, width: 5, data: vec![0; 60] };
        let mask = Mask::from_fn(4, 5, |_, column| column < 4);
        outline(&mut image, &mask, [9, 9, 9]);
        let drawn: Vec<u8> = image.data.chunks(3).map(|pixel| pixel[0] / 9).collect();
        assert_eq!(drawn, [1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 1, 1, 0]);
        outline(&mut image, &Mask::new(9, 9), [1, 2, 3]);
    }
}
