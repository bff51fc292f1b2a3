//! Every label the answering half hashes under, in one table, and the one way a label becomes key bytes.
//!
//! Hashed: length of the label (1 byte) ‖ label ‖ set-up id (32) ‖ fields. All fields of one label have fixed
//! lengths, so two different inputs never share an encoding; the label ends the version.

use sha2::{Digest, Sha256, Sha512};

/// A block of AES, a node of a tree, an element of GF(2^128).
pub type Block = [u8; 16];

/// The random id of a set-up, half of it from each side; it runs once.
pub type SetupId = [u8; 32];

pub(crate) const BASE_OT_POINT: &str = "cleanroom/v1/base-ot-point";
pub(crate) const BASE_OT_KEY: &str = "cleanroom/v1/base-ot-key";
pub(crate) const COLUMN: &str = "cleanroom/v1/ot-extension-column";
pub(crate) const CHALLENGE: &str = "cleanroom/v1/ot-extension-challenge";
pub(crate) const OUTPUT: &str = "cleanroom/v1/ot-extension-output";
pub(crate) const TREE_LEFT: &str = "cleanroom/v1/tree-left";
pub(crate) const TREE_RIGHT: &str = "cleanroom/v1/tree-right";

fn absorb<D: Digest>(label: &str, setup: &SetupId, fields: &[&[u8]]) -> D {
    debug_assert!(label.len() < 256);
    let mut hash = D::new();
    hash.update([label.len() as u8]);
    hash.update(label.as_bytes());
    hash.update(setup);
    for field in fields {
        hash.update(field);
    }
    hash
}

/// 64 bytes, for hashing to the group.
pub(crate) fn wide(label: &str, setup: &SetupId, fields: &[&[u8]]) -> [u8; 64] {
    absorb::<Sha512>(label, setup, fields).finalize().into()
}

/// An AES or POLYVAL key: the first 16 bytes of SHA-256.
pub(crate) fn key(label: &str, setup: &SetupId, fields: &[&[u8]]) -> Block {
    let digest: [u8; 32] = absorb::<Sha256>(label, setup, fields).finalize().into();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}
