//! The pixels of a mask file as they are stored, before a [`MaskReading`] decides which of them are object.

use crate::{MaskKind, MaskReading, MaskValue};
use std::collections::BTreeSet;

/// A decoded file whose palette is not resolved.
pub(crate) struct Stored {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) colors: Colors,
    /// One value per pixel, if there is an alpha channel or a transparent color.
    pub(crate) alpha: Option<Vec<u8>>,
    /// Whether the format changes values: JPEG, and WebP unless it is lossless.
    pub(crate) is_lossy: bool,
}

pub(crate) enum Colors {
    /// Values from 0 to `top`, which is white.
    Gray {
        values: Vec<u16>,
        top: u16,
    },
    /// Indices of a palette. Indices beyond it are black.
    Palette {
        indices: Vec<u8>,
        palette: Vec<[u8; 3]>,
    },
    Rgb(Vec<[u8; 3]>),
}

/// One value per pixel, what the file is, and the first values of the object.
pub(crate) type Read = (Vec<u8>, MaskKind, Vec<MaskValue>);

/// The number of values that are named.
const NAMED: usize = 8;
/// A gray file with more values than this is not a label map.
const MOST_LABELS: usize = 16;
/// The least brightness that is taken for white, or for the object of a strict mask.
const HALF: u8 = 128;

impl Stored {
    pub(crate) fn read(&self, reading: &MaskReading) -> Read {
        let choose = |is_object: &dyn Fn(usize) -> bool| {
            let data = (0..self.height * self.width).map(|i| if is_object(i) { 255 } else { 0 }).collect();
            (data, MaskKind::Chosen, Vec::new())
        };
        match reading {
            MaskReading::Auto if self.is_lossy => self.read_lossy(),
            MaskReading::Auto => self.read_lossless(),
            MaskReading::Brightness => with_kind(match &self.colors {
                Colors::Gray { values, top } if *top > 255 => {
                    values.iter().map(|&value| value.min(255) as u8).collect()
                }
                _ => self.brightness(),
            }),
            MaskReading::Values(values) => {
                let wanted: BTreeSet<MaskValue> = values.iter().copied().collect();
                choose(&|i| self.values(i).iter().any(|value| wanted.contains(value)))
            }
            MaskReading::Threshold(least) => {
                let brightness = self.brightness();
                choose(&|i| brightness[i] >= *least)
            }
        }
    }

    /// Returns the brightness of each pixel, 0 to 255. What is not black does not become black.
    fn brightness(&self) -> Vec<u8> {
        match &self.colors {
            Colors::Gray { values, top } => gray_brightness(values, *top),
            Colors::Palette { indices, palette } => indices.iter().map(|&i| largest(color(palette, i))).collect(),
            Colors::Rgb(colors) => colors.iter().copied().map(largest).collect(),
        }
    }

    /// Returns all values that describe a pixel: its number and its color.
    fn values(&self, i: usize) -> Vec<MaskValue> {
        match &self.colors {
            Colors::Gray { values, .. } => {
                let byte = u8::try_from(values[i]).ok();
                let color = byte.map(|byte| MaskValue::Color([byte; 3]));
                std::iter::once(MaskValue::Level(values[i])).chain(color).collect()
            }
            Colors::Palette { indices, palette } => {
                vec![MaskValue::Level(indices[i].into()), MaskValue::Color(color(palette, indices[i]))]
            }
            Colors::Rgb(colors) => {
                let [red, green, blue] = colors[i];
                let level = (red == green && green == blue).then(|| MaskValue::Level(red.into()));
                std::iter::once(MaskValue::Color(colors[i])).chain(level).collect()
            }
        }
    }

