//! Millions of oblivious transfers from 128: SoftSpokenOT with its consistency check.
//!
//! Roy, "SoftSpokenOT" (CRYPTO 2022, ePrint 2022/192), the maliciously secure protocol with k = 1, where its
//! small-field VOLE needs no inner trees; restated in KOS15 as revised (ePrint 2015/546, figure 10). The asker
//! is the extension's receiver. Column j of its matrix is u_j = t_j ⊕ G(k_{j,1}) ⊕ x with t_j = G(k_{j,0}) and
//! x its choice bits; the owner has q_j = G(k_{j,Δ_j}) ⊕ Δ_j·u_j = t_j ⊕ Δ_j·x. So row i of the owner is
//! t_i ⊕ x_i·Δ: one of the OT's two messages is a hash of q_i, the other of q_i ⊕ Δ, and the asker has t_i.
//!
//! An asker could put different x into different columns and learn bits of Δ, so the owner, once it has stored
//! the whole matrix, sends a challenge and checks q̃_j = t̃_j ⊕ Δ_j·x̃ on universal hashes. Two columns that
//! differ agree in the hash with probability at most n / 2^128 over the challenge (`consistency`, n blocks), any
//! two of the 128 with at most 8128·n / 2^128: 2^-99 for 2^21 slots of 16 leaves. Otherwise the g columns that
//! do not fit the answered x̃ each need a guess of their bit of Δ: the asker passes with probability 2^-g, then
//! knows g bits and lacks 128 − g, and if it fails the set-up is dead. The owner must give the asker nothing
//! that depends on Δ before the check has passed.
//!
//! The choice at level i is 1 − c[i], c[i] being the category's bits, most significant first: the asker is to
//! get what lies beside its path, not on it. Choices of padding OTs are 0; they are used for nothing. The
//! choices of the sacrificed block are `pad`: 128 random bits, fresh for each set-up, that hide x in x̃.
//! Matrix layout: blocks in the order of `shape`, in each the 128 columns in order, 16 bytes each.
//! Constant time in categories, seeds and Δ.

use rayon::prelude::*;

use crate::blocks::{bit_mask, xor};
use crate::columns::{Columns, GROUP, STRIDE, group_buffer};
use crate::consistency::{challenge_key, digests};
use crate::error::{Error, Result};
use crate::labels::{Block, SetupId};
use crate::shape::{LANES, MATRIX_BLOCK_BYTES, Shape};

/// The asker's answer to the challenge: the digest of its choices, then of each of its columns.
pub const ANSWER_BYTES: usize = 16 + LANES * 16;

/// A block in the middle of a slice.
pub(crate) fn block_at(bytes: &[u8], index: usize) -> Block {
    let mut block = [0; 16];
    block.copy_from_slice(&bytes[index * 16..][..16]);
    block
}

/// The asker's side of a set-up.
pub struct Asker<'a> {
    shape: Shape,
    categories: &'a [u8],
    zero: Columns,
    one: Columns,
}

impl<'a> Asker<'a> {
    /// `seeds`: k_0 ‖ k_1 for each instance, 4096 bytes. `categories`: one byte per slot, less than K.
    pub fn new(setup: &SetupId, seeds: &[u8], categories: &'a [u8], depth: usize) -> Result<Self> {
        let shape = Shape::new(categories.len(), depth)?;
        if seeds.len() != LANES * 32 {
            return Err(Error::new("the asker's base-OT seeds have 4096 bytes"));
        }
        // One branch on the union of all categories: it is taken only by a program error of the asker's own.
        let union = categories
            .iter()
            .fold(0, |union, category| union | category);
        if usize::from(union) >= shape.leaves() {
            return Err(Error::new("a category is not a leaf of the slot's tree"));
        }
        let seeds_of =
            |message| (0..LANES).map(move |column| block_at(seeds, 2 * column + message));
        let (zero, one) = (
            Columns::new(setup, seeds_of(0)),
            Columns::new(setup, seeds_of(1)),
        );
        Ok(Self {
            shape,
            categories,
            zero,
            one,
        })
    }

    /// The public shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The choice bits of one block; all zero past the last slot.
    fn choices(&self, block: usize, pad: &Block) -> Block {
        let depth = self.shape.depth();
        if block == self.shape.blocks() {
            return *pad;
        }
        let shift = depth - 1 - block % depth;
        let first = block / depth * LANES;
        let last = (first + LANES).min(self.shape.slots());
        let mut bits = 0_u128;
        for (slot, category) in self.categories[first..last].iter().enumerate() {
            bits |= u128::from(1 ^ (category >> shift) & 1) << slot;
        }
        bits.to_le_bytes()
    }

