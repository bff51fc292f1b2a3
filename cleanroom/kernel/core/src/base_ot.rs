//! The 128 oblivious transfers that a set-up starts from.
//!
//! The owner, who holds the 128 bits of Δ, receives; the asker sends. Afterwards the asker has two 16-byte
//! seeds per instance and the owner the one its bit of Δ names. The asker learns nothing about Δ, the owner
//! nothing about the other seed.
//!
//! Masny and Rindal, "Endemic Oblivious Transfer" (ePrint 2019/706), the instantiation from Diffie-Hellman,
//! on ristretto255 (RFC 9496). For instance j, with H a hash to the group:
//!
//! - owner: a scalar a and a random point r_{1-b}; r_b = a·G − H(j, b, r_{1-b}); offers r_0 ‖ r_1;
//! - asker: a fresh scalar s; replies S = s·G; k_i = KDF(j, i, r_0, r_1, S, s·(r_i + H(j, i, r_{1-i})));
//! - owner: k_b = KDF(j, b, r_0, r_1, S, a·S).
//!
//! Set-up id, instance and points are in every hash. Encodings must be canonical and not the identity, and
//! r_i + H must not be the identity. Constant time in Δ and all scalars: both offers are computed alike and
//! put in their places by masks.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

use crate::blocks::bit_mask;
use crate::error::{Error, Result};
use crate::labels::{self, Block, SetupId};

/// Instances, one for each bit of Δ.
pub const INSTANCES: usize = 128;
/// Random bytes an offer consumes: a wide scalar and a uniform point for each instance.
pub const OFFER_RANDOMNESS_BYTES: usize = INSTANCES * 128;
/// Random bytes a reply consumes: a wide scalar for each instance.
pub const REPLY_RANDOMNESS_BYTES: usize = INSTANCES * 64;
/// Two points for each instance.
pub const OFFER_BYTES: usize = INSTANCES * 64;
/// One point for each instance.
pub const REPLY_BYTES: usize = INSTANCES * 32;

fn decode(bytes: &[u8]) -> Result<RistrettoPoint> {
    let point = CompressedRistretto::from_slice(bytes)
        .ok()
        .and_then(|encoding| encoding.decompress())
        .ok_or(Error::new(
            "a point is not the canonical encoding of a group element",
        ))?;
    if point.is_identity() {
        return Err(Error::new("a point is the identity"));
    }
    Ok(point)
}

fn scalar(bytes: &[u8]) -> Zeroizing<Scalar> {
    let mut wide = [0; 64];
    wide.copy_from_slice(bytes);
    let scalar = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide));
    wide.zeroize();
    scalar
}

/// H(j, i, other): the mask on offer i is a hash of the other offer.
fn mask_point(setup: &SetupId, instance: usize, message: u8, other: &[u8; 32]) -> RistrettoPoint {
    let fields: [&[u8]; 2] = [&[instance as u8, message], other];
    RistrettoPoint::from_uniform_bytes(&labels::wide(labels::BASE_OT_POINT, setup, &fields))
}

fn seed(
    setup: &SetupId,
    instance: usize,
    message: u8,
    offer: &[u8],
    reply: &[u8],
    shared: RistrettoPoint,
) -> Block {
    let shared = shared.compress();
    let fields: [&[u8]; 4] = [&[instance as u8, message], offer, reply, shared.as_bytes()];
    labels::key(labels::BASE_OT_KEY, setup, &fields)
}

fn bit(delta: &Block, instance: usize) -> u8 {
    (delta[instance / 8] >> (instance % 8)) & 1
}

