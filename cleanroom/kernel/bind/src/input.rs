//! Arguments from Python: buffers of any kind, and secrets of a fixed size.

use std::ops::Deref;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;
use zeroize::Zeroizing;

/// The bytes of a buffer argument, safe to read while the interpreter runs on.
///
/// `bytes` cannot change and is borrowed. Any other C-contiguous buffer is copied: a list that is checked
/// here and then used must not change in between.
pub enum Buffer<'py> {
    /// The contents of a `bytes` object, which the caller's arguments keep alive.
    Borrowed(&'py [u8]),
    /// A copy of anything else.
    Copied(Vec<u8>),
}

impl Deref for Buffer<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Copied(bytes) => bytes,
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Buffer<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.extract::<&[u8]>() {
            return Ok(Self::Borrowed(bytes));
        }
        // Arrow's buffers hold signed bytes and numpy's offsets are 64-bit: the cast makes both plain bytes.
        let view = PyMemoryView::from(&object)?.call_method1("cast", ("B",))?;
        Ok(Self::Copied(
            PyBuffer::<u8>::get(&view)?.to_vec(object.py())?,
        ))
    }
}

/// A key or a seed: exactly 32 bytes, erased from our memory when the call ends.
///
/// A wrong size is the caller's own mistake and a TypeError, so that it is never taken for a peer's.
pub struct Secret(pub Zeroizing<[u8; 32]>);

impl<'py> FromPyObject<'_, 'py> for Secret {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let bytes = match object.extract::<Buffer<'_>>()? {
            Buffer::Borrowed(bytes) => Zeroizing::new(bytes.to_vec()),
            Buffer::Copied(bytes) => Zeroizing::new(bytes),
        };
        let mut secret = Zeroizing::new([0; 32]);
        if bytes.len() != secret.len() {
            return Err(PyTypeError::new_err("a key or a seed has exactly 32 bytes"));
        }
        secret.copy_from_slice(&bytes);
        Ok(Self(secret))
    }
}

/// The one conversion of the kernel's refusals: a ValueError whose text is a constant.
pub fn refused(error: cleanroom_kernel_core::Error) -> PyErr {
    PyValueError::new_err(error.reason)
}
