/* Products with a fixed matrix in bfloat16, for processors with AVX512-BF16: y = x wᵀ (+ bias)
 * (+ residual) (+ z uᵀ, a low-rank term), sums in float, one rounding. A row's result does not depend on the other rows: it is
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
        const bf16 *from = w + p * PANEL * down;
        int whole = (p + 1) * PANEL <= rows && width % 2 == 0;
        if (whole && across == 1) { /* a pair lies together */
            for (long i = 0; i < PANEL; i++)
                for (long j = 0; j < pairs; j++)
                    memcpy(to + (j * PANEL + i) * 2, from + i * down + 2 * j, 2 * sizeof(bf16));
        } else if (whole && down == 1) { /* a column of the panel lies together */
            for (long j = 0; j < pairs; j++) {
                const bf16 *one = from + 2 * j * across, *other = one + across;
                for (long i = 0; i < PANEL; i++) {
                    to[(j * PANEL + i) * 2] = one[i];
                    to[(j * PANEL + i) * 2 + 1] = other[i];
                }
            }
        } else {
            for (long j = 0; j < pairs; j++)
                for (long i = 0; i < PANEL; i++)
                    for (long k = 0; k < 2; k++) {
                        long column = 2 * j + k;
                        int inside = p * PANEL + i < rows && column < width;
                        to[(j * PANEL + i) * 2 + k] = inside ? from[i * down + column * across] : 0;
                    }
        }
    }
}

static inline __m512 wide(__m256i x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}

/* A factor of a product: rows of it, its packed partner, and what they have in common. */
typedef struct {
    const bf16 *x, *panels;
    long width;
} Factor;

/* Adds `count` rows (count constant) times one panel of a factor. */
static inline __attribute__((always_inline)) void accumulate(__m512 sum[TILE][2], Factor f,
                                                             const int count) {
    for (long j = 0; j < f.width; j += 2) {
        __m512bh low = (__m512bh)_mm512_loadu_si512(f.panels + j * PANEL);
        __m512bh high = (__m512bh)_mm512_loadu_si512(f.panels + j * PANEL + PANEL);
#pragma GCC unroll 12
        for (int r = 0; r < count; r++) {
            int32_t pair;
            memcpy(&pair, f.x + r * f.width + j, sizeof pair);
            __m512bh both = (__m512bh)_mm512_set1_epi32(pair);
            sum[r][0] = _mm512_dpbf16_ps(sum[r][0], both, low);
            sum[r][1] = _mm512_dpbf16_ps(sum[r][1], both, high);
        }
    }
}

/* `count` rows (count constant) of both factors times one panel of each. */
static inline __attribute__((always_inline)) void tile(
    Factor f, Factor more, const bf16 *bias, const bf16 *residual, bf16 *y, long rows,
    __mmask32 mask, const int count) {
    __m512 sum[TILE][2];
    for (int r = 0; r < count; r++) sum[r][0] = sum[r][1] = _mm512_setzero_ps();
    accumulate(sum, f, count);
    accumulate(sum, more, count);
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

static inline Factor at_place(Factor f, long row, long panel_row) {
    return (Factor){f.x + row * f.width, f.panels + panel_row * f.width, f.width};
}

/* Rows [first, end) of x times panel p. */
static void strip(Factor x, Factor z, const bf16 *bias, const bf16 *residual, bf16 *y, long first,
                  long end, long p, long rows) {
    long left = rows - p * PANEL, at = p * PANEL;
    __mmask32 mask = left < PANEL ? (1u << left) - 1 : 0xffffffffu;
    const bf16 *b = bias ? bias + at : 0;
    while (first < end) {
        long size = (end - first + TILE - 1) / TILE; /* tiles left, alike in height */
        size = (end - first + size - 1) / size;
        Factor from = at_place(x, first, at), more = at_place(z, first, at);
        const bf16 *add = residual ? residual + first * rows + at : 0;
        bf16 *to = y + first * rows + at;
        switch (size) {
#define CASE(k) case k: tile(from, more, b, add, to, rows, mask, k); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
            CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
        }
        first += size;
    }
}

/* x (n, width) times packed w (rows, width), and z (n, rank) times packed u (rows, rank): y (n, rows).
 * width and rank are even; a rank of 0 is no low-rank term. */
void multiply(const bf16 *x, const bf16 *w, const bf16 *z, const bf16 *u, const bf16 *bias,
              const bf16 *residual, bf16 *y, long n, long rows, long width, long rank) {
    Factor whole = {x, w, width}, low = {z, u, rank};
    long count = (rows + PANEL - 1) / PANEL, blocks = (n + ROWS - 1) / ROWS;
    long tasks = blocks * count, height = (n + blocks - 1) / blocks;
#pragma omp parallel for schedule(static)
    for (long task = 0; task < tasks; task++) {
        long first = task / count * height, end = first + height < n ? first + height : n;
        strip(whole, low, bias, residual, y, first, end, task % count, rows);
    }
}

#else

long products_available(void) { return 0; }
void pack_matrix(const bf16 *w, bf16 *panels, long rows, long width, long down, long across) {}
void multiply(const bf16 *x, const bf16 *w, const bf16 *z, const bf16 *u, const bf16 *bias,
              const bf16 *residual, bf16 *y, long n, long rows, long width, long rank) {}

#endif
