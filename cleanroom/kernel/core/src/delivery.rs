//! Handing a slot's tree over: the asker gets every leaf but that of its category, the owner learns no category.
//!
//! Level 1 of a slot's tree is the two outputs of its first OT, v^0 and v^1. For each level i from 2 on the
//! owner sends e^b = v^b ⊕ (XOR of the level-i nodes whose last bit is b), v^b being the outputs of the slot's
//! i-th OT. The asker chose 1 − c[i], so it gets the XOR on the side that its path leaves; it knows all those
//! nodes but one, the sibling of its path, and so learns that one and nothing else. It has no check on what
//! it gets: an owner that sends nonsense spoils its own answer, and the asker's behaviour must not show it.
//!
//! OT outputs are the tweakable hash π(π(x) ⊕ t) ⊕ π(x) of a row (Guo, Katz, Wang, Yu, ePrint 2019/074, TMMO),
//! t = level (8 bytes) ‖ slot (8 bytes), big-endian, so unique in the set-up, and π AES-128 under a key hashed
//! from the set-up id.

use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::blocks::{Permutation, bit_mask, select, xor};
use crate::columns::{GROUP, group_buffer, rows_of};
use crate::error::{Error, Result};
use crate::labels::{self, Block, SetupId};
use crate::ot_extension::{Asker, Owner, block_at};
use crate::shape::LANES;
use crate::tree::{Batch, Grower};

/// The hash from rows of the extension to OT outputs.
struct Output(Permutation);

impl Output {
    fn new(setup: &SetupId) -> Self {
        Self(Permutation::new(&labels::key(labels::OUTPUT, setup, &[])))
    }

    /// Replaces rows by outputs: row r belongs to slot `first_slot + r`.
    fn apply(&self, level: usize, first_slot: usize, rows: &mut [Block; LANES]) {
        self.0.apply(rows);
        let inner = *rows;
        for (row, block) in rows.iter_mut().enumerate() {
            let tweak = (level as u128) << 64 | (first_slot + row) as u128;
            *block = xor(block, &tweak.to_be_bytes());
        }
        self.0.apply(rows);
        for (block, inner) in rows.iter_mut().zip(&inner) {
            *block = xor(block, inner);
        }
    }
}

/// Slot blocks worked on together, so that their OTs fill a group of columns.
fn slot_blocks_at_once(depth: usize) -> usize {
    GROUP / depth
}

/// Writes the owner's level-1 nodes (32 bytes per slot) and the corrections (32 bytes per slot and level from
/// 2 on, e^0 ‖ e^1). To be called only after `Owner::check` has passed, and once in the life of a set-up.
pub fn corrections(
    setup: &SetupId,
    owner: &Owner<'_>,
    nodes: &mut [u8],
    corrections: &mut [u8],
) -> Result<()> {
    let (shape, depth) = (owner.shape(), owner.shape().depth());
    if nodes.len() != shape.nodes_len() || corrections.len() != shape.corrections_len() {
        return Err(Error::new(
            "nodes and corrections have another size than the set-up",
        ));
    }
    let (output, grower) = (Output::new(setup), Grower::new(setup, depth));
    let slots_at_once = slot_blocks_at_once(depth) * LANES;
    // A depth of 1 has no corrections; one dummy list per chunk keeps the loop below the same.
    let per_slot = (depth - 1) * 32;
    let chunks = shape.slots().div_ceil(slots_at_once);
    let mut lists: Vec<&mut [u8]> = Vec::with_capacity(chunks);
    let mut rest = corrections;
    for _ in 0..chunks {
        let (list, tail) = rest.split_at_mut(rest.len().min(slots_at_once * per_slot));
        lists.push(list);
        rest = tail;
    }
    let work = |group: &mut Zeroizing<Vec<Block>>,
                (chunk, (nodes, corrections)): (usize, (&mut [u8], &mut [u8]))| {
        let slots = nodes.len() / 32;
        let first = chunk * slots_at_once;
        owner.expand(first / LANES * depth, slots.div_ceil(LANES) * depth, group);
        for level in 1..=depth {
            for start in (0..slots).step_by(LANES) {
                let rows = rows_of(group, start / LANES * depth + level - 1);
                let delta = u128::from_le_bytes(owner.delta());
                let mut messages = [
                    rows.map(u128::to_le_bytes),
                    rows.map(|row| (row ^ delta).to_le_bytes()),
                ];
                for messages in &mut messages {
                    output.apply(level, first + start, messages);
                }
                for slot in start..slots.min(start + LANES) {
                    let place = if level == 1 {
                        &mut nodes[slot * 32..][..32]
                    } else {
                        &mut corrections[slot * per_slot + (level - 2) * 32..][..32]
                    };
                    place[..16].copy_from_slice(&messages[0][slot - start]);
                    place[16..].copy_from_slice(&messages[1][slot - start]);
                }
            }
        }
        if depth == 1 {
            return;
        }
        let mut batch = Batch::new();
        for (nodes, corrections) in nodes
            .chunks(grower.trees() * 32)
            .zip(corrections.chunks_mut(grower.trees() * per_slot))
        {
            grower.grow(nodes, &mut batch, |level, nodes| {
                for (nodes, out) in nodes
                    .chunks_exact(1 << level)
                    .zip(corrections.chunks_exact_mut(per_slot))
                {
                    let mut sums = [[0; 16]; 2];
                    for pair in nodes.chunks_exact(2) {
                        sums = [xor(&sums[0], &pair[0]), xor(&sums[1], &pair[1])];
                    }
                    let out = &mut out[(level - 2) * 32..][..32];
                    for (side, sum) in sums.iter().enumerate() {
                        let sum = xor(&block_at(out, side), sum);
                        out[side * 16..][..16].copy_from_slice(&sum);
                    }
                }
            });
        }
    };
    nodes
        .par_chunks_mut(slots_at_once * 32)
        .zip(lists)
        .enumerate()
        .for_each_init(|| group_buffer(LANES), work);
    Ok(())
}

