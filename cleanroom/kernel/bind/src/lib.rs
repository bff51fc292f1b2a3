//! The list of what Python may call. Every function takes bytes, releases the interpreter lock and returns bytes.

use pyo3::prelude::*;

mod answering;

/// The compiled kernel.
#[pymodule]
fn _kernel(module: &Bound<'_, PyModule>) -> PyResult<()> {
    answering::register(module)
}
