//! How large every message of a set-up is: a function of the number of slots and the depth of the trees only.
//!
//! The OTs of a set-up are laid out in blocks of 128. Block `(slot / 128) * depth + level - 1` holds, for one
//! level (1 is the root's children), the OTs of 128 slots in order; in the last slot block the slots past the
//! end are padding. After all of them comes one sacrificed block, whose choices are the asker's random pad.

use crate::error::{Error, Result};

/// OTs per block, and columns of the matrix: the computational security parameter.
pub const LANES: usize = 128;

/// Bytes of one block of the matrix: for each of the 128 columns, 128 bits.
pub const MATRIX_BLOCK_BYTES: usize = LANES * 16;

/// Most slots in a set-up; the leaf generator's slot field would hold 2^32.
pub const MAX_SLOTS: usize = 1 << 24;

/// The public shape of a set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    slots: usize,
    depth: usize,
}

impl Shape {
    /// Refuses a depth other than 1, 4, 6, 8 (2, 16, 64, 256 leaves), no slots, and more than 2^24 slots.
    pub const fn new(slots: usize, depth: usize) -> Result<Self> {
        if !matches!(depth, 1 | 4 | 6 | 8) {
            return Err(Error::new("a slot tree has depth 1, 4, 6 or 8"));
        }
        if slots == 0 || slots > MAX_SLOTS {
            return Err(Error::new("a set-up has between 1 and 2^24 slots"));
        }
        Ok(Self { slots, depth })
    }

    /// The shape that a list of `bytes` bytes has at `each` bytes a slot.
    pub const fn from_bytes(bytes: usize, each: usize, depth: usize) -> Result<Self> {
        if each == 0 || !bytes.is_multiple_of(each) {
            return Err(Error::new("the list does not hold a whole number of slots"));
        }
        Self::new(bytes / each, depth)
    }

    /// Slots M.
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// Levels of a slot's tree below its root.
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Leaves K of a slot's tree.
    pub const fn leaves(&self) -> usize {
        1 << self.depth
    }

    /// Blocks of 128 OTs, without the sacrificed one.
    pub const fn blocks(&self) -> usize {
        self.slots.div_ceil(LANES) * self.depth
    }

    /// Bytes of the asker's matrix.
    pub const fn matrix_len(&self) -> usize {
        (self.blocks() + 1) * MATRIX_BLOCK_BYTES
    }

    /// Bytes of the owner's two level-1 nodes per slot.
    pub const fn nodes_len(&self) -> usize {
        self.slots * 32
    }

    /// Bytes of the owner's corrections: two blocks per slot and level from 2 on.
    pub const fn corrections_len(&self) -> usize {
        self.slots * (self.depth - 1) * 32
    }

    /// Bytes of what the asker keeps: one node per slot and level.
    pub const fn siblings_len(&self) -> usize {
        self.slots * self.depth * 16
    }
}
