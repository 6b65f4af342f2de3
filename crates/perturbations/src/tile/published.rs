use super::{SIDES, Side, best};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Mask, Rect};

/// Covers one part of the object in place, with every quirk of the published code.
///
/// The box loses its last row and column twice. Then its rows are read as columns and its columns as rows: `mirror` is
/// that box mirrored at the main diagonal, and everything before the pasting happens around it.
pub(super) fn cover(image: &mut Pixels, mask: &Mask, bounds: Rect) {
    if bounds.height() <= 2 || bounds.width() <= 2 {
        return;
    }
    let bounds = Rect { bottom: bounds.bottom - 2, right: bounds.right - 2, ..bounds };
    let mirror = Rect { top: bounds.left, bottom: bounds.right, left: bounds.top, right: bounds.bottom };
    let (side, _, tile) = best(SIDES.map(|side| candidate(mask, mirror, side)));
    paste(image, tile, side, bounds);
}

/// Returns the tile on one side of the mirrored box and the score by which it competes. Where the code is right, the score
/// is the area.
fn candidate(mask: &Mask, mirror: Rect, side: Side) -> (usize, Rect) {
    let Rect { top, left, bottom, right } = mirror;
    let (height, width) = (mirror.height(), mirror.width());
    let place = match side {
        Side::Right => Rect { left: right, right: right + width, ..mirror },
        Side::Left => Rect { left: left.saturating_sub(width), right: left, ..mirror },
        Side::Below => Rect { top: bottom, bottom: bottom + height, ..mirror },
        // It reaches down to the bottom of the box, so it contains the box itself.
        Side::Above => Rect { top: top.saturating_sub(height), ..mirror },
    };
    let place = Rect {
        top: place.top.min(mask.height()),
        bottom: place.bottom.min(mask.height()),
        left: place.left.min(mask.width()),
        right: place.right.min(mask.width()),
    };
    let (tall, wide) = (place.height(), place.width());
    let Some(object) = object_within(mask, place) else { return (tall * wide, place) };

    match side {
        // The width should be the number of columns before the first with an object pixel, but the code uses the number
        // of attempts that it took to find it.
        Side::Right => {
            let kept = attempts(wide, object.first_column);
            (kept * tall, Rect { right: place.left + kept, ..place })
        }
        // The same for rows, except that the code searches columns.
        Side::Below => {
            let kept = attempts(tall, object.first_column);
            (kept * wide, Rect { bottom: place.top + kept, ..place })
        }
        // The code searches rows instead of columns, and counts what is cut off instead of what is kept.
        Side::Left => {
            let cut = after(wide, object.last_row);
            (cut * tall, Rect { left: place.left + cut, ..place })
        }
        // The code counts what is cut off instead of what is kept.
        Side::Above => {
            let cut = after(tall, object.last_row);
            (cut * wide, Rect { top: place.top + cut, ..place })
        }
    }
}

/// Counts how many of the lengths `length`, `length - 1`, ..., 1 do not end before `first`; 0 if none does.
fn attempts(length: usize, first: usize) -> usize {
    if first == 0 { 0 } else { length - first.min(length) }
}

/// Returns the first place after `last`, or 0 if that is not within `length`.
fn after(length: usize, last: usize) -> usize {
    if last + 1 < length { last + 1 } else { 0 }
}

/// Where a rectangle contains object pixels, counted from its upper left corner.
struct Object {
    first_column: usize,
    last_row: usize,
}

fn object_within(mask: &Mask, place: Rect) -> Option<Object> {
    let mut found: Option<Object> = None;
    for row in place.top..place.bottom {
        if let Some(column) = mask.row(row)[place.left..place.right].iter().position(|&v| v != 0) {
            let first_column = found.map_or(column, |object| object.first_column.min(column));
            found = Some(Object { first_column, last_row: row - place.top });
        }
    }
    found
}

/// Repeats the tile over a box of the mirrored size and pastes the result transposed. Without a tile the box becomes black.
fn paste(image: &mut Pixels, tile: Rect, side: Side, bounds: Rect) {
    let (height, width) = (image.height(), image.width());
    if tile.is_empty() {
        return crate::perturb::fill(image, bounds, 0.0);
    }
    let (tall, wide) = (tile.height(), tile.width());
    let mirrored = (bounds.width(), bounds.height());
    let inside = Rect { top: 0, left: 0, bottom: tall, right: wide };
    let mut copy = Vec::with_capacity(tall * wide);
    for plane in image.as_mut_slice().chunks_exact_mut(height * width) {
        // The tile is copied first, because it may overlap the box.
        copy.clear();
        for row in tile.top..tile.bottom {
            copy.extend_from_slice(&plane[row * width + tile.left..row * width + tile.right]);
        }
        for row in 0..bounds.height() {
            let line = &mut plane[(bounds.top + row) * width + bounds.left..][..bounds.width()];
            for (column, value) in line.iter_mut().enumerate() {
                let (from_row, from_column) = side.source(inside, mirrored, column, row);
                *value = copy[from_row * wide + from_column];
            }
        }
    }
}
