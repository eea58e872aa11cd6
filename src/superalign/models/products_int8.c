/* Products of bfloat16 rows with a fixed matrix in 8-bit integers, for processors with AVX512-VNNI:
 * y = x wᵀ (+ bias) (+ residual). Each row of x is rounded to 255 steps of its own size, each row of w
 * was when it was packed; sums are exact integers, so that a row's result has the same bits at every
 * batch size. Compiled with kernels.c by native.py.
 *
 * The instruction multiplies bytes without a sign by bytes with one: x is stored with 128 added, and
 * the sums start at -128 times the sum of w's row. w (rows, width) is packed into panels of 32 rows;
 * in a panel, fours of columns follow one another, each 32 rows x 4 columns: two registers.
 */
#include <stdint.h>
#include <string.h>

typedef uint16_t bf16;

#define PANEL 32
#define FOUR 4
#define TILE 12
#define ROWS 96 /* rows of x that stay in the second-level cache while panels pass */
#define OFFSET 128

#if defined(__AVX512VNNI__) && defined(__AVX512BF16__) && defined(__AVX512BW__)
#include <immintrin.h>

long int8_products_available(void) { return 1; }

static inline __m512 wide(__m256i x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}

static inline __mmask16 up_to(long count) { return count < 16 ? (1u << count) - 1 : 0xffffu; }

/* x (width) in steps of its largest size / 127, with 128 added, into q; returns the step.
 * What follows x up to `padded` is arbitrary: the matrix is zero there. */
static float quantise(const bf16 *x, uint8_t *q, long width) {
    __m512 largest = _mm512_setzero_ps();
    for (long j = 0; j < width; j += 16) {
        __m512 v = wide(_mm256_maskz_loadu_epi16(up_to(width - j), x + j));
        largest = _mm512_max_ps(largest, _mm512_abs_ps(v));
    }
    float size = _mm512_reduce_max_ps(largest);
    __m512 scale = _mm512_set1_ps(size > 0 ? 127 / size : 0);
    const __m512i offset = _mm512_set1_epi32(OFFSET);
    for (long j = 0; j < width; j += 16) {
        __mmask16 mask = up_to(width - j);
        __m512 v = wide(_mm256_maskz_loadu_epi16(mask, x + j));
        __m512i steps = _mm512_add_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(v, scale)), offset);
        _mm512_mask_cvtepi32_storeu_epi8(q + j, mask, steps);
    }
    return size / 127;
}

/* A matrix: panels, the start of each row's sum, and the step of each row. */
typedef struct {
    const int8_t *panels;
    const int32_t *starts;
    const float *steps;
    long rows, width; /* width: a multiple of four */
} Matrix;

/* `count` rows (count constant) times the panel that `w` begins with. */
static inline __attribute__((always_inline)) void tile(
    const uint8_t *x, const float *x_steps, Matrix w, const bf16 *bias, const bf16 *residual,
    bf16 *y, __mmask32 mask, const int count) {
    __m512i sum[TILE][2];
    for (int r = 0; r < count; r++)
        for (int h = 0; h < 2; h++) sum[r][h] = _mm512_loadu_si512(w.starts + 16 * h);
    for (long j = 0; j < w.width; j += FOUR) {
        __m512i low = _mm512_loadu_si512(w.panels + j * PANEL);
        __m512i high = _mm512_loadu_si512(w.panels + j * PANEL + 2 * PANEL);
#pragma GCC unroll 12
        for (int r = 0; r < count; r++) {
            int32_t four;
            memcpy(&four, x + r * w.width + j, sizeof four);
            __m512i all = _mm512_set1_epi32(four);
            sum[r][0] = _mm512_dpbusd_epi32(sum[r][0], all, low);
            sum[r][1] = _mm512_dpbusd_epi32(sum[r][1], all, high);
        }
    }
    for (int r = 0; r < count; r++) {
        __m512 out[2];
        for (int h = 0; h < 2; h++) {
            __m512 step = _mm512_mul_ps(_mm512_set1_ps(x_steps[r]), _mm512_loadu_ps(w.steps + 16 * h));
            out[h] = _mm512_mul_ps(_mm512_cvtepi32_ps(sum[r][h]), step);
            __mmask16 half = mask >> 16 * h;
            if (bias)
                out[h] = _mm512_add_ps(out[h], wide(_mm256_maskz_loadu_epi16(half, bias + 16 * h)));
            if (residual) {
                const bf16 *add = residual + r * w.rows + 16 * h;
                out[h] = _mm512_add_ps(out[h], wide(_mm256_maskz_loadu_epi16(half, add)));
            }
        }
        __m512i both = (__m512i)_mm512_cvtne2ps_pbh(out[1], out[0]);
        _mm512_mask_storeu_epi16(y + r * w.rows, mask, both);
    }
}

/* Rows [first, end) of x times panel p. */
static void strip(const uint8_t *x, const float *x_steps, Matrix w, const bf16 *bias,
                  const bf16 *residual, bf16 *y, long first, long end, long p) {
    long at = p * PANEL, left = w.rows - at;
    __mmask32 mask = left < PANEL ? (1u << left) - 1 : 0xffffffffu;
    Matrix from = {w.panels + at * w.width, w.starts + at, w.steps + at, w.rows, w.width};
    const bf16 *b = bias ? bias + at : 0;
    while (first < end) {
        long size = (end - first + TILE - 1) / TILE; /* tiles left, alike in height */
        size = (end - first + size - 1) / size;
        const uint8_t *rows = x + first * w.width;
        const bf16 *add = residual ? residual + first * w.rows + at : 0;
        bf16 *to = y + first * w.rows + at;
        switch (size) {
#define CASE(k) case k: tile(rows, x_steps + first, from, b, add, to, mask, k); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
            CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
        }
        first += size;
    }
}

/* x (n, width) times a packed matrix: y (n, rows). scratch: n * (width, rounded up to fours, + 4). */
void multiply_int8(const bf16 *x, const int8_t *panels, const int32_t *starts, const float *steps,
                   const bf16 *bias, const bf16 *residual, uint8_t *scratch, bf16 *y, long n, long rows, long width) {
    long padded = (width + FOUR - 1) / FOUR * FOUR;
    Matrix w = {panels, starts, steps, rows, padded};
    uint8_t *q = scratch;
    float *x_steps = (float *)(scratch + n * padded);
    long count = (rows + PANEL - 1) / PANEL, blocks = (n + ROWS - 1) / ROWS;
    long tasks = blocks * count, height = (n + blocks - 1) / blocks;
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (long r = 0; r < n; r++) x_steps[r] = quantise(x + r * width, q + r * padded, width);
#pragma omp for schedule(static)
        for (long task = 0; task < tasks; task++) {
            long first = task / count * height, end = first + height < n ? first + height : n;
            strip(q, x_steps, w, bias, residual, y, first, end, task % count);
        }
    }
}

#else

long int8_products_available(void) { return 0; }
void multiply_int8(const bf16 *x, const int8_t *panels, const int32_t *starts, const float *steps,
                   const bf16 *bias, const bf16 *residual, uint8_t *scratch, bf16 *y, long n, long rows, long width) {}

#endif
