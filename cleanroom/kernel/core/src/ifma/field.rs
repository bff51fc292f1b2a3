//! Eight numbers modulo p = 2^255 - 19 at once, one in each 64-bit lane, by AVX-512 IFMA.
//!
//! A number is five limbs of 51 bits and a little more. Every function takes and returns limbs below 2^51 + 2^14;
//! the multiplier reads 52 bits of a limb, so sums and differences carry before they are returned. Nothing branches
//! or indexes by a value: lanes are chosen by masks.

use std::arch::x86_64::*;

use zeroize::{Zeroize, Zeroizing};

pub(super) const LANES: usize = 8;
const LOW: u64 = (1 << 51) - 1;

/// Eight field elements.
#[derive(Clone, Copy)]
pub(super) struct Field(pub(super) [__m512i; 5]);

impl Zeroize for Field {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// One bit a lane.
pub(super) type Lanes = __mmask8;

impl Field {
    /// The same small number in every lane, below 2^51.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn small(number: u64) -> Self {
        let zero = _mm512_setzero_si512();
        Self([_mm512_set1_epi64(number as i64), zero, zero, zero, zero])
    }

    /// Lane i holds `numbers[i]`, little-endian, 256 bits: a number from p on stands for its residue.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn from_words(numbers: &[[u64; 4]; LANES]) -> Self {
        let limbs = numbers.map(|[a, b, c, d]| {
            [
                a & LOW,
                (a >> 51 | b << 13) & LOW,
                (b >> 38 | c << 26) & LOW,
                (c >> 25 | d << 39) & LOW,
                d >> 12,
            ]
        });
        let mut field = Self::small(0);
        for (place, vector) in field.0.iter_mut().enumerate() {
            let lane = |index: usize| limbs[index][place] as i64;
            *vector = _mm512_set_epi64(
                lane(7),
                lane(6),
                lane(5),
                lane(4),
                lane(3),
                lane(2),
                lane(1),
                lane(0),
            );
        }
        field.carry()
    }

    /// The canonical numbers, little-endian.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn to_words(self) -> [[u64; 4]; LANES] {
        let limbs = self.canonical().0.map(|vector| lanes_of(vector));
        core::array::from_fn(|lane| {
            let [a, b, c, d, e] = limbs.map(|limb| limb[lane]);
            [
                a | b << 51,
                b >> 13 | c << 38,
                c >> 26 | d << 25,
                d >> 39 | e << 12,
            ]
        })
    }

    /// One round of carries, all limbs at once; takes limbs below 2^63.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn carry(self) -> Self {
        let low = _mm512_set1_epi64(LOW as i64);
        let over = self.0.map(|limb| _mm512_srli_epi64::<51>(limb));
        let kept = self.0.map(|limb| _mm512_and_si512(limb, low));
        Self([
            _mm512_add_epi64(kept[0], times_19(over[4])),
            _mm512_add_epi64(kept[1], over[0]),
            _mm512_add_epi64(kept[2], over[1]),
            _mm512_add_epi64(kept[3], over[2]),
            _mm512_add_epi64(kept[4], over[3]),
        ])
    }

    /// The one representation below p.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn canonical(self) -> Self {
        let low = _mm512_set1_epi64(LOW as i64);
        let mut limbs = self.carry().0;
        // The number is below 2p; `more` becomes 1 exactly where it is p or more.
        let mut more = _mm512_srli_epi64::<51>(_mm512_add_epi64(limbs[0], _mm512_set1_epi64(19)));
        for limb in &limbs[1..] {
            more = _mm512_srli_epi64::<51>(_mm512_add_epi64(*limb, more));
        }
        limbs[0] = _mm512_add_epi64(limbs[0], times_19(more));
        for place in 0..4 {
            let over = _mm512_srli_epi64::<51>(limbs[place]);
            limbs[place] = _mm512_and_si512(limbs[place], low);
            limbs[place + 1] = _mm512_add_epi64(limbs[place + 1], over);
        }
        limbs[4] = _mm512_and_si512(limbs[4], low);
        Self(limbs)
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn add(self, other: Self) -> Self {
        let mut sum = self;
        for (limb, more) in sum.0.iter_mut().zip(other.0) {
            *limb = _mm512_add_epi64(*limb, more);
        }
        sum.carry()
    }

    /// 2p is added first, limb by limb, so that no limb falls below zero.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn sub(self, other: Self) -> Self {
        let mut difference = self;
        for (place, (limb, less)) in difference.0.iter_mut().zip(other.0).enumerate() {
            let twice_p = if place == 0 { 2 * (LOW - 18) } else { 2 * LOW };
            *limb = _mm512_sub_epi64(
                _mm512_add_epi64(*limb, _mm512_set1_epi64(twice_p as i64)),
                less,
            );
        }
        difference.carry()
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn mul(self, other: Self) -> Self {
        let zero = _mm512_setzero_si512();
        let (mut low, mut high) = ([zero; 10], [zero; 10]);
        for i in 0..5 {
            for j in 0..5 {
                low[i + j] = _mm512_madd52lo_epu64(low[i + j], self.0[i], other.0[j]);
                high[i + j + 1] = _mm512_madd52hi_epu64(high[i + j + 1], self.0[i], other.0[j]);
            }
        }
        // The upper half of a product weighs 2^52, twice the next limb.
        fold(core::array::from_fn(|place| {
            _mm512_add_epi64(low[place], double(high[place]))
        }))
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn square(self) -> Self {
        let zero = _mm512_setzero_si512();
        let (mut low, mut high) = ([zero; 10], [zero; 10]);
        for i in 0..5 {
            for j in i + 1..5 {
                low[i + j] = _mm512_madd52lo_epu64(low[i + j], self.0[i], self.0[j]);
                high[i + j + 1] = _mm512_madd52hi_epu64(high[i + j + 1], self.0[i], self.0[j]);
            }
        }
        (low, high) = (low.map(|limb| double(limb)), high.map(|limb| double(limb)));
        for i in 0..5 {
            low[2 * i] = _mm512_madd52lo_epu64(low[2 * i], self.0[i], self.0[i]);
            high[2 * i + 1] = _mm512_madd52hi_epu64(high[2 * i + 1], self.0[i], self.0[i]);
        }
        fold(core::array::from_fn(|place| {
            _mm512_add_epi64(low[place], double(high[place]))
        }))
    }

    /// Times a number below 2^20.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn times(self, number: u64) -> Self {
        let factor = _mm512_set1_epi64(number as i64);
        let zero = _mm512_setzero_si512();
        let low = self.0.map(|limb| _mm512_madd52lo_epu64(zero, limb, factor));
        let high = self
            .0
            .map(|limb| double(_mm512_madd52hi_epu64(zero, limb, factor)));
        Self([
            _mm512_add_epi64(low[0], times_19(high[4])),
            _mm512_add_epi64(low[1], high[0]),
            _mm512_add_epi64(low[2], high[1]),
            _mm512_add_epi64(low[3], high[2]),
            _mm512_add_epi64(low[4], high[3]),
        ])
        .carry()
    }

    /// Squared `times` times.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn squared(self, times: usize) -> Self {
        let mut power = self;
        for _ in 0..times {
            power = power.square();
        }
        power
    }

    /// x^(2^250 - 1) and x^11, from which all the exponents below are one step away.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn long_power(self) -> (Self, Self) {
        let two = self.square();
        let nine = two.squared(2).mul(self);
        let eleven = nine.mul(two);
        let bits_5 = eleven.square().mul(nine);
        let bits_10 = bits_5.squared(5).mul(bits_5);
        let bits_20 = bits_10.squared(10).mul(bits_10);
        let bits_40 = bits_20.squared(20).mul(bits_20);
        let bits_50 = bits_40.squared(10).mul(bits_10);
        let bits_100 = bits_50.squared(50).mul(bits_50);
        let bits_200 = bits_100.squared(100).mul(bits_100);
        (bits_200.squared(50).mul(bits_50), eleven)
    }

    /// 1/x = x^(p - 2), and 0 for 0.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn invert(self) -> Self {
        let (power, eleven) = self.long_power();
        power.squared(5).mul(eleven)
    }

    /// x^((p - 5) / 8), for square roots.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn root_power(self) -> Self {
        self.long_power().0.squared(2).mul(self)
    }

    /// Where x is a square, zero included: x^((p - 1) / 2) is 1 or 0.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn is_square(self) -> Lanes {
        let two = self.square();
        let six = two.square().mul(two);
        let symbol = self.long_power().0.squared(4).mul(six);
        symbol.equals(Self::small(1)) | symbol.is_zero()
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn is_zero(self) -> Lanes {
        let limbs = self.canonical().0;
        let any = limbs[1..]
            .iter()
            .fold(limbs[0], |any, limb| _mm512_or_si512(any, *limb));
        _mm512_testn_epi64_mask(any, any)
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn equals(self, other: Self) -> Lanes {
        self.sub(other).is_zero()
    }

    /// The lowest bit of the canonical number: sgn0 of RFC 9380 section 4.1.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn is_odd(self) -> Lanes {
        _mm512_test_epi64_mask(self.canonical().0[0], _mm512_set1_epi64(1))
    }

    /// `self` in the lanes of `which`, else `other`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub(super) fn or_else(self, which: Lanes, other: Self) -> Self {
        Self(core::array::from_fn(|place| {
            _mm512_mask_blend_epi64(which, other.0[place], self.0[place])
        }))
    }
}

