// Vectors of floats in the width that the variant is compiled for, and the functions of gates on them.
#pragma once
#include <cstdint>
#include <cstring>

#if defined(__AVX__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define DRAGOMAN_LANES 16
#elif defined(__AVX__)
#define DRAGOMAN_LANES 8
#else
#define DRAGOMAN_LANES 4
#endif

namespace dragoman {
namespace {

constexpr int LANES = DRAGOMAN_LANES;

using V = float __attribute__((vector_size(4 * DRAGOMAN_LANES)));
using I = int32_t __attribute__((vector_size(4 * DRAGOMAN_LANES)));

inline V splat(float x) { return x - V{}; }

inline V load(const float* from) {
  V value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline void store(float* to, V value) { std::memcpy(to, &value, sizeof value); }

#if defined(__AVX512F__)
/** The first lanes, at most all of them. */
inline __mmask16 firstLanes(int64_t count) {
  return count >= LANES ? 0xffff : count <= 0 ? 0 : static_cast<__mmask16>((1u << count) - 1);
}
#elif defined(__AVX__)
inline __m256i firstLanes(int64_t count) {
  alignas(32) static const int32_t window[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(window + LANES - count));
}
#endif

/** The first `count` lanes from memory, zero in the others. */
inline V load(const float* from, int64_t count) {
  if (count >= LANES) return load(from);
#if defined(__AVX512F__)
  return (V)_mm512_maskz_loadu_ps(firstLanes(count), from);
#elif defined(__AVX__)
  return (V)_mm256_maskload_ps(from, firstLanes(count));
#else
  V value{};
  std::memcpy(&value, from, sizeof(float) * count);
  return value;
#endif
}

inline void store(float* to, V value, int64_t count) {
  if (count >= LANES) return store(to, value);
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, firstLanes(count), (__m512)value);
#elif defined(__AVX__)
  _mm256_maskstore_ps(to, firstLanes(count), (__m256)value);
#else
  std::memcpy(to, &value, sizeof(float) * count);
#endif
}

inline V choose(I where, V yes, V no) { return (V)(((I)yes & where) | ((I)no & ~where)); }

/** The first `count` lanes of the one, the others of the other. */
inline V firstOf(V value, V other, int64_t count) {
  I lane{};
  for (int k = 0; k < LANES; k++) lane[k] = k;
  return choose(lane < static_cast<int32_t>(count), value, other);
}

/** Of what is not a number and a number, b. */
inline V larger(V a, V b) {
#if defined(__AVX512F__)
  return (V)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
  return (V)_mm256_max_ps((__m256)a, (__m256)b);
#else
  return choose(a > b, a, b);
#endif
}

inline V smaller(V a, V b) {
#if defined(__AVX512F__)
  return (V)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
  return (V)_mm256_min_ps((__m256)a, (__m256)b);
#else
  return choose(a < b, a, b);
#endif
}

/** 1 / x for x from 1 on, to 2e-7 of its value. */
inline V reciprocal(V x) {
#if defined(__AVX512F__)
  // 14 bits, and a step of Newton's; a division takes four times as long.
  const V r = (V)_mm512_rcp14_ps((__m512)x);
  return r * (2.0f - x * r);
#else
  return 1.0f / x;
#endif
}

/**
 * Past the caches: for what is not read again soon. The place is aligned to a vector where it takes one. To others it is
 * written only after {@link endStream}.
 */
inline void stream(float* to, V value, int64_t count) {
#if defined(__AVX512F__)
  if (count >= LANES) return _mm512_stream_ps(to, (__m512)value);
#elif defined(__AVX__)
  if (count >= LANES) return _mm256_stream_ps(to, (__m256)value);
#endif
  store(to, value, count);
}

inline void endStream() {
#if defined(__AVX__)
  _mm_sfence();
#endif
}

inline V squareRoot(V x) {
#if defined(__AVX512F__)
  return (V)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX__)
  return (V)_mm256_sqrt_ps((__m256)x);
#else
  for (int k = 0; k < LANES; k++) x[k] = __builtin_sqrtf(x[k]);
  return x;
#endif
}

/** e^x to 1e-7 of its value, from e^-87 to e^88: 2^n times a polynomial (Cephes, expf). NaN stays NaN. */
inline V exponential(V x) {
  x = larger(splat(-87.0f), x);
  x = smaller(splat(88.0f), x);
  const V shift = splat(12582912.0f);  // 1.5 * 2^23: what is added to it loses its fraction
  const V n = (x * 1.44269504088896341f + shift) - shift;
  const V r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  V p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * (V)((__builtin_convertvector(n, I) + 127) << 23);
}

inline V sigmoid(V x) { return reciprocal(1.0f + exponential(-x)); }

/** tanh to 2e-7 of its value: near zero a polynomial (Cephes, tanhf), else by the exponential. */
inline V hyperbolicTangent(V x) {
  const V s = x * x;
  V p = splat(-5.70498872745e-3f);
  p = p * s + 2.06390887954e-2f;
  p = p * s - 5.37397155531e-2f;
  p = p * s + 1.33314422036e-1f;
  p = p * s - 3.33332819422e-1f;
  const V near = p * s * x + x;
  const V far = 1.0f - 2.0f * reciprocal(exponential(x + x) + 1.0f);
#if defined(__AVX512F__)
  return (V)_mm512_mask_blend_ps(_mm512_cmp_ps_mask((__m512)s, _mm512_set1_ps(0.390625f), _CMP_LT_OQ), (__m512)far,
                                 (__m512)near);
#else
  return choose(s < splat(0.390625f), near, far);
#endif
}

}  // namespace
}  // namespace dragoman
