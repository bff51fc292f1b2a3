//! What can be wrong with bytes that somebody else sent us. No variant carries the bytes themselves.

/// A refusal. `reason` is a fixed sentence that never holds input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// A short, constant description of what was wrong.
    pub reason: &'static str,
}

/// The kernel's result.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// Builds a refusal from its constant reason.
    pub const fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}