    /// Reads brightness; a file that is dark everywhere is scaled up.
    fn read_lossy(&self) -> Read {
        if let Some(alpha) = self.varying_alpha() {
            return self.read_cut_out(alpha);
        }
        let mut data = self.brightness();
        let most = data.iter().copied().max().unwrap_or(0);
        if most == 0 || most >= HALF {
            return with_kind(data);
        }
        let values = named(data.iter().map(|&value| MaskValue::Level(value.into())));
        data.iter_mut().for_each(|value| *value = (u32::from(*value) * 255).div_ceil(u32::from(most)) as u8);
        (data, MaskKind::Labels, values)
    }

    fn read_lossless(&self) -> Read {
        if let Some(alpha) = self.varying_alpha() {
            return self.read_cut_out(alpha);
        }
        match &self.colors {
            Colors::Gray { values, top } => read_gray(values, *top, self.width),
            Colors::Palette { indices, palette } => read_palette(indices, palette, self.width),
            Colors::Rgb(colors) => {
                if colors.iter().all(is_gray) {
                    return read_gray(&colors.iter().map(|color| color[0].into()).collect::<Vec<_>>(), 255, self.width);
                }
                let data = colors.iter().map(|&color| if color == [0; 3] { 0 } else { 255 }).collect();
                (data, MaskKind::Labels, named(colors.iter().copied().map(MaskValue::Color)))
            }
        }
    }

    /// Returns the alpha channel, unless it is the same everywhere.
    fn varying_alpha(&self) -> Option<&[u8]> {
        self.alpha.as_deref().filter(|alpha| alpha.windows(2).any(|pair| pair[0] != pair[1]))
    }

    /// Reads the alpha channel, unless what can be seen is black and white already.
    fn read_cut_out(&self, alpha: &[u8]) -> Read {
        let brightness = self.brightness();
        let seen = || alpha.iter().zip(&brightness).filter(|(alpha, _)| **alpha > 0).map(|(_, &value)| value);
        let is_colorless = match &self.colors {
            Colors::Gray { .. } => true,
            Colors::Palette { palette, .. } => palette.iter().all(is_gray),
            Colors::Rgb(colors) => colors.iter().all(is_gray),
        };
        let is_mask =
            is_colorless && seen().all(|v| v == 0 || v == 255) && [0, 255].map(|v| seen().any(|s| s == v)) == [true; 2];
        if is_mask {
            let data =
                alpha.iter().zip(&brightness).map(|(&alpha, &value)| if alpha > 0 { value } else { 0 }).collect();
            return (data, MaskKind::BlackAndWhite, Vec::new());
        }
        let levels: Vec<u16> = alpha.iter().map(|&value| value.into()).collect();
        (read_gray(&levels, 255, self.width).0, MaskKind::CutOut, Vec::new())
    }
}

/// Reads gray values from 0 (black) to `top` (white): black and white, labels, or brightness.
fn read_gray(values: &[u16], top: u16, width: usize) -> Read {
    let most = values.iter().copied().max().unwrap_or(0);
    // Files of 16 bits often hold values of 8.
    let top = if top > 255 && most <= 255 { 255 } else { top };
    let object = |values: &[u16]| values.iter().map(|&value| if value > 0 { 255 } else { 0 }).collect();
    let mut is_used = vec![false; usize::from(most) + 1];
    values.iter().for_each(|&value| is_used[usize::from(value)] = true);
    let distinct = is_used.iter().filter(|&&used| used).count();
    if values.iter().all(|&value| value == 0 || value == top) {
        return (object(values), MaskKind::BlackAndWhite, Vec::new());
    }
    let is_dark = most <= top / 2;
    if is_dark || (distinct <= MOST_LABELS && !is_antialiased(values, most, width)) {
        return (object(values), MaskKind::Labels, named(values.iter().map(|&value| MaskValue::Level(value))));
    }
    (gray_brightness(values, top), MaskKind::Brightness, Vec::new())
}

