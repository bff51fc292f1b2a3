//! The list of what Python may call. Every function takes bytes, releases the interpreter lock and returns bytes.

use pyo3::prelude::*;

/// The compiled kernel.
#[pymodule]
fn _kernel(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
