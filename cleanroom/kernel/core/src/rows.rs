//! The owner's masked rows and leaf sums. Arithmetic is mod 2^ℓ.
//!
//! The row of slot u is C_u = y_u + Σ_j r_{u,j} over all K leaves, and the sum of leaf j is S_j = Σ_u r_{u,j}.
//! A row is uniform to the asker, who knows every r_{u,j} but the one of its own category (`opening` says what
//! it does with them). The S_j leave the owner only inside a noised release: bare, they would show the asker its
//! exact sums. The work is the same for all y: no branch and no index depends on them.

use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::labels::SetupId;
use crate::leaves::{Question, stream, words};
use crate::shape::Shape;
use crate::sums::{add, slots_at_once, to_bytes};
use crate::tree::{Batch, Grower};

/// Adds every leaf's words of some slots into `sums`; `finish` gets each slot's index and its total.
fn owner_slots<const WIDTH: usize>(
    grower: &Grower,
    question: &Question,
    first: usize,
    nodes: &[u8],
    mut finish: impl FnMut(usize, &[u64]),
) -> Vec<u64> {
    let (leaves, count) = (1 << grower.depth(), question.words());
    let mut sums = vec![0_u64; leaves * count];
    let mut total = Zeroizing::new(vec![0_u64; count]);
    let mut counters = vec![[0; 16]; question.blocks()];
    let mut masks = Zeroizing::new(counters.clone());
    let mut batch = Batch::new();
    for (index, nodes) in nodes.chunks(grower.trees() * 32).enumerate() {
        let grown = grower.grow(nodes, &mut batch, |_, _| {});
        for (tree, leaves) in grown.chunks_exact(leaves).enumerate() {
            let slot = index * grower.trees() + tree;
            question.counters(first + slot, &mut counters);
            total.fill(0);
            for (leaf, sums) in leaves.iter().zip(sums.chunks_exact_mut(count)) {
                stream(leaf, &counters, &mut masks);
                let words = words::<WIDTH>(masks.as_flattened());
                for ((word, sum), total) in words.zip(sums).zip(total.iter_mut()) {
                    *sum = sum.wrapping_add(word);
                    *total = total.wrapping_add(word);
                }
            }
            finish(slot, &total);
        }
    }
    sums
}

fn mask_with<const WIDTH: usize>(
    grower: &Grower,
    question: &Question,
    shape: Shape,
    nodes: &[u8],
    values: &[u8],
    rows: &mut [u8],
) -> Vec<u64> {
    let (at_once, row_len) = (slots_at_once(shape, grower), question.row_len());
    rows.par_chunks_mut(at_once * row_len)
        .zip(values.par_chunks(at_once * row_len))
        .zip(nodes.par_chunks(at_once * 32))
        .enumerate()
        .map(|(index, ((rows, values), nodes))| {
            let first = index * at_once;
            owner_slots::<WIDTH>(grower, question, first, nodes, |slot, total| {
                let range = slot * row_len..(slot + 1) * row_len;
                let values = words::<WIDTH>(&values[range.clone()]);
                let outs = rows[range].chunks_exact_mut(WIDTH);
                for ((out, value), total) in outs.zip(values).zip(total) {
                    out.copy_from_slice(&value.wrapping_add(*total).to_le_bytes()[..WIDTH]);
                }
            })
        })
        .reduce(|| vec![0; shape.leaves() * question.words()], add)
}

/// Writes the owner's rows, m·width bytes per slot, and returns its leaf sums: K·m words of 8 bytes, reduced
/// mod 2^ℓ, little-endian. `values` are y, m·width bytes per slot; `nodes` are the slots' level-1 nodes.
pub fn mask(
    setup: &SetupId,
    shape: Shape,
    question: &Question,
    nodes: &[u8],
    values: &[u8],
    rows: &mut [u8],
) -> Result<Vec<u8>> {
    let bytes = shape.slots() * question.row_len();
    if nodes.len() != shape.nodes_len() || values.len() != bytes || rows.len() != bytes {
        return Err(Error::new("nodes and values are not of the same slots"));
    }
    let grower = Grower::new(setup, shape.depth());
    let work = match question.width() {
        3 => mask_with::<3>,
        4 => mask_with::<4>,
        6 => mask_with::<6>,
        _ => mask_with::<8>,
    };
    Ok(to_bytes(
        question,
        work(&grower, question, shape, nodes, values, rows),
    ))
}

fn sums_with<const WIDTH: usize>(
    grower: &Grower,
    question: &Question,
    shape: Shape,
    nodes: &[u8],
) -> Vec<u64> {
    let at_once = slots_at_once(shape, grower);
    nodes
        .par_chunks(at_once * 32)
        .enumerate()
        .map(|(index, nodes)| {
            owner_slots::<WIDTH>(grower, question, index * at_once, nodes, |_, _| {})
        })
        .reduce(|| vec![0; shape.leaves() * question.words()], add)
}

/// The owner's leaf sums alone, as `mask` returns them.
pub fn leaf_sums(
    setup: &SetupId,
    shape: Shape,
    question: &Question,
    nodes: &[u8],
) -> Result<Vec<u8>> {
    if nodes.len() != shape.nodes_len() {
        return Err(Error::new("nodes have another size than the set-up"));
    }
    let grower = Grower::new(setup, shape.depth());
    let work = match question.width() {
        3 => sums_with::<3>,
        4 => sums_with::<4>,
        6 => sums_with::<6>,
        _ => sums_with::<8>,
    };
    Ok(to_bytes(question, work(&grower, question, shape, nodes)))
}
