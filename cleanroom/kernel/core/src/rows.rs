//! The owner's masked rows and leaf sums, and the asker's opening of them. Arithmetic is mod 2^ℓ.
//!
//! The owner's row of slot u is C_u = y_u + Σ_j r_{u,j} over all K leaves, and S_j = Σ_u r_{u,j}. The asker,
//! who knows every r_{u,j} but the one of its category c_u, adds up for each leaf
//! O_j = Σ_{u: c_u ≠ j} r_{u,j} + Σ_{u: c_u = j} (C_u − Σ_{i≠j} r_{u,i}). For every leaf O_j − S_j is the sum of
//! y_u over the slots with c_u = j: each row enters exactly one leaf, with weight one, whatever the asker did.
//! A row is uniform to the asker, and O_j is too until the owner releases a noised −S_j.
//! The owner's work is the same for all y, the asker's for all c: no branch and no index depends on them.

use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::blocks::equal_mask;
use crate::error::{Error, Result};
use crate::labels::SetupId;
use crate::leaves::{Question, stream, words};
use crate::ot_extension::block_at;
use crate::shape::Shape;
use crate::tree::{Batch, Grower};

/// Work at once for each of the pool's threads is this fraction of its share.
const CHUNKS_PER_THREAD: usize = 4;

fn slots_at_once(shape: Shape, grower: &Grower) -> usize {
    let share = shape
        .slots()
        .div_ceil(CHUNKS_PER_THREAD * rayon::current_num_threads());
    share.max(128).next_multiple_of(grower.trees())
}

fn add(mut sums: Vec<u64>, other: Vec<u64>) -> Vec<u64> {
    for (sum, other) in sums.iter_mut().zip(other) {
        *sum = sum.wrapping_add(other);
    }
    sums
}

fn to_bytes(question: &Question, sums: Vec<u64>) -> Vec<u8> {
    sums.into_iter()
        .flat_map(|sum| (sum & question.mask()).to_le_bytes())
        .collect()
}

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

fn asker_slots<const WIDTH: usize>(
    grower: &Grower,
    question: &Question,
    first: usize,
    kept: &[u8],
    categories: &[u8],
    rows: &[u8],
) -> Vec<u64> {
    let (depth, count) = (grower.depth(), question.words());
    let leaves = 1 << depth;
    let mut opened = vec![0_u64; leaves * count];
    let mut missing = Zeroizing::new(vec![0_u64; count]);
    let mut counters = vec![[0; 16]; question.blocks()];
    let mut masks = Zeroizing::new(counters.clone());
    let mut batch = Batch::new();
    for (index, categories) in categories.chunks(grower.trees()).enumerate() {
        let start = index * grower.trees();
        let grown = grower.regrow(categories, &mut batch, |tree, level, _| {
            block_at(kept, (start + tree) * depth + level - 1)
        });
        for (tree, (leaves, category)) in grown.chunks_exact(leaves).zip(categories).enumerate() {
            let slot = start + tree;
            question.counters(first + slot, &mut counters);
            let row = words::<WIDTH>(&rows[slot * question.row_len()..][..question.row_len()]);
            missing
                .iter_mut()
                .zip(row)
                .for_each(|(missing, word)| *missing = word);
            for (number, (leaf, opened)) in leaves
                .iter()
                .zip(opened.chunks_exact_mut(count))
                .enumerate()
            {
                let known = !equal_mask(number as u32, u32::from(*category)) as u64;
                stream(leaf, &counters, &mut masks);
                let words = words::<WIDTH>(masks.as_flattened());
                for ((word, opened), missing) in words.zip(opened).zip(missing.iter_mut()) {
                    *opened = opened.wrapping_add(word & known);
                    *missing = missing.wrapping_sub(word & known);
                }
            }
            for (number, opened) in opened.chunks_exact_mut(count).enumerate() {
                let here = equal_mask(number as u32, u32::from(*category)) as u64;
                for (opened, missing) in opened.iter_mut().zip(missing.iter()) {
                    *opened = opened.wrapping_add(missing & here);
                }
            }
        }
    }
    opened
}

fn open_with<const WIDTH: usize>(
    grower: &Grower,
    question: &Question,
    shape: Shape,
    kept: &[u8],
    categories: &[u8],
    rows: &[u8],
) -> Vec<u64> {
    let at_once = slots_at_once(shape, grower);
    kept.par_chunks(at_once * shape.depth() * 16)
        .zip(categories.par_chunks(at_once))
        .zip(rows.par_chunks(at_once * question.row_len()))
        .enumerate()
        .map(|(index, ((kept, categories), rows))| {
            asker_slots::<WIDTH>(grower, question, index * at_once, kept, categories, rows)
        })
        .reduce(|| vec![0; shape.leaves() * question.words()], add)
}

/// The asker's O_j for every leaf: K·m words of 8 bytes, reduced mod 2^ℓ, little-endian.
pub fn open(
    setup: &SetupId,
    shape: Shape,
    question: &Question,
    siblings: &[u8],
    categories: &[u8],
    rows: &[u8],
) -> Result<Vec<u8>> {
    if siblings.len() != shape.siblings_len() || categories.len() != shape.slots() {
        return Err(Error::new(
            "siblings and categories are not of the same slots",
        ));
    }
    if rows.len() != shape.slots() * question.row_len() {
        return Err(Error::new("the rows have another size than the question"));
    }
    let union = categories
        .iter()
        .fold(0, |union, category| union | category);
    if usize::from(union) >= shape.leaves() {
        return Err(Error::new("a category is not a leaf of the slot's tree"));
    }
    let grower = Grower::new(setup, shape.depth());
    let work = match question.width() {
        3 => open_with::<3>,
        4 => open_with::<4>,
        6 => open_with::<6>,
        _ => open_with::<8>,
    };
    Ok(to_bytes(
        question,
        work(&grower, question, shape, siblings, categories, rows),
    ))
}