/// Returns whether values between black and the brightest one occur only at edges: nearly all of these pixels lie
/// between a darker and a brighter one, and less than half of what is not black has such a value.
fn is_antialiased(values: &[u16], most: u16, width: usize) -> bool {
    let height = values.len() / width.max(1);
    let (mut between, mut at_edge, mut bright) = (0usize, 0usize, 0usize);
    for (i, &value) in values.iter().enumerate() {
        bright += usize::from(value == most);
        if value == 0 || value == most {
            continue;
        }
        between += 1;
        let (row, column) = (i / width, i % width);
        let (mut is_darker, mut is_brighter) = (false, false);
        for y in row.saturating_sub(1)..(row + 2).min(height) {
            for x in column.saturating_sub(1)..(column + 2).min(width) {
                is_darker |= values[y * width + x] < value;
                is_brighter |= values[y * width + x] > value;
            }
        }
        at_edge += usize::from(is_darker && is_brighter);
    }
    between > 0 && bright > between && at_edge * 10 >= between * 9
}

/// Reads a palette image: gray palettes by their brightness, others by color.
fn read_palette(indices: &[u8], palette: &[[u8; 3]], width: usize) -> Read {
    let mut is_used = [false; 256];
    indices.iter().for_each(|&i| is_used[usize::from(i)] = true);
    let used: BTreeSet<u8> = (0..=255).filter(|&i| is_used[usize::from(i)]).collect();
    let colors: BTreeSet<[u8; 3]> = used.iter().map(|&i| color(palette, i)).collect();
    let object = |is_background: &dyn Fn(u8) -> bool| {
        let data = indices.iter().map(|&i| if is_background(i) { 0 } else { 255 }).collect();
        let values = used.iter().filter(|&&i| !is_background(i)).take(NAMED).map(|&i| MaskValue::Level(i.into()));
        (data, MaskKind::Labels, values.collect())
    };
    // Colors that do not tell the indices apart say nothing.
    if used.len() > 1 && colors.len() == 1 {
        return object(&|i| i == 0);
    }
    if colors.iter().all(is_gray) {
        let values: Vec<u16> = indices.iter().map(|&i| color(palette, i)[0].into()).collect();
        return read_gray(&values, 255, width);
    }
    if colors.contains(&[0; 3]) { object(&|i| color(palette, i) == [0; 3]) } else { object(&|i| i == 0) }
}

/// Converts gray values to 0..=255. What is not black does not become black.
fn gray_brightness(values: &[u16], top: u16) -> Vec<u8> {
    let most = values.iter().copied().max().unwrap_or(0);
    let top = if top > 255 && most <= 255 { 255 } else { top.max(1) };
    let byte = |value: u16| match top {
        255 => value.min(255) as u8,
        top if top > 255 => ((value >> 8) as u8).max(u8::from(value > 0)),
        top => (u32::from(value.min(top)) * 255 / u32::from(top)) as u8,
    };
    values.iter().map(|&value| byte(value)).collect()
}

fn with_kind(data: Vec<u8>) -> Read {
    let is_binary = data.iter().all(|&value| value == 0 || value == 255);
    let kind = if is_binary { MaskKind::BlackAndWhite } else { MaskKind::Brightness };
    (data, kind, Vec::new())
}

/// Returns the first values other than black.
fn named(values: impl Iterator<Item = MaskValue>) -> Vec<MaskValue> {
    let black = [MaskValue::Level(0), MaskValue::Color([0; 3])];
    let mut found = BTreeSet::new();
    let mut last = None;
    for value in values.filter(|value| !black.contains(value)) {
        if last != Some(value) {
            found.insert(value);
            if found.len() > NAMED {
                found.pop_last();
            }
            last = Some(value);
        }
    }
    found.into_iter().collect()
}

fn color(palette: &[[u8; 3]], index: u8) -> [u8; 3] {
    palette.get(usize::from(index)).copied().unwrap_or_default()
}

fn is_gray([red, green, blue]: &[u8; 3]) -> bool {
    red == green && green == blue
}

fn largest([red, green, blue]: [u8; 3]) -> u8 {
    red.max(green).max(blue)
}
