//! What matching calls: hashing, masking, tagging, checking and placing.

use cleanroom_kernel_core as core;
use core::curve::{HASH_TO_CURVE_DST, MaskScalar};
use core::list::ByteStrings;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::input::{Buffer, Secret, refused};

/// Adds this file's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add(
        "HASH_TO_CURVE_DST",
        PyBytes::new(module.py(), HASH_TO_CURVE_DST),
    )?;
    module.add_function(wrap_pyfunction!(hash_to_curve, module)?)?;
    module.add_function(wrap_pyfunction!(hash_and_mask, module)?)?;
    module.add_function(wrap_pyfunction!(mask_and_tag, module)?)?;
    module.add_function(wrap_pyfunction!(check_points, module)?)?;
    module.add_function(wrap_pyfunction!(place, module)?)?;
    module.add_function(wrap_pyfunction!(permutation, module)?)?;
    module.add_function(wrap_pyfunction!(check_slots, module)?)
}

type Bytes<'py> = Bound<'py, PyBytes>;

/// u-coordinates, 32 bytes each, of RFC 9380 curve25519_XMD:SHA-512_ELL2_RO_ under any domain separation tag.
#[pyfunction]
fn hash_to_curve<'py>(
    py: Python<'py>,
    dst: Buffer<'_>,
    data: Buffer<'_>,
    offsets: Buffer<'_>,
) -> PyResult<Bytes<'py>> {
    let points = py
        .detach(|| core::curve::hash_to_curve(&dst, ByteStrings::new(&data, &offsets)?))
        .map_err(refused)?;
    Ok(PyBytes::new(py, points.as_flattened()))
}

/// u(a * H(tag || string)), 32 bytes each, under our own domain separation tag.
#[pyfunction]
fn hash_and_mask<'py>(
    py: Python<'py>,
    scalar: Secret,
    tag: u8,
    data: Buffer<'_>,
    offsets: Buffer<'_>,
) -> PyResult<Bytes<'py>> {
    let scalar = MaskScalar::new(scalar.0);
    let points = py
        .detach(|| {
            let strings = ByteStrings::new(&data, &offsets)?;
            Ok(core::curve::hash_and_mask(&scalar, tag, strings))
        })
        .map_err(refused)?;
    Ok(PyBytes::new(py, points.as_flattened()))
}

/// Checks a peer's points, masks them again and returns their tags, 16 bytes each.
#[pyfunction]
fn mask_and_tag<'py>(
    py: Python<'py>,
    scalar: Secret,
    tag_key: Secret,
    points: Buffer<'_>,
) -> PyResult<Bytes<'py>> {
    let scalar = MaskScalar::new(scalar.0);
    let tags = py
        .detach(|| core::tags::mask_and_tag(&scalar, &tag_key.0, &points))
        .map_err(refused)?;
    Ok(PyBytes::new(py, tags.as_flattened()))
}

/// Checks a peer's points.
#[pyfunction]
fn check_points(py: Python<'_>, points: Buffer<'_>) -> PyResult<()> {
    py.detach(|| core::curve::check_points(&points))
        .map_err(refused)
}

/// Slots of A's rows and of B's rows, four little-endian bytes each.
#[pyfunction]
fn place<'py>(
    py: Python<'py>,
    tags_a: Buffer<'_>,
    tags_b: Buffer<'_>,
    seed: Secret,
) -> PyResult<(Bytes<'py>, Bytes<'py>)> {
    let (slots_a, slots_b) = py
        .detach(|| core::placement::place(&tags_a, &tags_b, &seed.0))
        .map_err(refused)?;
    Ok((words(py, &slots_a), words(py, &slots_b)))
}

/// A uniform permutation of 0 .. count, four little-endian bytes each.
#[pyfunction]
fn permutation<'py>(py: Python<'py>, count: u32, seed: Secret) -> Bytes<'py> {
    let order = py.detach(|| core::permutation::permutation(count, &seed.0));
    words(py, &order)
}

/// Checks the coordinator's slots.
#[pyfunction]
fn check_slots(py: Python<'_>, slots: Buffer<'_>, limit: u32) -> PyResult<()> {
    py.detach(|| core::placement::check_slots(&slots, limit))
        .map_err(refused)
}

fn words<'py>(py: Python<'py>, numbers: &[u32]) -> Bytes<'py> {
    let bytes: Vec<[u8; 4]> = numbers.iter().map(|number| number.to_le_bytes()).collect();
    PyBytes::new(py, bytes.as_flattened())
}
