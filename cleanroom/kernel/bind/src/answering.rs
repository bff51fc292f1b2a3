//! The answering half, as Python sees it. Shapes and meanings stand in `_kernel.pyi` and in the core crate.

use cleanroom_kernel_core as core;
use core::leaves::Question;
use core::ot_extension::{Asker, Owner};
use core::shape::Shape;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zeroize::Zeroizing;

use crate::input::{Buffer, refused};

type Pair<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

fn array<const N: usize>(bytes: &[u8], reason: &'static str) -> core::Result<[u8; N]> {
    bytes.try_into().map_err(|_| core::Error::new(reason))
}

fn setup_id(bytes: &[u8]) -> core::Result<[u8; 32]> {
    array(bytes, "a set-up id has 32 bytes")
}

fn block(bytes: &[u8]) -> core::Result<[u8; 16]> {
    array(bytes, "delta and pad have 16 bytes")
}

fn challenge_of(bytes: &[u8]) -> core::Result<[u8; 32]> {
    array(bytes, "a challenge has 32 bytes")
}

/// Runs `work` without the interpreter lock, on an output that it fills.
fn filled<'py>(
    py: Python<'py>,
    len: usize,
    work: impl FnOnce(&mut [u8]) -> core::Result<()> + Send,
) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, len, |out| py.detach(|| work(out)).map_err(refused))
}

fn pair<'py>(
    py: Python<'py>,
    lists: core::Result<(Vec<u8>, Zeroizing<Vec<u8>>)>,
) -> PyResult<Pair<'py>> {
    let (first, second) = lists.map_err(refused)?;
    Ok((PyBytes::new(py, &first), PyBytes::new(py, &second)))
}

fn single<'py>(
    py: Python<'py>,
    list: core::Result<impl AsRef<[u8]>>,
) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, list.map_err(refused)?.as_ref()))
}

/// The owner's first base-OT message and its secret.
#[pyfunction]
fn base_ot_offer<'py>(
    py: Python<'py>,
    setup_id: Buffer<'_>,
    delta: Buffer<'_>,
    randomness: Buffer<'_>,
) -> PyResult<Pair<'py>> {
    let work = || core::base_ot::offer(&self::setup_id(&setup_id)?, &block(&delta)?, &randomness);
    pair(py, py.detach(work))
}

/// The asker's base-OT reply and its seeds.
#[pyfunction]
fn base_ot_reply<'py>(
    py: Python<'py>,
    setup_id: Buffer<'_>,
    offer: Buffer<'_>,
    randomness: Buffer<'_>,
) -> PyResult<Pair<'py>> {
    let work = || core::base_ot::reply(&self::setup_id(&setup_id)?, &offer, &randomness);
    pair(py, py.detach(work))
}

/// The owner's base-OT seeds.
#[pyfunction]
fn base_ot_finish<'py>(
    py: Python<'py>,
    setup_id: Buffer<'_>,
    delta: Buffer<'_>,
    offer: Buffer<'_>,
    secret: Buffer<'_>,
    reply: Buffer<'_>,
) -> PyResult<Bound<'py, PyBytes>> {
    let work = || {
        core::base_ot::finish(
            &self::setup_id(&setup_id)?,
            &block(&delta)?,
            &offer,
            &secret,
            &reply,
        )
    };
    single(py, py.detach(work))
}

/// The asker's matrix.
#[pyfunction]
fn extension_matrix<'py>(
    py: Python<'py>,
    setup_id: Buffer<'_>,
    seeds: Buffer<'_>,
    categories: Buffer<'_>,
    depth: usize,
    pad: Buffer<'_>,
) -> PyResult<Bound<'py, PyBytes>> {
    let shape = Shape::new(categories.len(), depth).map_err(refused)?;
    filled(py, shape.matrix_len(), |out| {
        Asker::new(&self::setup_id(&setup_id)?, &seeds, &categories, depth)?
            .matrix(&block(&pad)?, out)
    })
}

/// The asker's answer to the consistency challenge.
#[pyfunction]
fn extension_answer<'py>(
    py: Python<'py>,
    setup_id: Buffer<'_>,
    seeds: Buffer<'_>,
    categories: Buffer<'_>,
    depth: usize,
    pad: Buffer<'_>,
    challenge: Buffer<'_>,
) -> PyResult<Bound<'py, PyBytes>> {
    let work = || {
        let setup = self::setup_id(&setup_id)?;
        let asker = Asker::new(&setup, &seeds, &categories, depth)?;
        Ok(asker.answer(&setup, &block(&pad)?, &challenge_of(&challenge)?))
    };
    single(py, py.detach(work))
}

/// The owner's check of that answer.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // one per field of the set-up; Python passes them by keyword
fn extension_check(
    py: Python<'_>,
    setup_id: Buffer<'_>,
    seeds: Buffer<'_>,
    delta: Buffer<'_>,
    matrix: Buffer<'_>,
    slots: usize,
    depth: usize,
    challenge: Buffer<'_>,
    answer: Buffer<'_>,
) -> PyResult<()> {
    let work = || {
        let setup = self::setup_id(&setup_id)?;
        let owner = Owner::new(
            &setup,
            &seeds,
            &block(&delta)?,
            &matrix,
            Shape::new(slots, depth)?,
        )?;
        owner.check(&setup, &challenge_of(&challenge)?, &answer)
    };
    py.detach(work).map_err(refused)
}

