/* Products with a fixed matrix in bfloat16, for processors with AVX512-BF16: y = x wᵀ (+ bias)
 * (+ residual), sums in float, one rounding. A row's result does not depend on the other rows: it is
 * the same bits at every batch size. Compiled with kernels.c by native.py.
 *
 * w (rows, width) is packed into panels of 32 rows; in a panel, pairs of columns follow one another,
 * each 32 rows x 2 columns: two registers. A tile of up to 12 rows of x keeps its 24 registers of sums
 * for the whole width, and reads each panel once from the second-level cache.
 */
#include <stdint.h>
#include <string.h>

typedef uint16_t bf16;

#define PANEL 32
#define TILE 12
#define ROWS 96 /* rows of x that stay in the second-level cache while panels pass */

#if defined(__AVX512BF16__) && defined(__AVX512BW__)
#include <immintrin.h>

long products_available(void) { return 1; }

/* w[i * down + j * across] (rows, width) into panels; what is missing of the last one is zero. */
void pack_matrix(const bf16 *w, bf16 *panels, long rows, long width, long down, long across) {
    long pairs = (width + 1) / 2, count = (rows + PANEL - 1) / PANEL;
#pragma omp parallel for schedule(static)
    for (long p = 0; p < count; p++) {
        bf16 *to = panels + p * pairs * 2 * PANEL;
        for (long j = 0; j < pairs; j++)
            for (long i = 0; i < PANEL; i++)
                for (long k = 0; k < 2; k++) {
                    long row = p * PANEL + i, column = 2 * j + k;
                    int inside = row < rows && column < width;
                    to[(j * PANEL + i) * 2 + k] = inside ? w[row * down + column * across] : 0;
                }
    }
}

static inline __m512 wide(__m256i x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}

/* `count` rows of x (count constant) times one panel. */
static inline __attribute__((always_inline)) void tile(
    const bf16 *x, const bf16 *panel, const bf16 *bias, const bf16 *residual, bf16 *y, long width,
    long rows, __mmask32 mask, const int count) {
    __m512 sum[TILE][2];
    for (int r = 0; r < count; r++) sum[r][0] = sum[r][1] = _mm512_setzero_ps();
    for (long j = 0; j < width; j += 2) {
        __m512bh low = (__m512bh)_mm512_loadu_si512(panel + j * PANEL);
        __m512bh high = (__m512bh)_mm512_loadu_si512(panel + j * PANEL + PANEL);
#pragma GCC unroll 12
        for (int r = 0; r < count; r++) {
            int32_t pair;
            memcpy(&pair, x + r * width + j, sizeof pair);
            __m512bh both = (__m512bh)_mm512_set1_epi32(pair);
            sum[r][0] = _mm512_dpbf16_ps(sum[r][0], both, low);
            sum[r][1] = _mm512_dpbf16_ps(sum[r][1], both, high);
        }
    }
    for (int r = 0; r < count; r++) {
        if (bias) {
            __m512i b = _mm512_maskz_loadu_epi16(mask, bias);
            sum[r][0] = _mm512_add_ps(sum[r][0], wide(_mm512_castsi512_si256(b)));
            sum[r][1] = _mm512_add_ps(sum[r][1], wide(_mm512_extracti64x4_epi64(b, 1)));
        }
        if (residual) {
            __m512i b = _mm512_maskz_loadu_epi16(mask, residual + r * rows);
            sum[r][0] = _mm512_add_ps(sum[r][0], wide(_mm512_castsi512_si256(b)));
            sum[r][1] = _mm512_add_ps(sum[r][1], wide(_mm512_extracti64x4_epi64(b, 1)));
        }
        __m512i out = (__m512i)_mm512_cvtne2ps_pbh(sum[r][1], sum[r][0]);
        _mm512_mask_storeu_epi16(y + r * rows, mask, out);
    }
}

/* Rows [first, end) of x times panel p. */
static void strip(const bf16 *x, const bf16 *panels, const bf16 *bias, const bf16 *residual,
                  bf16 *y, long first, long end, long p, long rows, long width) {
    long left = rows - p * PANEL, at = p * PANEL;
    __mmask32 mask = left < PANEL ? (1u << left) - 1 : 0xffffffffu;
    const bf16 *panel = panels + at * width, *b = bias ? bias + at : 0;
    while (first < end) {
        long size = (end - first + TILE - 1) / TILE; /* tiles left, alike in height */
        size = (end - first + size - 1) / size;
        const bf16 *from = x + first * width, *add = residual ? residual + first * rows + at : 0;
        bf16 *to = y + first * rows + at;
        switch (size) {
#define CASE(k) case k: tile(from, panel, b, add, to, width, rows, mask, k); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
            CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
        }
        first += size;
    }
}

/* x (n, width) times packed w (rows, width): y (n, rows). width is even. */
void multiply(const bf16 *x, const bf16 *panels, const bf16 *bias, const bf16 *residual, bf16 *y,
              long n, long rows, long width) {
    long count = (rows + PANEL - 1) / PANEL, blocks = (n + ROWS - 1) / ROWS;
    long tasks = blocks * count, height = (n + blocks - 1) / blocks;
#pragma omp parallel for schedule(static)
    for (long task = 0; task < tasks; task++) {
        long first = task / count * height, end = first + height < n ? first + height : n;
        strip(x, panels, bias, residual, y, first, end, task % count, rows, width);
    }
}

#else

long products_available(void) { return 0; }
void pack_matrix(const bf16 *w, bf16 *panels, long rows, long width, long down, long across) {}
void multiply(const bf16 *x, const bf16 *panels, const bf16 *bias, const bf16 *residual, bf16 *y,
              long n, long rows, long width) {}

#endif
