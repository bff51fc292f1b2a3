//! The list of what Python may call. Every function takes bytes, releases the interpreter lock and returns
//! bytes.
#![forbid(unsafe_code)]

use pyo3::prelude::*;

mod answering;
mod input;
mod matching;

/// The compiled kernel.
#[pymodule]
fn _kernel(module: &Bound<'_, PyModule>) -> PyResult<()> {
    matching::register(module)?;
    answering::register(module)
}
