//! Identifiers become points of curve25519, points are checked, and points are masked.
//!
//! Steps 2 and 4 of protocol section 2. A point is named by its u-coordinate, 32 bytes, as in RFC 7748.
//!
//! Both masks use Edwards form rather than the Montgomery ladder: with AVX2 it is faster, it is constant time
//! in the scalar as well, and the on-curve check of a peer's point leaves us in Edwards form anyway.
//! `mul_clamped` multiplies by the clamped integer itself, not by its residue modulo the group order, so the
//! result is the ladder's for every point of the curve, those with a torsion part included.
//!
//! Where the processor has AVX-512 IFMA, `ifma` does the same on eight points at once; this file is then its
//! reference, its fallback, and the one that says what is refused.

#[cfg(target_arch = "x86_64")]
use curve25519_dalek::scalar::clamp_integer;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};
use rayon::prelude::*;
use sha2::Sha512;
use zeroize::Zeroizing;

#[cfg(target_arch = "x86_64")]
use crate::ifma;
use crate::list::{ByteStrings, refuse_repeated, rows};
use crate::{Error, Result};

/// The u-coordinate of a point, as it travels.
pub type Point = [u8; 32];

/// Our own domain separation tag of RFC 9380 section 3.1; the suite's name is its second half.
pub const HASH_TO_CURVE_DST: &[u8] = b"cleanroom/v1/hash-to-curve curve25519_XMD:SHA-512_ELL2_RO_";

/// Points are worked on in groups of this size, which share one field inversion (Montgomery's trick).
pub(crate) const GROUP: usize = 128;

/// p = 2^255 - 19, little-endian: the first number that is not a canonical u-coordinate.
const FIELD_ORDER: Point = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    bytes
};

const NOT_ON_CURVE: Error = Error::new("a point is not on the curve");
const SMALL_ORDER: Error = Error::new("a point has small order");

/// A match key: 32 uniform bytes, clamped as in RFC 7748 section 5 when used. Erased when dropped.
pub struct MaskScalar(Zeroizing<[u8; 32]>);

impl MaskScalar {
    /// Takes over a copy of the secret.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    fn mask(&self, point: &EdwardsPoint) -> EdwardsPoint {
        point.mul_clamped(*self.0)
    }

    #[cfg(target_arch = "x86_64")]
    fn clamped(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(clamp_integer(*self.0))
    }
}

/// The one way from bytes to a point: RFC 9380 section 8.5, `curve25519_XMD:SHA-512_ELL2_RO_`.
///
/// dalek's edwards25519 output is the image of that suite's output under the birational map of RFC 7748
/// section 4.1, cofactor cleared, so its u-coordinate is the suite's; the vectors of appendix J.4.1 check it.
fn hash(dst: &[u8], parts: &[&[u8]]) -> EdwardsPoint {
    EdwardsPoint::hash_to_curve::<Sha512>(parts, &[dst])
}

/// Hashes every string to a point and returns the u-coordinates.
///
/// Refuses a `dst` of no bytes or of more than 255, which RFC 9380 section 5.3.3 would first shorten.
pub fn hash_to_curve(dst: &[u8], strings: ByteStrings<'_>) -> Result<Vec<Point>> {
    if dst.is_empty() || dst.len() > 255 {
        return Err(Error::new("a domain separation tag has 1 to 255 bytes"));
    }
    Ok(hash_all(dst, &[], strings, None))
}

/// Returns u(a * H(tag || string)) for every string, in order, under our own tag of domain separation.
///
/// `tag` keeps people and the two kinds of dummies apart; all go through the same constant-time arithmetic.
pub fn hash_and_mask(scalar: &MaskScalar, tag: u8, strings: ByteStrings<'_>) -> Vec<Point> {
    hash_all(HASH_TO_CURVE_DST, &[tag], strings, Some(scalar))
}

/// Every check on a peer's list that needs no secret; see [`decode`] for those on a single point.
pub fn check_points(points: &[u8]) -> Result<()> {
    let points = distinct(points)?;
    points
        .par_iter()
        .try_for_each(|point| decode(point).map(drop))
}

/// Checks a group of a peer's points and masks it: u(b * P) for every point, in order.
///
/// A double mask must not leave the kernel, so the only caller turns it into tags at once.
pub(crate) fn mask_group(scalar: &MaskScalar, group: &[Point]) -> Result<Zeroizing<Vec<Point>>> {
    #[cfg(target_arch = "x86_64")]
    if ifma::available() {
        return mask_eight_at_once(scalar, group);
    }
    mask_one_by_one(scalar, group)
}

#[cfg(target_arch = "x86_64")]
fn mask_eight_at_once(scalar: &MaskScalar, group: &[Point]) -> Result<Zeroizing<Vec<Point>>> {
    group.iter().try_for_each(check_canonical)?;
    ifma::mask_group(group, &scalar.clamped()).map_err(|flaw| match flaw {
        ifma::Flaw::NotOnCurve => NOT_ON_CURVE,
        ifma::Flaw::SmallOrder => SMALL_ORDER,
    })
}

fn mask_one_by_one(scalar: &MaskScalar, group: &[Point]) -> Result<Zeroizing<Vec<Point>>> {
    let masked = group
        .iter()
        .map(|point| Ok(scalar.mask(&decode(point)?)))
        .collect::<Result<Vec<_>>>()
        .map(Zeroizing::new)?;
    Ok(Zeroizing::new(affine(&masked)))
}

