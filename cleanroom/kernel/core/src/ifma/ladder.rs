//! The Montgomery ladder of RFC 7748 section 5 on eight points of curve25519 under one scalar.

use super::field::{Field, exchange};

/// u(k P) as a fraction for eight affine u(P); `scalar` is clamped already, so bit 254 is its highest.
///
/// The divisor is zero exactly where k P is the point at infinity: P has order 1, 2, 4 or 8.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn multiply(point: Field, scalar: &[u8; 32]) -> (Field, Field) {
    let (mut x2, mut z2) = (Field::small(1), Field::small(0));
    let (mut x3, mut z3) = (point, Field::small(1));
    let mut swapped = 0;
    for bit in (0..255).rev() {
        let set = scalar[bit / 8] >> (bit % 8) & 1;
        let swap = 0u8.wrapping_sub(swapped ^ set);
        exchange(swap, &mut x2, &mut x3);
        exchange(swap, &mut z2, &mut z3);
        swapped = set;
        let (a, b) = (x2.add(z2), x2.sub(z2));
        let (da, cb) = (x3.sub(z3).mul(a), x3.add(z3).mul(b));
        x3 = da.add(cb).square();
        z3 = da.sub(cb).square().mul(point);
        (x2, z2) = doubled(a, b);
    }
    let swap = 0u8.wrapping_sub(swapped);
    exchange(swap, &mut x2, &mut x3);
    exchange(swap, &mut z2, &mut z3);
    (x2, z2)
}

/// 8 P from u(P), both as fractions: the cofactor is cleared.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn times_8((mut x, mut z): (Field, Field)) -> (Field, Field) {
    for _ in 0..3 {
        (x, z) = doubled(x.add(z), x.sub(z));
    }
    (x, z)
}

/// 2 P from x + z and x - z.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn doubled(sum: Field, difference: Field) -> (Field, Field) {
    let (aa, bb) = (sum.square(), difference.square());
    let e = aa.sub(bb);
    (aa.mul(bb), e.mul(aa.add(e.times(121_665))))
}