/// The owner's first message: r_0 ‖ r_1 for each instance, and the scalars to keep.
pub fn offer(
    setup: &SetupId,
    delta: &Block,
    randomness: &[u8],
) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>)> {
    if randomness.len() != OFFER_RANDOMNESS_BYTES {
        return Err(Error::new("an offer takes 16384 random bytes"));
    }
    let mut offer = vec![0; OFFER_BYTES];
    let mut secret = Zeroizing::new(vec![0; INSTANCES * 32]);
    offer
        .par_chunks_exact_mut(64)
        .zip(secret.par_chunks_exact_mut(32))
        .zip(randomness.par_chunks_exact(128))
        .enumerate()
        .for_each(|(instance, ((points, secret), random))| {
            let chosen = bit(delta, instance);
            let exponent = scalar(&random[..64]);
            let mut uniform = [0; 64];
            uniform.copy_from_slice(&random[64..]);
            let other = RistrettoPoint::from_uniform_bytes(&uniform)
                .compress()
                .to_bytes();
            let masked =
                RistrettoPoint::mul_base(&exponent) - mask_point(setup, instance, chosen, &other);
            let masked = masked.compress().to_bytes();
            let swap = bit_mask(chosen) as u8;
            for index in 0..32 {
                let both = swap & (other[index] ^ masked[index]);
                points[index] = masked[index] ^ both;
                points[32 + index] = other[index] ^ both;
            }
            secret.copy_from_slice(exponent.as_bytes());
        });
    Ok((offer, secret))
}

/// The asker's reply: S for each instance, and the seeds k_0 ‖ k_1 to keep.
pub fn reply(
    setup: &SetupId,
    offer: &[u8],
    randomness: &[u8],
) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>)> {
    if offer.len() != OFFER_BYTES {
        return Err(Error::new("a base-OT offer has 8192 bytes"));
    }
    if randomness.len() != REPLY_RANDOMNESS_BYTES {
        return Err(Error::new("a reply takes 8192 random bytes"));
    }
    let mut reply = vec![0; REPLY_BYTES];
    let mut seeds = Zeroizing::new(vec![0; INSTANCES * 32]);
    reply
        .par_chunks_exact_mut(32)
        .zip(seeds.par_chunks_exact_mut(32))
        .zip(offer.par_chunks_exact(64))
        .zip(randomness.par_chunks_exact(64))
        .enumerate()
        .try_for_each(|(instance, (((reply, seeds), offer), random))| {
            let exponent = scalar(random);
            reply.copy_from_slice(RistrettoPoint::mul_base(&exponent).compress().as_bytes());
            for message in 0..2_u8 {
                let (mine, theirs) = (usize::from(message) * 32, usize::from(1 - message) * 32);
                let mut other = [0; 32];
                other.copy_from_slice(&offer[theirs..theirs + 32]);
                let base =
                    decode(&offer[mine..mine + 32])? + mask_point(setup, instance, message, &other);
                if base.is_identity() {
                    return Err(Error::new("a masked point is the identity"));
                }
                let key = seed(setup, instance, message, offer, reply, *exponent * base);
                seeds[usize::from(message) * 16..][..16].copy_from_slice(&key);
            }
            Ok(())
        })?;
    Ok((reply, seeds))
}

/// The owner's seeds: for each instance the one that its bit of Δ names.
pub fn finish(
    setup: &SetupId,
    delta: &Block,
    offer: &[u8],
    secret: &[u8],
    reply: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    if offer.len() != OFFER_BYTES || secret.len() != INSTANCES * 32 {
        return Err(Error::new("an offer has 8192 bytes and its secret 4096"));
    }
    if reply.len() != REPLY_BYTES {
        return Err(Error::new("a base-OT reply has 4096 bytes"));
    }
    let mut seeds = Zeroizing::new(vec![0; INSTANCES * 16]);
    seeds
        .par_chunks_exact_mut(16)
        .zip(offer.par_chunks_exact(64))
        .zip(secret.par_chunks_exact(32))
        .zip(reply.par_chunks_exact(32))
        .enumerate()
        .try_for_each(|(instance, (((out, offer), secret), reply))| {
            let mut bytes = [0; 32];
            bytes.copy_from_slice(secret);
            let exponent: Option<Scalar> = Scalar::from_canonical_bytes(bytes).into();
            bytes.zeroize();
            let exponent = exponent
                .map(Zeroizing::new)
                .ok_or(Error::new("an offer's secret is not a list of scalars"))?;
            let shared = *exponent * decode(reply)?;
            out.copy_from_slice(&seed(
                setup,
                instance,
                bit(delta, instance),
                offer,
                reply,
                shared,
            ));
            Ok(())
        })?;
    Ok(seeds)
}
