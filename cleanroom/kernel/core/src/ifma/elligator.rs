//! RFC 9380 on eight strings: `expand_message_xmd`, Elligator 2 twice, and the sum of both points.

use sha2::{Digest, Sha512};

use super::field::{Field, LANES};

/// J of curve25519.
const J: u64 = 486_662;
/// 2^((p + 3) / 8) and a square root of -1: c2 and c3 of RFC 9380 appendix G.2.1, little-endian.
const C2: [u64; 4] = [
    0xc4ee1b274a0ea0b1,
    0x2f431806ad2fe478,
    0x2b4d00993dfbd7a7,
    0x2b8324804fc1df0b,
];
const C3: [u64; 4] = [
    0xc4ee1b274a0ea0b0,
    0x2f431806ad2fe478,
    0x2b4d00993dfbd7a7,
    0x2b8324804fc1df0b,
];

/// Two numbers modulo p from a string, as 256-bit words that stand for their residues (RFC 9380 section 5.2).
fn hash_to_field(dst: &[u8], parts: [&[u8]; 2]) -> [[u64; 4]; 2] {
    let length = [dst.len() as u8];
    let first = Sha512::new_with_prefix([0; 128])
        .chain_update(parts[0])
        .chain_update(parts[1])
        .chain_update([0, 96, 0])
        .chain_update(dst)
        .chain_update(length)
        .finalize();
    let next = |input: &[u8], number: u8| {
        Sha512::new_with_prefix(input)
            .chain_update([number])
            .chain_update(dst)
            .chain_update(length)
            .finalize()
    };
    let one = next(&first, 1);
    let mixed: [u8; 64] = core::array::from_fn(|place| first[place] ^ one[place]);
    let two = next(&mixed, 2);
    let mut uniform = [0; 96];
    uniform[..64].copy_from_slice(&one);
    uniform[64..].copy_from_slice(&two[..32]);
    let (halves, _) = uniform.as_chunks::<48>();
    [reduced(&halves[0]), reduced(&halves[1])]
}

/// 384 bits, big-endian, to 256 bits with the same residue: 2^256 is 38.
fn reduced(number: &[u8; 48]) -> [u64; 4] {
    let (words, _) = number.as_chunks::<8>();
    let word = |place: usize| u64::from_be_bytes(words[5 - place]);
    let mut out = [0; 4];
    let mut carry = 0u128;
    for (place, limb) in out.iter_mut().enumerate() {
        let high = if place < 2 { word(4 + place) } else { 0 };
        carry += u128::from(word(place)) + 38 * u128::from(high);
        *limb = carry as u64;
        carry >>= 64;
    }
    // At most one 2^256 is left over, and then all the rest is below 2^134: adding 38 leaves nothing over again.
    carry *= 38;
    for limb in &mut out {
        carry += u128::from(*limb);
        *limb = carry as u64;
        carry >>= 64;
    }
    out
}

/// u of the sum of the two points of every string, as a fraction; the divisor is 0 where the formula has no answer.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn hash_without_cofactor(dst: &[u8], strings: &[[&[u8]; 2]; LANES]) -> (Field, Field) {
    let numbers = strings.map(|parts| hash_to_field(dst, parts));
    let (n0, d0, y0) = map(Field::from_words(&numbers.map(|pair| pair[0])));
    let (n1, d1, y1) = map(Field::from_words(&numbers.map(|pair| pair[1])));
    // u = ((y1 - y0) / (u1 - u0))^2 - J - u0 - u1 with u0 = n0 / d0 and u1 = n1 / d1.
    let (left, right) = (n1.mul(d0), n0.mul(d1));
    let both = d0.mul(d1);
    let across = left.sub(right).square();
    let up = y1.sub(y0).mul(both).square().mul(both);
    let down = both.times(J).add(left).add(right).mul(across);
    (up.sub(down), across.mul(both))
}

/// Elligator 2, RFC 9380 appendix G.2.1 step by step: (numerator and denominator of u, v).
#[target_feature(enable = "avx512f,avx512ifma")]
fn map(u: Field) -> (Field, Field, Field) {
    let (c2, c3) = (
        Field::from_words(&[C2; LANES]),
        Field::from_words(&[C3; LANES]),
    );
    let zero = Field::small(0);
    let tv1 = u.square().times(2);
    let xd = tv1.add(Field::small(1));
    let x1n = zero.sub(Field::small(J));
    let xd2 = xd.square();
    let gxd = xd2.mul(xd);
    let gx1 = tv1.times(J).mul(x1n).add(xd2).mul(x1n);
    let gxd2 = gxd.square();
    let tv3 = gxd2.mul(gxd).mul(gx1);
    let y11 = gxd2.square().mul(tv3).root_power().mul(tv3);
    let y12 = y11.mul(c3);
    let e1 = y11.square().mul(gxd).equals(gx1);
    let y1 = y11.or_else(e1, y12);
    let x2n = x1n.mul(tv1);
    let y21 = y11.mul(u).mul(c2);
    let y22 = y21.mul(c3);
    let gx2 = gx1.mul(tv1);
    let e2 = y21.square().mul(gxd).equals(gx2);
    let y2 = y21.or_else(e2, y22);
    let e3 = y1.square().mul(gxd).equals(gx1);
    let xn = x1n.or_else(e3, x2n);
    let y = y1.or_else(e3, y2);
    let y = zero.sub(y).or_else(e3 ^ y.is_odd(), y);
    (xn, xd, y)
}
