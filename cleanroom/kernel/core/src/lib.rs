//! The heavy arithmetic of matching and answering: bytes in, bytes out, no files, no sockets, no protocol.
#![forbid(unsafe_code)]

mod error;
pub use error::{Error, Result};
