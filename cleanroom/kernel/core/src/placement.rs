//! The coordinator gives every tag a slot; the nodes check the slots they are given.
//!
//! Step 5 of protocol section 2. A uniform random injection of n_A + n_B - matches groups into n_A + n_B
//! slots shows a party distinct slots, whoever matched: the same distribution for every overlap.

use std::collections::HashMap;

use crate::expander::Expander;
use crate::list::{refuse_repeated, rows};
use crate::permutation::shuffled;
use crate::tags::Tag;
use crate::{Error, Result};

const PLACEMENT_LABEL: &str = "cleanroom/v1/placement";

const REPEATED_TAG: Error = Error::new("a tag stands twice in one list");

/// The slots of A's rows and of B's rows, each in its own list's order.
pub type Slots = (Vec<u32>, Vec<u32>);

/// Places equal tags in the same slot and different tags in different slots, out of n_A + n_B.
///
/// Groups are numbered by A's rows and then by B's rows that A does not have; group g gets the slot that
/// stands at place g of a uniform permutation of all slots. Refuses a repeated tag and a broken length.
pub fn place(tags_a: &[u8], tags_b: &[u8], seed: &[u8; 32]) -> Result<Slots> {
    let tags_a = tag_list(tags_a)?;
    let tags_b = tag_list(tags_b)?;
    let slot_count = u32::try_from(tags_a.len() + tags_b.len())
        .map_err(|_| Error::new("a match has fewer than 2^32 slots"))?;

    let slots = shuffled(slot_count, &mut Expander::new(PLACEMENT_LABEL, seed));
    let (slots_a, unused) = slots.split_at(tags_a.len());

    let mut slot_of_a = HashMap::with_capacity(tags_a.len());
    for (tag, slot) in tags_a.iter().zip(slots_a) {
        if slot_of_a.insert(*tag, *slot).is_some() {
            return Err(REPEATED_TAG);
        }
    }
    refuse_repeated(&tags_b, REPEATED_TAG.reason)?;
    let mut unused = unused.iter();
    let slots_b = tags_b
        .iter()
        .map(|tag| match slot_of_a.get(tag) {
            Some(slot) => *slot,
            None => *unused
                .next()
                .expect("B has as many slots of its own as rows"),
        })
        .collect();
    Ok((slots_a.to_vec(), slots_b))
}

/// Refuses slots from the coordinator that are not distinct, not below `limit` or not whole 32-bit numbers.
pub fn check_slots(slots: &[u8], limit: u32) -> Result<()> {
    let slots = rows::<4>(slots, "a list of slots is a multiple of 4 bytes")?;
    let mut taken = vec![false; limit as usize];
    for slot in slots {
        let taken = taken
            .get_mut(u32::from_le_bytes(slot) as usize)
            .ok_or(Error::new("a slot is outside the match"))?;
        if std::mem::replace(taken, true) {
            return Err(Error::new("a slot is given twice"));
        }
    }
    Ok(())
}

fn tag_list(tags: &[u8]) -> Result<Vec<Tag>> {
    rows(tags, "a list of tags is a multiple of 16 bytes")
}
