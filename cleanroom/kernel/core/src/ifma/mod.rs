//! Matching's arithmetic on eight points at once, where the processor has AVX-512 IFMA.
//!
//! The same numbers as `curve.rs` computes with dalek, several times as fast; the tests compare the two. All time that
//! depends on data depends on what is public: on lengths, and on which of a peer's points are refused.
//!
//! This module holds the kernel's only `unsafe`: one call into code for these instructions, after asking the
//! processor for them. That code touches no memory but through slices and arrays.

mod elligator;
mod field;
mod ladder;

use field::{Field, LANES, quotients};
use zeroize::Zeroizing;

use crate::curve::Point;

/// Why a peer's point is refused.
pub(crate) enum Flaw {
    /// Not the u of a point of the curve.
    NotOnCurve,
    /// The point has order 1, 2, 4 or 8.
    SmallOrder,
}

/// Whether this processor has the instructions.
pub(crate) fn available() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

/// Points of a group of strings, masked when there is a clamped scalar: `None` for the one in 2^250 that the
/// formulas here do not cover.
///
/// # Panics
/// When `available` is false.
pub(crate) fn hash_group(
    dst: &[u8],
    strings: &[[&[u8]; 2]],
    scalar: Option<&[u8; 32]>,
) -> Vec<Option<Point>> {
    assert!(available());
    // SAFETY: the processor has the features that the function is compiled for; it asks for nothing else.
    #[allow(unsafe_code)]
    unsafe {
        hash_lanes(dst, strings, scalar)
    }
}

/// A group of a peer's points, below p each, masked with a clamped scalar; or what is wrong with the first bad one.
///
/// # Panics
/// When `available` is false.
pub(crate) fn mask_group(
    points: &[Point],
    scalar: &[u8; 32],
) -> Result<Zeroizing<Vec<Point>>, Flaw> {
    assert!(available());
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe {
        mask_lanes(points, scalar)
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn hash_lanes(dst: &[u8], strings: &[[&[u8]; 2]], scalar: Option<&[u8; 32]>) -> Vec<Option<Point>> {
    // Unmasked points are as good as identifiers to whoever can try out identifiers.
    let mut points = Zeroizing::new(Vec::with_capacity(strings.len().div_ceil(LANES)));
    for eight in strings.chunks(LANES) {
        let padded = core::array::from_fn(|lane| *eight.get(lane).unwrap_or(&eight[0]));
        points.push(ladder::times_8(elligator::hash_without_cofactor(
            dst, &padded,
        )));
    }
    let missing: Vec<_> = points.iter().map(|(_, z)| z.is_zero()).collect();
    quotients(&mut points);
    if let Some(scalar) = scalar {
        multiply_all(&mut points, scalar);
    }
    let found = points.iter().zip(missing).flat_map(|((u, _), missing)| {
        let bytes = bytes_of(*u);
        (0..LANES).map(move |lane| (missing >> lane & 1 == 0).then_some(bytes[lane]))
    });
    found.take(strings.len()).collect()
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn mask_lanes(points: &[Point], scalar: &[u8; 32]) -> Result<Zeroizing<Vec<Point>>, Flaw> {
    let mut masked = Zeroizing::new(Vec::with_capacity(points.len().div_ceil(LANES)));
    for eight in points.chunks(LANES) {
        let padded: [Point; LANES] =
            core::array::from_fn(|lane| *eight.get(lane).unwrap_or(&eight[0]));
        masked.push((Field::from_words(&padded.map(words)), Field::small(1)));
    }
    let on_curve: Vec<_> = masked.iter().map(|(u, _)| is_on_curve(*u)).collect();
    multiply_all(&mut masked, scalar);
    let mut found = Zeroizing::new(Vec::with_capacity(points.len()));
    for ((eight, (u, _)), on_curve) in points.chunks(LANES).zip(masked.iter()).zip(on_curve) {
        let (bytes, small) = (Zeroizing::new(bytes_of(*u)), u.is_zero());
        for (lane, point) in bytes.iter().enumerate().take(eight.len()) {
            if on_curve >> lane & 1 == 0 {
                return Err(Flaw::NotOnCurve);
            }
            if small >> lane & 1 == 1 {
                return Err(Flaw::SmallOrder);
            }
            found.push(*point);
        }
    }
    Ok(found)
}

/// Replaces every affine u(P) by u(k P), 0 for the point at infinity.
#[target_feature(enable = "avx512f,avx512ifma")]
fn multiply_all(points: &mut [(Field, Field)], scalar: &[u8; 32]) {
    for point in points.iter_mut() {
        *point = ladder::multiply(point.0, scalar);
    }
    quotients(points);
}

/// Where u^3 + J u^2 + u is a square: elsewhere u belongs to the twist.
#[target_feature(enable = "avx512f,avx512ifma")]
fn is_on_curve(u: Field) -> u8 {
    let square = u.square();
    square
        .add(u.times(486_662))
        .add(Field::small(1))
        .mul(u)
        .is_square()
}

fn words(point: Point) -> [u64; 4] {
    let (words, _) = point.as_chunks::<8>();
    core::array::from_fn(|place| u64::from_le_bytes(words[place]))
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn bytes_of(field: Field) -> [Point; LANES] {
    field.to_words().map(|words| {
        let mut bytes = [0; 32];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    })
}
