use hard_imagenet_cpu::Isa;

/// Returns the instruction set for the resampler: the best one with registers of up to 256 bits.
///
/// With AVX-512 a paired resize takes 15 to 20 % longer than with AVX2.
pub(crate) fn isa() -> Isa {
    match Isa::best() {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(avx512) => Isa::Avx2(avx512.avx2()),
        other => other,
    }
}
