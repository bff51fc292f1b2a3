//! The masks of a question: every leaf of every slot's tree gives m words of ℓ bits, and what is added up.
//!
//! r_{u,j} is AES-128 in counter mode under leaf j of slot u; a block is question (64 bits) ‖ slot (32) ‖
//! plane (8) ‖ counter (24), big-endian, and the stream is read as little-endian words of ℓ = 8·width bits.
//! The block is full, so no label fits in; none is needed, as a leaf is a key for nothing else and its tree
//! was grown under keys of the set-up. A question must be used once: the owner's counter sees to it.

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

use crate::error::{Error, Result};
use crate::labels::Block;

/// Most words in a question's row.
pub const MAX_WORDS: usize = 4096;

/// What names a question's masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    number: u64,
    plane: u8,
    words: usize,
    width: usize,
}

impl Question {
    /// `width` is ℓ/8: 3, 4, 6 or 8 bytes. `words` is m: 1 to 4096.
    pub const fn new(number: u64, plane: u8, words: usize, width: usize) -> Result<Self> {
        if !matches!(width, 3 | 4 | 6 | 8) {
            return Err(Error::new("a word has 3, 4, 6 or 8 bytes"));
        }
        if words == 0 || words > MAX_WORDS {
            return Err(Error::new("a row has between 1 and 4096 words"));
        }
        Ok(Self {
            number,
            plane,
            words,
            width,
        })
    }

    /// Words m of a row.
    pub const fn words(&self) -> usize {
        self.words
    }

    /// Bytes of a word.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Bytes of a row.
    pub const fn row_len(&self) -> usize {
        self.words * self.width
    }

    /// 2^ℓ − 1.
    pub const fn mask(&self) -> u64 {
        u64::MAX >> (64 - 8 * self.width)
    }

    /// Writes the blocks to be encrypted for one slot, as many as a row needs.
    pub(crate) fn counters(&self, slot: usize, blocks: &mut [Block]) {
        let head =
            u128::from(self.number) << 64 | (slot as u128) << 32 | u128::from(self.plane) << 24;
        for (counter, block) in blocks.iter_mut().enumerate() {
            *block = (head | counter as u128).to_be_bytes();
        }
    }

    /// Blocks of a row.
    pub(crate) const fn blocks(&self) -> usize {
        self.row_len().div_ceil(16)
    }
}

/// Encrypts `counters` under one leaf into `stream`.
pub(crate) fn stream(leaf: &Block, counters: &[Block], stream: &mut [Block]) {
    stream.copy_from_slice(counters);
    aes::Aes128Enc::new(&Array(*leaf)).encrypt_blocks(Array::cast_slice_from_core_mut(stream));
}

/// The words of a byte string, `WIDTH` bytes each.
pub(crate) fn words<const WIDTH: usize>(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(WIDTH).map(|chunk| {
        let mut word = [0; 8];
        word[..WIDTH].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    })
}