/// Writes what the asker keeps: for each slot the node beside its path at each level, 16 bytes each.
pub fn siblings(
    setup: &SetupId,
    asker: &Asker<'_>,
    categories: &[u8],
    corrections: &[u8],
    siblings: &mut [u8],
) -> Result<()> {
    let (shape, depth) = (asker.shape(), asker.shape().depth());
    if categories.len() != shape.slots() || siblings.len() != shape.siblings_len() {
        return Err(Error::new(
            "categories and siblings have another size than the set-up",
        ));
    }
    if corrections.len() != shape.corrections_len() {
        return Err(Error::new(
            "the corrections have another size than the set-up",
        ));
    }
    let (output, grower) = (Output::new(setup), Grower::new(setup, depth));
    let slots_at_once = slot_blocks_at_once(depth) * LANES;
    let per_slot = (depth - 1) * 32;
    let work = |group: &mut Zeroizing<Vec<Block>>,
                (chunk, (kept, categories)): (usize, (&mut [u8], &[u8]))| {
        let slots = categories.len();
        let first = chunk * slots_at_once;
        asker.expand(first / LANES * depth, slots.div_ceil(LANES) * depth, group);
        // First the OT outputs, each unmasking its correction, into the places where the siblings will be.
        for level in 1..=depth {
            for start in (0..slots).step_by(LANES) {
                let mut rows =
                    rows_of(group, start / LANES * depth + level - 1).map(u128::to_le_bytes);
                output.apply(level, first + start, &mut rows);
                for slot in start..slots.min(start + LANES) {
                    let mut message = rows[slot - start];
                    if level > 1 {
                        let pair =
                            &corrections[(first + slot) * per_slot + (level - 2) * 32..][..32];
                        let choice = bit_mask(1 ^ (categories[slot] >> (depth - level)));
                        message = xor(
                            &message,
                            &select(choice, &block_at(pair, 1), &block_at(pair, 0)),
                        );
                    }
                    kept[(slot * depth + level - 1) * 16..][..16].copy_from_slice(&message);
                }
            }
        }
        let mut batch = Batch::new();
        let trees = grower.trees();
        for (kept, categories) in kept
            .chunks_mut(trees * depth * 16)
            .zip(categories.chunks(trees))
        {
            grower.regrow(categories, &mut batch, |tree, level, other| {
                let place = &mut kept[(tree * depth + level - 1) * 16..][..16];
                let node = xor(&block_at(place, 0), &other);
                place.copy_from_slice(&node);
                node
            });
        }
    };
    siblings
        .par_chunks_mut(slots_at_once * depth * 16)
        .zip(categories.par_chunks(slots_at_once))
        .enumerate()
        .for_each_init(|| group_buffer(LANES), work);
    Ok(())
}