/// The owner's level-1 nodes and its corrections.
#[pyfunction]
fn tree_corrections<'py>(
    py: Python<'py>,
    setup_id: Buffer<'_>,
    seeds: Buffer<'_>,
    delta: Buffer<'_>,
    matrix: Buffer<'_>,
    slots: usize,
    depth: usize,
) -> PyResult<Pair<'py>> {
    let shape = Shape::new(slots, depth).map_err(refused)?;
    let setup = self::setup_id(&setup_id).map_err(refused)?;
    let delta = block(&delta).map_err(refused)?;
    let owner = Owner::new(&setup, &seeds, &delta, &matrix, shape).map_err(refused)?;
    let mut corrections = None;
    let nodes = PyBytes::new_with(py, shape.nodes_len(), |nodes| {
        corrections = Some(filled(py, shape.corrections_len(), |corrections| {
            core::delivery::corrections(&setup, &owner, nodes, corrections)
        })?);
        Ok(())
    })?;
    Ok((
        nodes,
        corrections.ok_or_else(|| refused(core::Error::new("no corrections were made")))?,
    ))
}

/// What the asker keeps of every slot's tree.
#[pyfunction]
fn tree_siblings<'py>(
    py: Python<'py>,
    setup_id: Buffer<'_>,
    seeds: Buffer<'_>,
    categories: Buffer<'_>,
    depth: usize,
    corrections: Buffer<'_>,
) -> PyResult<Bound<'py, PyBytes>> {
    let shape = Shape::new(categories.len(), depth).map_err(refused)?;
    if corrections.len() != shape.corrections_len() {
        return Err(refused(core::Error::new(
            "the corrections have another size than the set-up",
        )));
    }
    filled(py, shape.siblings_len(), |out| {
        let setup = self::setup_id(&setup_id)?;
        let asker = Asker::new(&setup, &seeds, &categories, depth)?;
        core::delivery::siblings(&setup, &asker, &categories, &corrections, out)
    })
}

/// The owner's masked rows and leaf sums.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // one per field of the question; Python passes them by keyword
fn mask_rows<'py>(
    py: Python<'py>,
    setup_id: Buffer<'_>,
    nodes: Buffer<'_>,
    depth: usize,
    question: u64,
    plane: u8,
    words: usize,
    width: usize,
    values: Buffer<'_>,
) -> PyResult<Pair<'py>> {
    let setup = self::setup_id(&setup_id).map_err(refused)?;
    let shape = Shape::from_bytes(nodes.len(), 32, depth).map_err(refused)?;
    let question = Question::new(question, plane, words, width).map_err(refused)?;
    if values.len() != shape.slots() * question.row_len() {
        return Err(refused(core::Error::new(
            "nodes and values are not of the same slots",
        )));
    }
    let mut sums = Vec::new();
    let rows = filled(py, values.len(), |rows| {
        sums = core::rows::mask(&setup, shape, &question, &nodes, &values, rows)?;
        Ok(())
    })?;
    Ok((rows, PyBytes::new(py, &sums)))
}

/// The owner's leaf sums.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // one per field of the question; Python passes them by keyword
fn leaf_sums<'py>(
    py: Python<'py>,
    setup_id: Buffer<'_>,
    nodes: Buffer<'_>,
    depth: usize,
    question: u64,
    plane: u8,
    words: usize,
    width: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let work = || {
        let shape = Shape::from_bytes(nodes.len(), 32, depth)?;
        let question = Question::new(question, plane, words, width)?;
        core::rows::leaf_sums(&self::setup_id(&setup_id)?, shape, &question, &nodes)
    };
    single(py, py.detach(work))
}

/// The asker's opened leaf sums.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // one per field of the question; Python passes them by keyword
fn open_rows<'py>(
    py: Python<'py>,
    setup_id: Buffer<'_>,
    siblings: Buffer<'_>,
    categories: Buffer<'_>,
    depth: usize,
    question: u64,
    plane: u8,
    words: usize,
    width: usize,
    rows: Buffer<'_>,
) -> PyResult<Bound<'py, PyBytes>> {
    let work = || {
        let shape = Shape::new(categories.len(), depth)?;
        let question = Question::new(question, plane, words, width)?;
        core::opening::open(
            &self::setup_id(&setup_id)?,
            shape,
            &question,
            &siblings,
            &categories,
            &rows,
        )
    };
    single(py, py.detach(work))
}

/// Adds the answering half to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add(
        "OFFER_RANDOMNESS_BYTES",
        core::base_ot::OFFER_RANDOMNESS_BYTES,
    )?;
    module.add(
        "REPLY_RANDOMNESS_BYTES",
        core::base_ot::REPLY_RANDOMNESS_BYTES,
    )?;
    module.add_function(wrap_pyfunction!(base_ot_offer, module)?)?;
    module.add_function(wrap_pyfunction!(base_ot_reply, module)?)?;
    module.add_function(wrap_pyfunction!(base_ot_finish, module)?)?;
    module.add_function(wrap_pyfunction!(extension_matrix, module)?)?;
    module.add_function(wrap_pyfunction!(extension_answer, module)?)?;
    module.add_function(wrap_pyfunction!(extension_check, module)?)?;
    module.add_function(wrap_pyfunction!(tree_corrections, module)?)?;
    module.add_function(wrap_pyfunction!(tree_siblings, module)?)?;
    module.add_function(wrap_pyfunction!(mask_rows, module)?)?;
    module.add_function(wrap_pyfunction!(leaf_sums, module)?)?;
    module.add_function(wrap_pyfunction!(open_rows, module)?)
}