/// A peer's list as rows: whole points only, none of them twice.
pub(crate) fn distinct(points: &[u8]) -> Result<Vec<Point>> {
    let points = rows(points, "a list of points is a multiple of 32 bytes")?;
    refuse_repeated(&points, "a point stands twice in the list")?;
    Ok(points)
}

/// Decodes one point of a peer, or refuses it, in a time that depends only on what its sender knows.
///
/// Either sign of the Edwards x-coordinate will do: P and -P have the same u, before and after a mask.
fn decode(point: &Point) -> Result<EdwardsPoint> {
    check_canonical(point)?;
    let decoded = MontgomeryPoint(*point).to_edwards(0).ok_or(NOT_ON_CURVE)?;
    // A clamped scalar is a multiple of 8 and no multiple of the group order, so the points of order 1, 2, 4
    // and 8 are exactly those that RFC 7748 section 6.1 would have us notice by an all-zero result.
    if decoded.is_small_order() {
        return Err(SMALL_ORDER);
    }
    Ok(decoded)
}

/// RFC 7748 would ignore a high bit and reduce a number from p on, which gives a point a second spelling.
fn check_canonical(point: &Point) -> Result<()> {
    if point.iter().rev().lt(FIELD_ORDER.iter().rev()) {
        Ok(())
    } else {
        Err(Error::new("a point is not the canonical number below p"))
    }
}

/// Hashes `prefix || string` for every string, and masks the points if there is a scalar.
fn hash_all(
    dst: &[u8],
    prefix: &[u8],
    strings: ByteStrings<'_>,
    scalar: Option<&MaskScalar>,
) -> Vec<Point> {
    let groups: Vec<Vec<Point>> = (0..strings.len().div_ceil(GROUP))
        .into_par_iter()
        .map(|group| {
            let end = strings.len().min((group + 1) * GROUP);
            let group: Vec<_> = (group * GROUP..end)
                .map(|index| [prefix, strings.get(index)])
                .collect();
            #[cfg(target_arch = "x86_64")]
            if ifma::available() {
                return hash_eight_at_once(dst, &group, scalar);
            }
            hash_group(dst, &group, scalar)
        })
        .collect();
    groups.concat()
}

fn hash_group(dst: &[u8], strings: &[[&[u8]; 2]], scalar: Option<&MaskScalar>) -> Vec<Point> {
    let points: Vec<_> = strings
        .iter()
        .map(|parts| {
            let point = hash(dst, parts);
            scalar.map_or(point, |scalar| scalar.mask(&point))
        })
        .collect();
    affine(&points)
}

#[cfg(target_arch = "x86_64")]
fn hash_eight_at_once(
    dst: &[u8],
    strings: &[[&[u8]; 2]],
    scalar: Option<&MaskScalar>,
) -> Vec<Point> {
    let clamped = scalar.map(MaskScalar::clamped);
    ifma::hash_group(dst, strings, clamped.as_deref())
        .into_iter()
        .zip(strings)
        .map(|(point, parts)| point.unwrap_or_else(|| hash_group(dst, &[*parts], scalar)[0]))
        .collect()
}

fn affine(points: &[EdwardsPoint]) -> Vec<Point> {
    EdwardsPoint::to_montgomery_batch(points)
        .into_iter()
        .map(|point| point.0)
        .collect()
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    fn scalar() -> MaskScalar {
        MaskScalar::new(Zeroizing::new(core::array::from_fn(|i| 37 * i as u8 + 5)))
    }

    fn texts(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|i| vec![i as u8; i % 150]).collect()
    }

    #[test]
    fn eight_at_once_hash_and_mask_as_one_by_one() {
        if !ifma::available() {
            return;
        }
        let texts = texts(203);
        let strings: Vec<[&[u8]; 2]> = texts.iter().map(|text| [&[1][..], text]).collect();
        for scalar in [None, Some(&scalar())] {
            let expected = hash_group(HASH_TO_CURVE_DST, &strings, scalar);
            assert_eq!(
                hash_eight_at_once(HASH_TO_CURVE_DST, &strings, scalar),
                expected
            );
            assert_eq!(
                ifma::hash_group(HASH_TO_CURVE_DST, &strings, None).len(),
                203
            );
        }
    }

    #[test]
    fn eight_at_once_mask_and_refuse_as_one_by_one() {
        if !ifma::available() {
            return;
        }
        // Small numbers, numbers just below and from p on, and hashes: on the curve, on the twist, of small order.
        let mut points: Vec<Point> = (0..64u8)
            .flat_map(|i| {
                let mut low = [0; 32];
                low[0] = i;
                let mut high = FIELD_ORDER;
                high[0] = 0xc0 + i;
                [low, high]
            })
            .collect();
        let texts = texts(100);
        let strings: Vec<[&[u8]; 2]> = texts.iter().map(|text| [&[][..], text]).collect();
        points.extend(hash_group(HASH_TO_CURVE_DST, &strings, None));
        for seed in 0..200u8 {
            let mut any = [0; 32];
            any.iter_mut()
                .enumerate()
                .for_each(|(i, byte)| *byte = (i as u8 + 1).wrapping_mul(seed) ^ seed);
            points.push(any);
        }
        let mut refused = 0;
        for point in &points {
            let expected = mask_one_by_one(&scalar(), &[*point]);
            refused += usize::from(expected.is_err());
            let found = mask_eight_at_once(&scalar(), &[*point]);
            assert_eq!(found.map(|list| list[0]), expected.map(|list| list[0]));
        }
        assert!(refused > 50 && refused + 150 < points.len());
    }
}
