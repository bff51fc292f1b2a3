//! What the coordinator compares: 16 bytes in place of a double mask.
//!
//! Step 4 of protocol section 2. The coordinator learns which tags are equal; without the two parties' tag
//! key it cannot try out identifiers, and 128 bits leave no chance collision among millions.

use hmac::{Hmac, KeyInit, Mac};
use rayon::prelude::*;
use sha2::Sha256;

use crate::Result;
use crate::curve::{GROUP, MaskScalar, distinct, mask_group};
use crate::list::refuse_repeated;

/// A tag, as it travels.
pub type Tag = [u8; 16];

/// Checks a peer's points, masks each again and returns HMAC-SHA256(tag key, u)[..16] in their order.
///
/// The double masks of one group at a time exist inside this call, and nowhere else.
///
/// Two points that differ by a point of small order become one under the mask. Such points pass every check
/// on the list they came in and would put one person into it up to eight times, hence the second look at what
/// came out.
pub fn mask_and_tag(scalar: &MaskScalar, tag_key: &[u8; 32], points: &[u8]) -> Result<Vec<Tag>> {
    let keyed = Hmac::<Sha256>::new_from_slice(tag_key).expect("HMAC takes a key of any length");
    let groups = distinct(points)?
        .par_chunks(GROUP)
        .map(|group| {
            let masked = mask_group(scalar, group)?;
            Ok(masked.iter().map(|point| tag(&keyed, point)).collect())
        })
        .collect::<Result<Vec<Vec<Tag>>>>()?;
    let tags = groups.concat();
    refuse_repeated(&tags, "two points are one point under the mask")?;
    Ok(tags)
}

fn tag(keyed: &Hmac<Sha256>, masked: &[u8; 32]) -> Tag {
    let digest = keyed.clone().chain_update(masked).finalize().into_bytes();
    *digest
        .first_chunk()
        .expect("a SHA-256 digest is longer than a tag")
}
