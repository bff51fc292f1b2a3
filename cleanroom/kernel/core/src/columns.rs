//! The 128 columns of the OT extension, and turning columns into rows.
//!
//! A column is a pseudo-random bit string grown from one base-OT seed: block i is AES(i, 16 bytes big-endian)
//! under a key hashed from set-up id, column and seed. Bit s of a block is bit s % 8 of byte s / 8.

use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::blocks::Permutation;
use crate::labels::{self, Block, SetupId};
use crate::shape::LANES;

/// Blocks worked on at once: what the widest AES instructions take.
pub(crate) const GROUP: usize = 64;

/// Distance between two columns of a group: one spare block keeps them out of the same cache sets.
pub(crate) const STRIDE: usize = GROUP + 1;

/// The column generators of one side.
pub(crate) struct Columns(Vec<Permutation>);

impl Columns {
    pub(crate) fn new(setup: &SetupId, seeds: impl Iterator<Item = Block>) -> Self {
        let columns = seeds.enumerate().map(|(column, seed)| {
            Permutation::new(&labels::key(
                labels::COLUMN,
                setup,
                &[&[column as u8], &seed],
            ))
        });
        Self(columns.collect())
    }

    /// Writes blocks `first .. first + count` of column j to `group[j * STRIDE ..]`.
    pub(crate) fn expand(&self, first: usize, count: usize, group: &mut [Block]) {
        for (column, lane) in self.0.iter().zip(group.chunks_mut(STRIDE)) {
            for (offset, block) in lane[..count].iter_mut().enumerate() {
                *block = ((first + offset) as u128).to_be_bytes();
            }
            column.apply(&mut lane[..count]);
        }
    }
}

/// Room for a group of `lanes` columns, erased when dropped.
pub(crate) fn group_buffer(lanes: usize) -> Zeroizing<Vec<Block>> {
    Zeroizing::new(vec![[0; 16]; lanes * STRIDE])
}

/// Row r of block `offset`: bit j is bit r of column j.
pub(crate) fn rows_of(group: &[Block], offset: usize) -> [u128; LANES] {
    let mut rows = [0; LANES];
    for (row, lane) in rows.iter_mut().zip(group.chunks(STRIDE)) {
        *row = u128::from_le_bytes(lane[offset]);
    }
    transpose(&mut rows);
    rows
}

/// Transposes a 128 × 128 bit matrix in place (Warren, Hacker's Delight, section 7-3).
fn transpose(rows: &mut [u128; LANES]) {
    let mut half = LANES / 2;
    let mut mask = u128::MAX >> half;
    while half > 0 {
        for start in (0..LANES).step_by(2 * half) {
            for low in start..start + half {
                let moved = ((rows[low] >> half) ^ rows[low + half]) & mask;
                rows[low] ^= moved << half;
                rows[low + half] ^= moved;
            }
        }
        half /= 2;
        mask ^= mask << half;
    }
}

/// Calls `work` for every group of consecutive blocks, in parallel; the results keep the order of the groups.
pub(crate) fn map_groups<T: Send>(
    blocks: usize,
    lanes: usize,
    work: impl Fn(usize, usize, &mut [Block]) -> T + Sync,
) -> Vec<T> {
    let groups = blocks.div_ceil(GROUP);
    let run = |buffer: &mut Zeroizing<Vec<Block>>, group: usize| {
        let first = group * GROUP;
        work(first, GROUP.min(blocks - first), buffer)
    };
    (0..groups)
        .into_par_iter()
        .map_init(|| group_buffer(lanes), run)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transposed_matrix_has_rows_and_columns_exchanged() {
        let mut state = 1_u128;
        let mut rows = [0; LANES];
        for row in &mut rows {
            state = state
                .wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
                .wrapping_add(1);
            *row = state ^ (state >> 64);
        }
        let mut transposed = rows;
        transpose(&mut transposed);
        for (r, row) in rows.iter().enumerate() {
            for (c, column) in transposed.iter().enumerate() {
                assert_eq!((row >> c) & 1, (column >> r) & 1);
            }
        }
    }
}
