//! The universal hash of the OT extension's consistency check: POLYVAL (RFC 8452, section 3) over the blocks
//! of a column under a key that the owner's challenge fixes, plus the sacrificed block unmultiplied.
//!
//! For n blocks x_1 … x_n and the sacrificed x_0 the digest is Σ x_i·h^(n+1-i) ⊕ x_0. It is linear; a nonzero
//! difference of two strings is a nonzero polynomial in h of degree at most n with the same x_0, so over the
//! choice of h it vanishes with probability at most n / 2^128. x_0, uniform and used for nothing else,
//! hides everything the digest could say about the rest.

use aes::cipher::Array;
use polyval::Polyval;
use polyval::universal_hash::UniversalHash;

use crate::blocks::xor;
use crate::columns::{GROUP, STRIDE, group_buffer, map_groups};
use crate::labels::{self, Block, SetupId};

/// a·b in POLYVAL's field (its `dot`, which carries a factor x^-128).
fn times(by: &Polyval, block: &Block) -> Block {
    let mut state = by.clone();
    state.update(&[(*block).into()]);
    state.finalize().into()
}

/// The key h that a challenge stands for.
pub(crate) fn challenge_key(setup: &SetupId, challenge: &[u8; 32]) -> Block {
    labels::key(labels::CHALLENGE, setup, &[challenge])
}

/// The digests of `lanes` columns of `blocks` blocks and a sacrificed one; `fill` writes blocks
/// `first .. first + count` of column j to `group[j * STRIDE ..]`.
pub(crate) fn digests(
    h: &Block,
    blocks: usize,
    lanes: usize,
    fill: impl Fn(usize, usize, &mut [Block]) + Sync,
) -> Vec<Block> {
    let key = Polyval::new(&(*h).into());
    let partial = map_groups(blocks, lanes, |first, count, group| {
        fill(first, count, group);
        let hash = |lane: &[Block]| -> Block {
            let mut state = key.clone();
            state.update(Array::cast_slice_from_core(&lane[..count]));
            state.finalize().into()
        };
        (count, group.chunks(STRIDE).map(hash).collect::<Vec<_>>())
    });
    let (full, last) = (power(h, GROUP), power(h, (blocks - 1) % GROUP + 1));
    let mut total = vec![[0; 16]; lanes];
    for (count, digests) in partial {
        let shift = if count == GROUP { &full } else { &last };
        for (total, digest) in total.iter_mut().zip(&digests) {
            *total = xor(&times(shift, total), digest);
        }
    }
    let mut sacrificed = group_buffer(lanes);
    fill(blocks, 1, &mut sacrificed);
    for (total, lane) in total.iter_mut().zip(sacrificed.chunks(STRIDE)) {
        *total = xor(total, &lane[0]);
    }
    total
}

/// Multiplication by h^count, count ≥ 1.
fn power(h: &Block, count: usize) -> Polyval {
    let key = Polyval::new(&(*h).into());
    let power = (1..count).fold(*h, |power, _| times(&key, &power));
    Polyval::new(&power.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_polyval_of_rfc_8452_appendix_a() {
        let h = 0x2562_9347_5892_4276_1d31_f826_ba4b_757b_u128.to_be_bytes();
        let blocks = [
            0x4f4f_9566_8c83_dfb6_4017_62bb_2d01_a262_u128,
            0xd1a2_4ddd_2721_d006_bbe4_5f20_d3c9_f362,
        ]
        .map(u128::to_be_bytes);
        let key = Polyval::new(&h.into());
        let digest = times(&key, &xor(&times(&key, &blocks[0]), &blocks[1]));
        assert_eq!(
            digest,
            0xf7a3_b47b_8461_19fa_e5b7_866c_f5e5_b77e_u128.to_be_bytes()
        );
    }

    #[test]
    fn a_digest_in_groups_is_one_polyval_over_the_whole_column() {
        let h: Block = *b"any hash key h..";
        for blocks in [1, 2, GROUP - 1, GROUP, GROUP + 1, 3 * GROUP, 3 * GROUP + 5] {
            let value = |index: usize| -> Block {
                ((index as u128 + 7).wrapping_mul(u128::MAX / 1_000_003)).to_le_bytes()
            };
            let got = digests(&h, blocks, 1, |first, count, group| {
                for (offset, block) in group[..count].iter_mut().enumerate() {
                    *block = value(first + offset);
                }
            });
            let mut whole = Polyval::new(&h.into());
            for index in 0..blocks {
                whole.update(&[value(index).into()]);
            }
            assert_eq!(got, [xor(&whole.finalize().into(), &value(blocks))]);
        }
    }
}
