//! Identifiers become points of curve25519, points are checked, and points are masked.
//!
//! Steps 2 and 4 of protocol section 2. A point is named by its u-coordinate, 32 bytes, as in RFC 7748.
//!
//! Both masks use Edwards form rather than the Montgomery ladder: with AVX2 it is faster, it is constant time
//! in the scalar as well, and the on-curve check of a peer's point leaves us in Edwards form anyway.
//! `mul_clamped` multiplies by the clamped integer itself, not by its residue modulo the group order, so the
//! result is the ladder's for every point of the curve, those with a torsion part included.

use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};
use rayon::prelude::*;
use sha2::Sha512;
use zeroize::Zeroizing;

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
    Ok(map_groups(strings, |string| hash(dst, &[string])))
}

/// Returns u(a * H(tag || string)) for every string, in order, under our own tag of domain separation.
///
/// `tag` keeps people and the two kinds of dummies apart; all go through the same constant-time arithmetic.
pub fn hash_and_mask(scalar: &MaskScalar, tag: u8, strings: ByteStrings<'_>) -> Vec<Point> {
    map_groups(strings, |string| {
        scalar.mask(&hash(HASH_TO_CURVE_DST, &[&[tag], string]))
    })
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
    // RFC 7748 would ignore a high bit and reduce a number from p on, which gives a point a second spelling.
    if !point.iter().rev().lt(FIELD_ORDER.iter().rev()) {
        return Err(Error::new("a point is not the canonical number below p"));
    }
    let decoded = MontgomeryPoint(*point)
        .to_edwards(0)
        .ok_or(Error::new("a point is not on the curve"))?;
    // A clamped scalar is a multiple of 8 and no multiple of the group order, so the points of order 1, 2, 4
    // and 8 are exactly those that RFC 7748 section 6.1 would have us notice by an all-zero result.
    if decoded.is_small_order() {
        return Err(Error::new("a point has small order"));
    }
    Ok(decoded)
}

fn map_groups<F>(strings: ByteStrings<'_>, point_of: F) -> Vec<Point>
where
    F: Fn(&[u8]) -> EdwardsPoint + Sync,
{
    let groups: Vec<Vec<Point>> = (0..strings.len().div_ceil(GROUP))
        .into_par_iter()
        .map(|group| {
            let end = strings.len().min((group + 1) * GROUP);
            let points: Vec<_> = (group * GROUP..end)
                .map(|index| point_of(strings.get(index)))
                .collect();
            affine(&points)
        })
        .collect();
    groups.concat()
}

fn affine(points: &[EdwardsPoint]) -> Vec<Point> {
    EdwardsPoint::to_montgomery_batch(points)
        .into_iter()
        .map(|point| point.0)
        .collect()
}
