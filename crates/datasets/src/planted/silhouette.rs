//! The objects: eight silhouettes as distance functions.

/// The shape of a planted object, which is its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Silhouette {
    /// A star with five points.
    Star,
    /// A plus sign.
    Cross,
    /// An annulus.
    Ring,
    /// An equilateral triangle with one corner up.
    Triangle,
    /// A waning moon.
    Crescent,
    /// A heart with two lobes and a tip below.
    Heart,
    /// A long horizontal rectangle.
    Bar,
    /// The capital letter T.
    Tee,
}

impl Silhouette {
    /// All silhouettes in the order of the classes.
    pub const ALL: [Self; 8] =
        [Self::Star, Self::Cross, Self::Ring, Self::Triangle, Self::Crescent, Self::Heart, Self::Bar, Self::Tee];

    /// Returns the name for ids and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Star => "star",
            Self::Cross => "cross",
            Self::Ring => "ring",
            Self::Triangle => "triangle",
            Self::Crescent => "crescent",
            Self::Heart => "heart",
            Self::Bar => "bar",
            Self::Tee => "tee",
        }
    }

    /// Returns the distance to the outline, negative inside. x points to the right and y down; the silhouette touches
    /// the unit circle.
    ///
    /// The sign is exact, and the function never changes faster than the point moves, so a point with `|distance| > d`
    /// has no outline within `d`.
    pub(super) fn distance(self, x: f32, y: f32) -> f32 {
        match self {
            Self::Star => polygon(&STAR, x, y) - 0.06,
            Self::Cross => {
                let (x, y) = (x.abs(), y.abs());
                rectangle(x, y, 0.86, 0.22).min(rectangle(x, y, 0.22, 0.86)) - 0.08
            }
            Self::Ring => (length(x, y) - 0.72).abs() - 0.28,
            Self::Triangle => polygon(&TRIANGLE, x, y) - 0.08,
            Self::Crescent => (length(x, y) - 1.0).max(0.86 - length(x - 0.48, y + 0.12)),
            Self::Heart => {
                // A square standing on a corner, with a disc on each of its upper sides.
                let (u, v) = (INV_SQRT_2 * (x + y - 0.17), INV_SQRT_2 * (y - x - 0.17));
                let square = rectangle(u, v, 0.545, 0.545);
                let lobes = length(u + 0.545, v).min(length(u, v + 0.545)) - 0.545;
                square.min(lobes)
            }
            Self::Bar => rectangle(x, y, 0.88, 0.20) - 0.08,
            Self::Tee => rectangle(x, y + 0.52, 0.60, 0.16).min(rectangle(x, y - 0.105, 0.17, 0.785)) - 0.08,
        }
    }
}

const INV_SQRT_2: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Corners at the radii 0.94 and 0.42, the first one up. The shape is rounded by 0.06.
const STAR: [(f32, f32); 10] = [
    (0.0, -0.94),
    (0.246_87, -0.339_79),
    (0.893_99, -0.290_48),
    (0.399_44, 0.129_79),
    (0.552_52, 0.760_48),
    (0.0, 0.42),
    (-0.552_52, 0.760_48),
    (-0.399_44, 0.129_79),
    (-0.893_99, -0.290_48),
    (-0.246_87, -0.339_79),
];

/// Corners at the radius 0.92. The shape is rounded by 0.08.
const TRIANGLE: [(f32, f32); 3] = [(0.0, -0.92), (0.796_74, 0.46), (-0.796_74, 0.46)];

fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

/// Returns the distance to the rectangle `|x| <= half_width, |y| <= half_height`.
fn rectangle(x: f32, y: f32, half_width: f32, half_height: f32) -> f32 {
    let (dx, dy) = (x.abs() - half_width, y.abs() - half_height);
    length(dx.max(0.0), dy.max(0.0)) + dx.max(dy).min(0.0)
}

/// Returns the distance to a simple polygon: to the nearest point of its sides, with the sign by the parity of
/// crossings.
fn polygon(corners: &[(f32, f32)], x: f32, y: f32) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    let mut from = corners[corners.len() - 1];
    for &to in corners {
        let (ex, ey) = (to.0 - from.0, to.1 - from.1);
        let (px, py) = (x - from.0, y - from.1);
        let along = ((px * ex + py * ey) / (ex * ex + ey * ey)).clamp(0.0, 1.0);
        let (rx, ry) = (px - along * ex, py - along * ey);
        nearest = nearest.min(rx * rx + ry * ry);
        if (from.1 > y) != (to.1 > y) && x < from.0 + py * ex / ey {
            inside = !inside;
        }
        from = to;
    }
    let distance = nearest.sqrt();
    if inside { -distance } else { distance }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silhouettes_fit_the_unit_circle() {
        let n = 200;
        for shape in Silhouette::ALL {
            let (mut area, mut reach) = (0, 0.0f32);
            for row in 0..n {
                for column in 0..n {
                    let at = |i: usize| (i as f32 + 0.5) / n as f32 * 2.4 - 1.2;
                    let (x, y) = (at(column), at(row));
                    if shape.distance(x, y) < 0.0 {
                        area += 1;
                        reach = reach.max(length(x, y));
                    }
                }
            }
            let share = area as f32 * 1.44 / (n * n) as f32;
            assert!((0.93..=1.0).contains(&reach), "{shape:?} reaches {reach}");
            assert!((0.2..0.8).contains(&share), "{shape:?} covers {share} of the square around it");
        }
    }

    #[test]
    fn distance_never_changes_faster_than_the_point_moves() {
        let h = 0.01;
        for shape in Silhouette::ALL {
            for i in -120..120 {
                for j in -120..120 {
                    let (x, y) = (i as f32 * h, j as f32 * h);
                    let here = shape.distance(x, y);
                    for (dx, dy) in [(h, 0.0), (0.0, h)] {
                        let step = (shape.distance(x + dx, y + dy) - here).abs();
                        assert!(step <= h * 1.001 + 1e-6, "{shape:?} at {x}, {y}: {step}");
                    }
                }
            }
        }
    }
}