/// Exchanges the two in the lanes of `which`.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
pub(super) fn exchange(which: Lanes, one: &mut Field, other: &mut Field) {
    (*one, *other) = (other.or_else(which, *one), one.or_else(which, *other));
}

/// Ten columns of a product to five limbs: 2^255 is 19. Columns are below 2^56, so sums stay below 2^61.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn fold(columns: [__m512i; 10]) -> Field {
    Field(core::array::from_fn(|place| {
        _mm512_add_epi64(columns[place], times_19(columns[place + 5]))
    }))
    .carry()
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn double(limb: __m512i) -> __m512i {
    _mm512_add_epi64(limb, limb)
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn times_19(limb: __m512i) -> __m512i {
    let three = _mm512_add_epi64(limb, double(limb));
    _mm512_add_epi64(three, _mm512_slli_epi64::<4>(limb))
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn lanes_of(vector: __m512i) -> [u64; LANES] {
    let (low, high) = (
        _mm512_castsi512_si256(vector),
        _mm512_extracti64x4_epi64::<1>(vector),
    );
    [
        _mm256_extract_epi64::<0>(low) as u64,
        _mm256_extract_epi64::<1>(low) as u64,
        _mm256_extract_epi64::<2>(low) as u64,
        _mm256_extract_epi64::<3>(low) as u64,
        _mm256_extract_epi64::<0>(high) as u64,
        _mm256_extract_epi64::<1>(high) as u64,
        _mm256_extract_epi64::<2>(high) as u64,
        _mm256_extract_epi64::<3>(high) as u64,
    ]
}

/// Divides each pair with one inversion for all (Montgomery's trick); 0 where the divisor is 0.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn quotients(pairs: &mut [(Field, Field)]) {
    let (one, zero) = (Field::small(1), Field::small(0));
    let mut product = one;
    let mut before = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for (dividend, divisor) in pairs.iter_mut() {
        let nothing = divisor.is_zero();
        *divisor = one.or_else(nothing, *divisor);
        *dividend = zero.or_else(nothing, *dividend);
        before.push(product);
        product = product.mul(*divisor);
    }
    let mut inverse = product.invert();
    for ((dividend, divisor), before) in pairs.iter_mut().zip(before.iter()).rev() {
        *dividend = dividend.mul(inverse.mul(*before));
        inverse = inverse.mul(*divisor);
    }
}
