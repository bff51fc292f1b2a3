//! Lists as they cross the seam: rows of one width, or byte strings in Arrow's large-binary layout.
//!
//! Every length is checked here, before any arithmetic: no later file indexes by a number it was given.

use rayon::prelude::*;

use crate::{Error, Result};

/// Splits a buffer into rows of exactly `WIDTH` bytes; `reason` is the refusal when it does not divide.
pub fn rows<const WIDTH: usize>(buffer: &[u8], reason: &'static str) -> Result<Vec<[u8; WIDTH]>> {
    let (rows, rest) = buffer.as_chunks::<WIDTH>();
    if rest.is_empty() {
        Ok(rows.to_vec())
    } else {
        Err(Error::new(reason))
    }
}

/// Refuses a list in which one row stands twice. Sorting a copy costs less than one multiplication a row.
pub fn refuse_repeated<const WIDTH: usize>(
    list: &[[u8; WIDTH]],
    reason: &'static str,
) -> Result<()> {
    let mut sorted = list.to_vec();
    sorted.par_sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::new(reason));
    }
    Ok(())
}

/// A borrowed list of byte strings: string `i` is `data[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Copy)]
pub struct ByteStrings<'a> {
    data: &'a [u8],
    offsets: &'a [[u8; 8]],
}

impl<'a> ByteStrings<'a> {
    /// Takes Arrow's large-binary buffers: `offsets` is n + 1 little-endian signed 64-bit numbers.
    ///
    /// Refuses offsets that are not whole numbers of eight bytes, are none at all, fall, or leave `data`.
    pub fn new(data: &'a [u8], offsets: &'a [u8]) -> Result<Self> {
        let (offsets, rest) = offsets.as_chunks::<8>();
        if !rest.is_empty() || offsets.is_empty() {
            return Err(Error::new("offsets are n + 1 numbers of eight bytes"));
        }
        // Read as unsigned, a negative offset is larger than any buffer and needs no test of its own.
        let limit = data.len() as u64;
        let mut previous = 0;
        for offset in offsets {
            let offset = u64::from_le_bytes(*offset);
            if offset < previous || offset > limit {
                return Err(Error::new("offsets never fall and stay inside the data"));
            }
            previous = offset;
        }
        Ok(Self { data, offsets })
    }

    /// How many strings the list holds.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether the list holds no string.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// String `index`.
    pub fn get(&self, index: usize) -> &'a [u8] {
        let start = u64::from_le_bytes(self.offsets[index]) as usize;
        let end = u64::from_le_bytes(self.offsets[index + 1]) as usize;
        &self.data[start..end]
    }
}
