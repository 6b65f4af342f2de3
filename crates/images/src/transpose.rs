use crate::simd::isa;

/// The side of the tiles that are transposed in registers.
const SIDE: usize = 16;

/// Writes the columns of a matrix of bytes as rows.
///
/// `size` is (rows, columns) of `from`; `stride` and `to_stride` are the bytes from one row to the next.
#[inline(never)]
pub(crate) fn transpose(from: &[u8], size: (usize, usize), stride: usize, to: &mut [u8], to_stride: usize) {
    isa().run(
        #[inline(always)]
        || transpose_in_tiles(from, size, stride, to, to_stride),
    );
}

#[inline(always)]
fn transpose_in_tiles(from: &[u8], size: (usize, usize), stride: usize, to: &mut [u8], to_stride: usize) {
    let (rows, columns) = size;
    if rows < SIDE || columns < SIDE {
        for row in 0..rows {
            for column in 0..columns {
                to[column * to_stride + row] = from[row * stride + column];
            }
        }
        return;
    }
    // If a side is no multiple of 16, its last tile overlaps the one before.
    for row in (0..rows).step_by(SIDE).map(|row| row.min(rows - SIDE)) {
        for column in (0..columns).step_by(SIDE).map(|column| column.min(columns - SIDE)) {
            let mut tile = [[0; SIDE]; SIDE];
            for (r, line) in tile.iter_mut().enumerate() {
                line.copy_from_slice(&from[(row + r) * stride + column..][..SIDE]);
            }
            for (c, line) in transpose_tile(tile).iter().enumerate() {
                to[(column + c) * to_stride + row..][..SIDE].copy_from_slice(line);
            }
        }
    }
}

/// Transposes a tile by four perfect shuffles of its rows. Each shuffle takes two instructions for two rows.
#[inline(always)]
fn transpose_tile(mut tile: [[u8; SIDE]; SIDE]) -> [[u8; SIDE]; SIDE] {
    for _ in 0..SIDE.ilog2() {
        let mut next = [[0; SIDE]; SIDE];
        for row in 0..SIDE / 2 {
            let (upper, lower) = (tile[row], tile[row + SIDE / 2]);
            next[2 * row] = interleave(upper, lower, 0);
            next[2 * row + 1] = interleave(upper, lower, SIDE / 2);
        }
        tile = next;
    }
    tile
}

/// Takes values of the two rows alternately, from position `at` on.
#[inline(always)]
fn interleave(upper: [u8; SIDE], lower: [u8; SIDE], at: usize) -> [u8; SIDE] {
    std::array::from_fn(|i| if i % 2 == 0 { upper[at + i / 2] } else { lower[at + i / 2] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (rows, columns) in [(16, 16), (16, 50), (37, 17), (3, 40), (40, 3), (1, 1), (0, 5)] {
            let (stride, to_stride) = (columns + 3, rows + 2);
            let from: Vec<u8> = (0..rows * stride).map(|i| (i * 31 % 251) as u8).collect();
            let mut to = vec![255; columns * to_stride];
            transpose(&from, (rows, columns), stride, &mut to, to_stride);
            for (column, line) in to.chunks(to_stride).enumerate() {
                let expected: Vec<u8> = (0..rows).map(|row| from[row * stride + column]).collect();
                assert_eq!(line[..rows], expected, "{rows} × {columns}");
                assert_eq!(line[rows..], [255, 255], "nothing beyond is written");
            }
        }
    }
}
