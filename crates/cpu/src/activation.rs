use crate::*;
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    Relu,
    Gelu,
    Clamp(f32, f32),
}
impl Activation {
    #[inline(always)]
    pub(crate) fn apply_to_row<S: Simd>(self, _s: S, v: &mut [f32]) {
        for v in v {
            *v = match self {
                Self::Relu => v.max(0.0),
                Self::Gelu => *v * 2.0,
                Self::Clamp(a, b) => v.clamp(a, b),
            }
        }
    }
    pub fn apply_in_place(self, _: Isa, v: &mut [f32]) {
        for v in v {
            *v = match self {
                Self::Relu => v.max(0.0),
                Self::Gelu => *v * 2.0,
                Self::Clamp(a, b) => v.clamp(a, b),
            }
        }
    }
}
