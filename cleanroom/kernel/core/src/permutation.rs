//! A uniform order of a list, drawn from a seed.
//!
//! A node shuffles its padded list with it before every match, so that positions say nothing about rows.

use crate::expander::Expander;

const SHUFFLE_LABEL: &str = "cleanroom/v1/list-shuffle";

/// A uniform permutation of 0 .. `count`: the node's shuffle of its own list.
pub fn permutation(count: u32, seed: &[u8; 32]) -> Vec<u32> {
    shuffled(count, &mut Expander::new(SHUFFLE_LABEL, seed))
}

/// Fisher and Yates' shuffle as in Knuth, TAOCP volume 2, algorithm 3.4.2 P: the last place is filled first.
///
/// Its memory accesses follow the random numbers, which is as much as its result says; no identifier is
/// involved.
pub(crate) fn shuffled(count: u32, numbers: &mut Expander) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last as usize, numbers.below(last + 1) as usize);
    }
    order
}