    /// Writes the matrix, `shape().matrix_len()` bytes.
    pub fn matrix(&self, pad: &Block, matrix: &mut [u8]) -> Result<()> {
        if matrix.len() != self.shape.matrix_len() {
            return Err(Error::new("the matrix has another size than the set-up"));
        }
        let buffers = || (group_buffer(LANES), group_buffer(LANES));
        let groups = matrix
            .par_chunks_mut(GROUP * MATRIX_BLOCK_BYTES)
            .enumerate();
        groups.for_each_init(buffers, |(zero, one), (group, matrix)| {
            let (first, count) = (group * GROUP, matrix.len() / MATRIX_BLOCK_BYTES);
            self.zero.expand(first, count, zero);
            self.one.expand(first, count, one);
            for (offset, matrix) in matrix.chunks_exact_mut(MATRIX_BLOCK_BYTES).enumerate() {
                let choices = self.choices(first + offset, pad);
                for (column, out) in matrix.chunks_exact_mut(16).enumerate() {
                    let at = column * STRIDE + offset;
                    out.copy_from_slice(&xor(&xor(&zero[at], &one[at]), &choices));
                }
            }
        });
        Ok(())
    }

    /// The answer to the owner's challenge: x̃ ‖ t̃_0 ‖ … ‖ t̃_127.
    pub fn answer(&self, setup: &SetupId, pad: &Block, challenge: &[u8; 32]) -> Vec<u8> {
        let key = challenge_key(setup, challenge);
        let fill = |first: usize, count: usize, group: &mut [Block]| {
            let (columns, choices) = group.split_at_mut(LANES * STRIDE);
            self.zero.expand(first, count, columns);
            for (offset, block) in choices[..count].iter_mut().enumerate() {
                *block = self.choices(first + offset, pad);
            }
        };
        let mut answer = digests(&key, self.shape.blocks(), LANES + 1, fill);
        answer.rotate_right(1);
        answer.concat()
    }

    /// Writes columns t of some blocks to a group buffer.
    pub(crate) fn expand(&self, first: usize, count: usize, group: &mut [Block]) {
        self.zero.expand(first, count, group);
    }
}

/// The owner's side of a set-up, with the asker's matrix.
pub struct Owner<'a> {
    shape: Shape,
    delta: Block,
    matrix: &'a [u8],
    columns: Columns,
}

impl<'a> Owner<'a> {
    /// `seeds`: the chosen one for each instance, 2048 bytes. `matrix`: what the asker sent, of the exact size.
    pub fn new(
        setup: &SetupId,
        seeds: &[u8],
        delta: &Block,
        matrix: &'a [u8],
        shape: Shape,
    ) -> Result<Self> {
        if seeds.len() != LANES * 16 {
            return Err(Error::new("the owner's base-OT seeds have 2048 bytes"));
        }
        if matrix.len() != shape.matrix_len() {
            return Err(Error::new("the matrix has another size than the set-up"));
        }
        let columns = Columns::new(setup, (0..LANES).map(|column| block_at(seeds, column)));
        Ok(Self {
            shape,
            delta: *delta,
            matrix,
            columns,
        })
    }

    /// The public shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Δ.
    pub(crate) fn delta(&self) -> Block {
        self.delta
    }

    fn delta_mask(&self, column: usize) -> u128 {
        bit_mask(self.delta[column / 8] >> (column % 8))
    }

    /// Writes columns q of some blocks to a group buffer.
    pub(crate) fn expand(&self, first: usize, count: usize, group: &mut [Block]) {
        self.columns.expand(first, count, group);
        for column in 0..LANES {
            let mask = self.delta_mask(column);
            for offset in 0..count {
                let theirs = block_at(self.matrix, (first + offset) * LANES + column);
                let at = column * STRIDE + offset;
                let added = u128::from_ne_bytes(theirs) & mask;
                group[at] = (u128::from_ne_bytes(group[at]) ^ added).to_ne_bytes();
            }
        }
    }

    /// Refuses an answer that does not fit the matrix. One comparison over all columns, without early exit.
    pub fn check(&self, setup: &SetupId, challenge: &[u8; 32], answer: &[u8]) -> Result<()> {
        if answer.len() != ANSWER_BYTES {
            return Err(Error::new("the answer to the challenge has 2064 bytes"));
        }
        let key = challenge_key(setup, challenge);
        let fill =
            |first: usize, count: usize, group: &mut [Block]| self.expand(first, count, group);
        let choices = u128::from_ne_bytes(block_at(answer, 0));
        let mut difference = 0_u128;
        for (column, digest) in digests(&key, self.shape.blocks(), LANES, fill)
            .iter()
            .enumerate()
        {
            let expected = u128::from_ne_bytes(block_at(answer, column + 1))
                ^ (choices & self.delta_mask(column));
            difference |= expected ^ u128::from_ne_bytes(*digest);
        }
        if core::hint::black_box(difference) != 0 {
            return Err(Error::new(
                "consistency check failed: the matrix is not of one list of choices",
            ));
        }
        Ok(())
    }
}
