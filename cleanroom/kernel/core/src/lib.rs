//! The heavy arithmetic of matching and answering: bytes in, bytes out, no files, no sockets, no protocol.
// `ifma` allows one call, and says why it is sound.
#![deny(unsafe_code)]

pub mod base_ot;
mod blocks;
mod columns;
mod consistency;
pub mod curve;
pub mod delivery;
mod error;
mod expander;
#[cfg(target_arch = "x86_64")]
mod ifma;
pub mod labels;
pub mod leaves;
pub mod list;
pub mod opening;
pub mod ot_extension;
pub mod permutation;
pub mod placement;
pub mod rows;
pub mod shape;
mod sums;
pub mod tags;
mod tree;

pub use error::{Error, Result};
