//! One instruction: asks the processor for a cache line before it is needed. A no-op where there is none.

/// Fetches the line that `place` stands in.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "the intrinsic takes a raw pointer")]
pub(super) fn fetch<T>(place: &T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: SSE is part of x86_64, and a prefetch reads nothing: any address is allowed, this one is valid.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast()) }
}

/// No such instruction is known here.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn fetch<T>(_: &T) {}
