use super::{SIDES, Side, best};
use crate::perturb::{GRAY, fill};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Mask, Rect};

/// Covers one part of the object with a tile of the unmodified `image`.
pub(super) fn cover(changed: &mut Pixels, image: &Pixels, mask: &Mask, bounds: Rect) {
    let candidates = SIDES.map(|side| {
        let tile = free_neighbor(mask, bounds, side);
        (tile.area(), tile)
    });
    let (side, area, tile) = best(candidates);
    if area == 0 {
        return fill(changed, bounds, GRAY);
    }
    let (height, width) = (image.height(), image.width());
    let size = (bounds.height(), bounds.width());
    let sources = image.as_slice().chunks_exact(height * width);
    for (plane, source) in changed.as_mut_slice().chunks_exact_mut(height * width).zip(sources) {
        for row in 0..size.0 {
            let line = &mut plane[(bounds.top + row) * width + bounds.left..][..size.1];
            for (column, value) in line.iter_mut().enumerate() {
                let (from_row, from_column) = side.source(tile, size, row, column);
                *value = source[from_row * width + from_column];
            }
        }
    }
}

/// Returns the neighbor of the box on one side. It has the size of the box and ends at the border of the image or before
/// the first strip, counted from the box, with an object pixel of any part.
fn free_neighbor(mask: &Mask, bounds: Rect, side: Side) -> Rect {
    let Rect { top, left, bottom, right } = bounds;
    let (height, width) = (bounds.height(), bounds.width());
    let busy = |row: &usize| mask.row(*row)[left..right].contains(&1);
    match side {
        Side::Right => {
            let end = (right + width).min(mask.width());
            let first_object = |row: usize| mask.row(row)[right..end].iter().position(|&v| v != 0);
            let kept = (top..bottom).filter_map(first_object).min().unwrap_or(end - right);
            Rect { left: right, right: right + kept, ..bounds }
        }
        Side::Left => {
            let start = left.saturating_sub(width);
            let last_object = |row: usize| mask.row(row)[start..left].iter().rposition(|&v| v != 0);
            let lost = (top..bottom).filter_map(last_object).max().map_or(0, |last| last + 1);
            Rect { left: start + lost, right: left, ..bounds }
        }
        Side::Below => {
            let end = (bottom + height).min(mask.height());
            Rect { top: bottom, bottom: (bottom..end).find(busy).unwrap_or(end), ..bounds }
        }
        Side::Above => {
            let start = top.saturating_sub(height);
            Rect { top: (start..top).rfind(busy).map_or(start, |row| row + 1), bottom: top, ..bounds }
        }
    }
}
