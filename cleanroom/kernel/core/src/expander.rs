//! Unbiased small numbers from a 32-byte seed, defined simply enough to be written again elsewhere.
//!
//! Block i is SHA-512(label || 0x00 || seed || i), i as eight little-endian bytes; a block is sixteen
//! little-endian 32-bit words, used in order. No label holds a zero byte, so no label and seed read like
//! another pair.

use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

/// A stream of numbers that only the holder of the seed can tell from random ones.
pub struct Expander {
    keyed: Sha512,
    counter: u64,
    block: Zeroizing<[u8; 64]>,
    used: usize,
}

impl Expander {
    /// Starts the stream of one use of one seed.
    pub fn new(label: &'static str, seed: &[u8; 32]) -> Self {
        Self {
            keyed: Sha512::new()
                .chain_update(label)
                .chain_update([0])
                .chain_update(seed),
            counter: 0,
            block: Zeroizing::new([0; 64]),
            used: 16,
        }
    }

    /// A uniform number below `bound`, which is at least 1.
    ///
    /// A word from the incomplete last stretch of `bound` numbers below 2^32 is thrown away: taking it modulo
    /// `bound` would favour small numbers.
    pub fn below(&mut self, bound: u32) -> u32 {
        let incomplete = (u64::from(u32::MAX) + 1) % u64::from(bound);
        let largest = (u64::from(u32::MAX) - incomplete) as u32;
        loop {
            let word = self.word();
            if word <= largest {
                return word % bound;
            }
        }
    }

    fn word(&mut self) -> u32 {
        if self.used == 16 {
            let block = self.keyed.clone().chain_update(self.counter.to_le_bytes());
            *self.block = block.finalize().into();
            self.counter += 1;
            self.used = 0;
        }
        let word = self.block.as_chunks::<4>().0[self.used];
        self.used += 1;
        u32::from_le_bytes(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: &str = "cleanroom/v1/expander-test";

    /// A bound just above half of all words, where almost every second word is thrown away; no list in the
    /// Python tests is long enough to meet one. The values are those of tests/reference/placement.py.
    #[test]
    fn words_that_would_favour_small_numbers_are_thrown_away() {
        let seed: [u8; 32] = std::array::from_fn(|index| index as u8);
        let mut numbers = Expander::new(LABEL, &seed);
        let drawn: Vec<u32> = (0..20).map(|_| numbers.below((1 << 31) + 1)).collect();
        assert_eq!(
            drawn[..5],
            [999460499, 1677204216, 558888986, 1615534874, 391367755]
        );
        assert_eq!(drawn[19], 1186531777);
    }

    #[test]
    fn a_bound_of_one_leaves_no_choice() {
        assert_eq!(Expander::new(LABEL, &[0; 32]).below(1), 0);
    }
}
