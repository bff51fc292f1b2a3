//! The asker's opening of the owner's rows. Arithmetic is mod 2^ℓ.
//!
//! The asker knows every r_{u,j} but the one of its category c_u, and C_u = y_u + Σ_j r_{u,j}. For each leaf it adds
//! up O_j = Σ_{u: c_u ≠ j} r_{u,j} + Σ_{u: c_u = j} (C_u − Σ_{i≠j} r_{u,i}). With the owner's S_j = Σ_u r_{u,j},
//! O_j − S_j is the sum of y_u over the slots with c_u = j: each row of the owner is in exactly one leaf, with
//! weight one. O_j is uniform to the asker until the owner releases a noised −S_j. The work is the same for all
//! c: the masks of the unknown leaf are computed from noise like any other and left out by arithmetic.

use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::blocks::equal_mask;
use crate::error::{Error, Result};
use crate::labels::SetupId;
use crate::leaves::{Question, stream, words};
use crate::ot_extension::block_at;
use crate::shape::Shape;
use crate::sums::{add, slots_at_once, to_bytes};
use crate::tree::{Batch, Grower};

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
