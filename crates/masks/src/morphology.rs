use crate::Mask;

/// The shape with which a mask grows or shrinks, around its centre; the number is how far it reaches, in pixels.
///
/// Equal to SciPy's and scikit-image's structuring elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// Pixels within that many steps over edges: so many iterations with the four neighbours.
    Diamond(u16),
    /// Pixels within that many steps over edges or corners: so many iterations with the eight neighbours.
    Square(u16),
    /// Pixels whose centres are not farther than that.
    Disk(u16),
}

impl Mask {
    /// The mask with every pixel that the element reaches from an object pixel, cut off at the borders:
    /// `scipy.ndimage.binary_dilation`. It takes about as long for a large element as for a small one.
    ///
    /// ```
    /// use hard_imagenet_masks::{Element, Mask};
    ///
    /// let point = Mask::from_fn(9, 9, |row, column| (row, column) == (4, 4));
    /// assert_eq!(point.dilated(Element::Diamond(2)).area(), 13);
    /// assert_eq!(point.dilated(Element::Square(2)).area(), 25);
    /// assert_eq!(point.dilated(Element::Disk(3)).area(), 29);
    /// assert_eq!(point.dilated(Element::Disk(3)).eroded(Element::Disk(3)), point);
    /// ```
    pub fn dilated(&self, element: Element) -> Self {
        spread(self, element, false)
    }

    /// The mask without every pixel that the element reaches from a background pixel; what lies outside the picture is
    /// background: `scipy.ndimage.binary_erosion`.
    pub fn eroded(&self, element: Element) -> Self {
        spread(&self.complement(), element, true).complement()
    }
}

/// Dilation, with the pixels outside the picture all object or all background.
fn spread(mask: &Mask, element: Element, outside: bool) -> Mask {
    match element {
        Element::Square(radius) => reach_out(mask, radius, outside, |_| radius),
        Element::Diamond(radius) => reach_out(mask, radius, outside, |distance| radius - distance),
        Element::Disk(radius) => {
            let squared = |length: u16| u32::from(length).pow(2);
            let halves: Vec<u16> = (0..=radius).map(|d| (squared(radius) - squared(d)).isqrt() as u16).collect();
            reach_out(mask, radius, outside, |distance| halves[usize::from(distance)])
        }
    }
}

/// An element is as wide as `half_width` says, to either side, at a distance above or below its centre; the farther,
/// the narrower. So of the object pixels in a column the nearest reaches farthest to the sides.
fn reach_out(mask: &Mask, radius: u16, outside: bool, half_width: impl Fn(u16) -> u16) -> Mask {
    let (height, width) = (mask.height(), mask.width());
    let out_of_reach = radius.saturating_add(1);
    let start = if outside { 0 } else { out_of_reach };
    let nearer = |from: u16, pixel: u8| if pixel != 0 { 0 } else { (from.saturating_add(1)).min(out_of_reach) };

    // The distance to the nearest object pixel above, for all rows; then below, and to the sides, row by row.
    let mut above = vec![start; width];
    let mut distances = Vec::with_capacity(height * width);
    for row in 0..height {
        above.iter_mut().zip(mask.row(row)).for_each(|(distance, &pixel)| *distance = nearer(*distance, pixel));
        distances.extend_from_slice(&above);
    }
    let mut below = vec![start; width];
    let (mut reach, mut farther) = (vec![0u16; width], vec![0u16; width]);
    let mut values = vec![0; height * width];
    for row in (0..height).rev() {
        let places = row * width..(row + 1) * width;
        below.iter_mut().zip(mask.row(row)).for_each(|(distance, &pixel)| *distance = nearer(*distance, pixel));
        // How many pixels to the side are object, this one counted.
        for ((reach, &above), &below) in reach.iter_mut().zip(&distances[places.clone()]).zip(&below) {
            let distance = above.min(below);
            *reach = if distance == out_of_reach { 0 } else { half_width(distance).saturating_add(1) };
        }
        if let (true, [first, ..]) = (outside, &mut reach[..]) {
            *first = (*first).max(radius);
        }
        if let (true, [.., last]) = (outside, &mut reach[..]) {
            *last = (*last).max(radius);
        }
        // Steps of 1, 2, 4, .. pixels to both sides add up to any number.
        let mut step = 1;
        while step <= usize::from(radius) && step < width {
            farther.copy_from_slice(&reach);
            let lost = step as u16;
            for (to, &from) in farther[step..].iter_mut().zip(&reach) {
                *to = (*to).max(from.saturating_sub(lost));
            }
            for (to, &from) in farther.iter_mut().zip(&reach[step..]) {
                *to = (*to).max(from.saturating_sub(lost));
            }
            std::mem::swap(&mut reach, &mut farther);
            step *= 2;
        }
        values[places].iter_mut().zip(&reach).for_each(|(value, &reach)| *value = u8::from(reach > 0));
    }
    Mask::from_vec(height, width, values).expect("as many values as pixels")
}
