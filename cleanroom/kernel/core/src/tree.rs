//! Growing slot trees: from two level-1 nodes to K leaves (the owner), or from the nodes beside one path to
//! all leaves but the one at its end (the asker).
//!
//! Goldreich-Goldwasser-Micali trees. The children of x are π_L(x) ⊕ x and π_R(x) ⊕ x, with π_L and π_R AES-128
//! under two keys hashed from the set-up id (Matyas-Meyer-Oseas; Guo, Katz, Wang, Yu, ePrint 2019/074).
//! One pair of keys serves all slots, so whoever tries out nodes tries all M·log K targets at once: about 105 of
//! the 128 bits are left for 2^21 slots of 16 leaves.
//!
//! Leaf j lies at the end of the path that spells j, most significant bit first. The trees of several slots are
//! grown together, each level in one call of AES: tree s has its level-i nodes at `s << i`.
//! Constant time in categories: every node is computed, the unknown ones from zeros, and masks choose.

use zeroize::Zeroize;

use crate::blocks::{Permutation, equal_mask, select, xor};
use crate::labels::{self, Block, SetupId};

/// Leaves in one batch of trees.
pub(crate) const BATCH_LEAVES: usize = 256;

/// The keyed doubling of a set-up's trees.
pub(crate) struct Grower {
    left: Permutation,
    right: Permutation,
    depth: usize,
}

/// Where a batch of trees grows; reused from batch to batch, erased when dropped.
pub(crate) struct Batch {
    nodes: [Block; BATCH_LEAVES],
    left: [Block; BATCH_LEAVES / 2],
    right: [Block; BATCH_LEAVES / 2],
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            nodes: [[0; 16]; _],
            left: [[0; 16]; _],
            right: [[0; 16]; _],
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.nodes.zeroize();
        self.left.zeroize();
        self.right.zeroize();
    }
}

impl Grower {
    pub(crate) fn new(setup: &SetupId, depth: usize) -> Self {
        let permutation = |label| Permutation::new(&labels::key(label, setup, &[]));
        Self {
            left: permutation(labels::TREE_LEFT),
            right: permutation(labels::TREE_RIGHT),
            depth,
        }
    }

    /// Levels of a tree.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Slots that share a batch.
    pub(crate) fn trees(&self) -> usize {
        BATCH_LEAVES >> self.depth
    }

    /// Replaces the first `parents` nodes by their children.
    fn double(&self, parents: usize, batch: &mut Batch) {
        let Batch { nodes, left, right } = batch;
        left[..parents].copy_from_slice(&nodes[..parents]);
        right[..parents].copy_from_slice(&nodes[..parents]);
        self.left.apply(&mut left[..parents]);
        self.right.apply(&mut right[..parents]);
        for parent in (0..parents).rev() {
            let node = nodes[parent];
            nodes[2 * parent] = xor(&left[parent], &node);
            nodes[2 * parent + 1] = xor(&right[parent], &node);
        }
    }

    /// Grows the owner's trees from `roots`, two level-1 nodes (32 bytes) per slot; `seen` gets each level from
    /// the second on. Returns the leaves.
    pub(crate) fn grow<'b>(
        &self,
        roots: &[u8],
        batch: &'b mut Batch,
        mut seen: impl FnMut(usize, &[Block]),
    ) -> &'b [Block] {
        for (node, root) in batch.nodes.iter_mut().zip(roots.chunks_exact(16)) {
            node.copy_from_slice(root);
        }
        let trees = roots.len() / 32;
        for level in 2..=self.depth {
            self.double(trees << (level - 1), batch);
            seen(level, &batch.nodes[..trees << level]);
        }
        &batch.nodes[..trees << self.depth]
    }

    /// Grows the asker's trees. `sibling(tree, level, other)` names the node beside tree's path at `level`,
    /// given the XOR of the other nodes of that level with its last bit. The leaf at the path's end is noise.
    pub(crate) fn regrow<'b>(
        &self,
        categories: &[u8],
        batch: &'b mut Batch,
        mut sibling: impl FnMut(usize, usize, Block) -> Block,
    ) -> &'b [Block] {
        let trees = categories.len();
        batch.nodes[..2 * trees].fill([0; 16]);
        for level in 1..=self.depth {
            if level > 1 {
                self.double(trees << (level - 1), batch);
            }
            let nodes = batch.nodes[..trees << level].chunks_exact_mut(1 << level);
            for (tree, (nodes, category)) in nodes.zip(categories).enumerate() {
                let place = u32::from(category >> (self.depth - level)) ^ 1;
                let mut other = [0; 16];
                for (index, node) in nodes.iter().enumerate() {
                    let index = index as u32;
                    let counts = equal_mask(index & 1, place & 1) & !equal_mask(index, place);
                    other = xor(&other, &select(counts, node, &[0; 16]));
                }
                let found = sibling(tree, level, other);
                for (index, node) in nodes.iter_mut().enumerate() {
                    *node = select(equal_mask(index as u32, place), &found, node);
                }
            }
        }
        &batch.nodes[..trees << self.depth]
    }
}
