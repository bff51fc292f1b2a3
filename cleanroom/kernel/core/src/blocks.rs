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

/// A mask the optimiser knows nothing about: it cannot turn the arithmetic that follows into a branch.
fn opaque(mask: u64) -> u128 {
    let mask = u128::from(black_box(mask));
    mask << 64 | mask
}

/// All ones if the numbers are equal, else zero, without a branch.
pub(crate) fn equal_mask(a: u32, b: u32) -> u128 {
    let difference = u64::from(a ^ b);
    opaque(((difference.wrapping_sub(1) & !difference) >> 63).wrapping_neg())
}

/// All ones if the bit is 1, else zero, without a branch.
pub(crate) fn bit_mask(bit: u8) -> u128 {
    opaque(u64::from(bit & 1).wrapping_neg())
}

/// `yes` where the mask is ones, `no` where it is zero.
pub(crate) fn select(mask: u128, yes: &Block, no: &Block) -> Block {
    let (yes, no) = (u128::from_ne_bytes(*yes), u128::from_ne_bytes(*no));
    (no ^ (mask & (yes ^ no))).to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permutation_is_aes_128_of_fips_197_appendix_c_1() {
        let key: Block = core::array::from_fn(|index| index as u8);
        let plain: Block = core::array::from_fn(|index| 0x11 * index as u8);
        let cipher = 0x69c4_e0d8_6a7b_0430_d8cd_b780_70b4_c55a_u128.to_be_bytes();
        for count in [1, 7, 64, 65] {
            let mut blocks = vec![plain; count];
            Permutation::new(&key).apply(&mut blocks);
            assert_eq!(blocks, vec![cipher; count]);
        }
    }

    #[test]
    fn masks_are_ones_exactly_on_equality_and_choose_accordingly() {
        for (a, b) in [
            (0, 0),
            (0, 1),
            (1, 0),
            (255, 255),
            (u32::MAX, 0),
            (1 << 31, 0),
        ] {
            let mask = equal_mask(a, b);
            assert_eq!(mask, if a == b { u128::MAX } else { 0 });
            assert_eq!(
                select(mask, &[7; 16], &[9; 16]),
                if a == b { [7; 16] } else { [9; 16] }
            );
        }
        assert_eq!((bit_mask(0), bit_mask(1), bit_mask(2)), (0, u128::MAX, 0));
    }
}
