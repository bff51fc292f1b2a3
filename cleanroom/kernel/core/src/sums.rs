//! Sums over leaves: how slots are shared out among threads, and how the results come together.

use crate::leaves::Question;
use crate::shape::Shape;
use crate::tree::Grower;

/// Work at once for each of the pool's threads is this fraction of its share.
const CHUNKS_PER_THREAD: usize = 4;

/// Slots in one piece of work.
pub(crate) fn slots_at_once(shape: Shape, grower: &Grower) -> usize {
    let share = shape
        .slots()
        .div_ceil(CHUNKS_PER_THREAD * rayon::current_num_threads());
    share.max(128).next_multiple_of(grower.trees())
}

/// Adds sums word by word.
pub(crate) fn add(mut sums: Vec<u64>, other: Vec<u64>) -> Vec<u64> {
    for (sum, other) in sums.iter_mut().zip(other) {
        *sum = sum.wrapping_add(other);
    }
    sums
}

/// Sums reduced mod 2^ℓ, 8 bytes each, little-endian.
pub(crate) fn to_bytes(question: &Question, sums: Vec<u64>) -> Vec<u8> {
    sums.into_iter()
        .flat_map(|sum| (sum & question.mask()).to_le_bytes())
        .collect()
}
