//! The heavy arithmetic of matching and answering: bytes in, bytes out, no files, no sockets, no protocol.
#![forbid(unsafe_code)]

pub mod curve;
mod error;
mod expander;
pub mod list;
pub mod permutation;
pub mod placement;
pub mod tags;

pub use error::{Error, Result};

pub mod base_ot;
mod blocks;
mod columns;
mod consistency;
pub mod delivery;
pub mod labels;
pub mod leaves;
pub mod ot_extension;
pub mod rows;
pub mod shape;
mod tree;
