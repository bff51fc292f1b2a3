//! Sixteen-byte blocks: AES over many of them, and choices among them without a branch.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use core::hint::black_box;

use crate::labels::Block;

/// AES-128 under one key, used as a permutation. Erased when dropped.
pub(crate) struct Permutation(Aes128Enc);

impl Permutation {
    pub(crate) fn new(key: &Block) -> Self {
        Self(Aes128Enc::new(&Array(*key)))
    }

    pub(crate) fn apply(&self, blocks: &mut [Block]) {
        self.0
            .encrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    }
}

pub(crate) fn xor(a: &Block, b: &Block) -> Block {
    (u128::from_ne_bytes(*a) ^ u128::from_ne_bytes(*b)).to_ne_bytes()
}

/// All ones if the numbers are equal, else zero; compiled without a branch, and hidden from the optimiser so
/// that it stays so.
pub(crate) fn equal_mask(a: u32, b: u32) -> u128 {
    let difference = u64::from(black_box(a ^ b));
    u128::from((difference | difference.wrapping_neg()) >> 63).wrapping_sub(1)
}

/// All ones if the bit is 1, else zero.
pub(crate) fn bit_mask(bit: u8) -> u128 {
    u128::from(black_box(bit & 1)).wrapping_neg()
}

/// `yes` where the mask is ones, `no` where it is zero.
pub(crate) fn select(mask: u128, yes: &Block, no: &Block) -> Block {
    let (yes, no) = (u128::from_ne_bytes(*yes), u128::from_ne_bytes(*no));
    (no ^ (mask & (yes ^ no))).to_ne_bytes()
}
