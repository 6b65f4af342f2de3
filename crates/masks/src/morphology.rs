use crate::Mask;

/// The structuring element of a dilation or erosion. The number is its radius in pixels.
///
/// The elements equal those of SciPy and scikit-image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Element {
    /// Pixels within so many steps over edges, like so many iterations with the four neighbors.
    Diamond(u16),
    /// Pixels within so many steps over edges or corners, like so many iterations with the eight neighbors.
    Square(u16),
    /// Pixels whose centers are at most so far away.
    Disk(u16),
}

impl Mask {
    /// Returns the pixels that the element reaches from any object pixel, like `scipy.ndimage.binary_dilation`.
    ///
    /// The running time grows only with the logarithm of the element's radius.
    ///
    /// ```
    /// use hard_imagenet_masks::{Element, Mask};
    ///
    /// let point = Mask::from_fn(9, 9, |row, column| (row, column) == (4, 4));
    /// assert_eq!(point.dilate(Element::Diamond(2)).area(), 13);
    /// assert_eq!(point.dilate(Element::Square(2)).area(), 25);
    /// assert_eq!(point.dilate(Element::Disk(3)).area(), 29);
    /// assert_eq!(point.dilate(Element::Disk(3)).erode(Element::Disk(3)), point);
    /// ```
    pub fn dilate(&self, element: Element) -> Self {
        spread(self, element, false)
    }

    /// Returns the object pixels that the element reaches from no background pixel, like
    /// `scipy.ndimage.binary_erosion`.
    ///
    /// Pixels outside the image count as background.
    pub fn erode(&self, element: Element) -> Self {
        spread(&self.complement(), element, true).complement()
    }
}

/// Dilates a mask. `outside` says whether the pixels outside the image are object.
fn spread(mask: &Mask, element: Element, outside: bool) -> Mask {
    let (Element::Diamond(reach) | Element::Square(reach) | Element::Disk(reach)) = element;
    if reach < u16::from(u8::MAX) {
        spread_in_lanes::<u8>(mask, element, reach as u8, outside)
    } else {
        spread_in_lanes::<u16>(mask, element, reach, outside)
    }
}

/// Dilates in numbers of the smallest type that holds the radius.
fn spread_in_lanes<L: Lane>(mask: &Mask, element: Element, reach: L, outside: bool) -> Mask {
    match element {
        Element::Square(_) => reach_out(mask, reach, outside, |_| reach),
        Element::Diamond(_) => reach_out(mask, reach, outside, |distance| reach.minus(distance)),
        Element::Disk(radius) => {
            let squared = |length: u16| u32::from(length).pow(2);
            let half = |distance| (squared(radius) - squared(distance)).isqrt();
            let halves: Vec<L> = (0..=radius).map(|distance| L::from_len(half(distance) as usize)).collect();
            reach_out(mask, reach, outside, |distance| halves[distance.len().min(halves.len() - 1)])
        }
    }
}

/// Dilates by an element whose half width at a vertical distance from its center is `half_width(distance)`.
///
/// The element is narrower the farther it is from its center. So among the object pixels of a column, the nearest one
/// reaches farthest to the sides, and only its distance is needed.
fn reach_out<L: Lane>(mask: &Mask, reach: L, outside: bool, half_width: impl Fn(L) -> L) -> Mask {
    let (height, width) = (mask.height(), mask.width());
    if height * width == 0 {
        return mask.clone();
    }
    let one = L::from_len(1);
    let out_of_reach = reach.plus(one);
    let border = vec![if outside { L::default() } else { out_of_reach }; width];
    // Computes the vertical distances of one row to the nearest object pixel from those of the row before.
    let advance = |distances: &mut [L], before: &[L], pixels: &[u8]| {
        for ((distance, &before), &pixel) in distances.iter_mut().zip(before).zip(pixels) {
            let farther = before.plus(one).min(out_of_reach);
            *distance = if pixel != 0 { L::default() } else { farther };
        }
    };
    let mut above = vec![L::default(); height * width];
    advance(&mut above[..width], &border, mask.row(0));
    for row in 1..height {
        let (before, distances) = above.split_at_mut(row * width);
        advance(&mut distances[..width], &before[(row - 1) * width..], mask.row(row));
    }

    // From each pixel, how many pixels to either side become object, itself included. Both ends are padded with zeros.
    let pad = reach.len().min(width).next_power_of_two();
    let (mut sides, mut wider) = (vec![L::default(); width + 2 * pad], vec![L::default(); width + 2 * pad]);
    let (mut below, mut before) = (border.clone(), border);
    let mut values = vec![0; height * width];
    for row in (0..height).rev() {
        let places = row * width..(row + 1) * width;
        std::mem::swap(&mut below, &mut before);
        advance(&mut below, &before, mask.row(row));
        for ((side, &above), &below) in sides[pad..].iter_mut().zip(&above[places.clone()]).zip(&below) {
            let distance = above.min(below);
            *side = if distance == out_of_reach { L::default() } else { half_width(distance).plus(one) };
        }
        if outside {
            sides[pad] = sides[pad].max(reach);
            sides[pad + width - 1] = sides[pad + width - 1].max(reach);
        }
        // Spreading by 1, 2, 4, .. pixels to both sides adds up to any distance.
        let mut step = 1;
        while step <= pad && step <= reach.len() {
            let (left, right) = (&sides[pad - step..][..width], &sides[pad + step..][..width]);
            let lost = L::from_len(step);
            let neighbors = left.iter().zip(right).zip(&sides[pad..]);
            for (wider, ((&left, &right), &side)) in wider[pad..][..width].iter_mut().zip(neighbors) {
                *wider = side.max(left.max(right).minus(lost));
            }
            std::mem::swap(&mut sides, &mut wider);
            step *= 2;
        }
        let sides = &sides[pad..];
        values[places].iter_mut().zip(sides).for_each(|(value, &side)| *value = u8::from(side != L::default()));
    }
    Mask::from_binary(height, width, values)
}

/// A small number. Bytes suffice for all but unusually large elements, and processors handle most of them at a time.
trait Lane: Copy + Ord + Default {
    fn from_len(len: usize) -> Self;
    fn len(self) -> usize;
    /// Adds, saturating at the largest number.
    fn plus(self, other: Self) -> Self;
    /// Subtracts, saturating at 0.
    fn minus(self, other: Self) -> Self;
}

macro_rules! lane {
    ($number:ty) => {
        impl Lane for $number {
            fn from_len(len: usize) -> Self {
                len as $number
            }

            fn len(self) -> usize {
                self.into()
            }

            fn plus(self, other: Self) -> Self {
                self.saturating_add(other)
            }

            fn minus(self, other: Self) -> Self {
                self.saturating_sub(other)
            }
        }
    };
}

lane!(u8);
lane!(u16);
