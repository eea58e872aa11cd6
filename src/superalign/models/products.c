/* Products with a fixed matrix in bfloat16, for processors with AVX512-BF16: y = x wᵀ (+ bias)
 * (+ residual) (+ z uᵀ, a low-rank term), sums in float, one rounding. A row's result does not depend on the other rows: it is
 * the same bits at every batch size. Compiled with kernels.c by native.py.
 *
 * w (rows, width) is packed into panels of 32 rows; in a panel, pairs of columns follow one another,
 * each 32 rows x 2 columns: two registers. A tile of up to 12 rows of x keeps its 24 registers of sums
 * for the whole width, and reads each panel once from the second-level cache.
 *
 * Processors differ in what the instruction for pairs costs: from half as much as the two products in
 * float that it replaces to twice as much. Where it is slower, pairs are taken apart and multiplied in
 * float. Which it is, is measured once, over registers alone.
 */
#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* A factor of a product: rows of it (and the same in float, where products are taken in float), its
 * packed partner, and what they have in common. */
typedef struct {
    const bf16 *x, *panels;
    long width;
    const float *floats;
} Factor;

/* Adds `count` rows (count constant) times one panel of a factor, a pair of columns at once. */
static inline __attribute__((always_inline)) void accumulate_pairs(__m512 sum[TILE][2], Factor f,
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

/* The same in float: the columns of a pair one after the other. */
static inline __attribute__((always_inline)) void accumulate_floats(__m512 sum[TILE][2], Factor f,
                                                                    const int count) {
    const __m512i second = _mm512_set1_epi32(0xffff0000);
    for (long j = 0; j < f.width; j += 2) {
        __m512i low = _mm512_loadu_si512(f.panels + j * PANEL);
        __m512i high = _mm512_loadu_si512(f.panels + j * PANEL + PANEL);
        __m512 low_0 = _mm512_castsi512_ps(_mm512_slli_epi32(low, 16));
        __m512 high_0 = _mm512_castsi512_ps(_mm512_slli_epi32(high, 16));
        __m512 low_1 = _mm512_castsi512_ps(_mm512_and_si512(low, second));
        __m512 high_1 = _mm512_castsi512_ps(_mm512_and_si512(high, second));
#pragma GCC unroll 12
        for (int r = 0; r < count; r++) {
            __m512 x_0 = _mm512_set1_ps(f.floats[r * f.width + j]);
            __m512 x_1 = _mm512_set1_ps(f.floats[r * f.width + j + 1]);
            sum[r][0] = _mm512_fmadd_ps(x_0, low_0, sum[r][0]);
            sum[r][1] = _mm512_fmadd_ps(x_0, high_0, sum[r][1]);
            sum[r][0] = _mm512_fmadd_ps(x_1, low_1, sum[r][0]);
            sum[r][1] = _mm512_fmadd_ps(x_1, high_1, sum[r][1]);
        }
    }
}

static inline __attribute__((always_inline)) void accumulate(__m512 sum[TILE][2], Factor f,
                                                             const int count) {
    if (f.floats)
        accumulate_floats(sum, f, count);
    else
        accumulate_pairs(sum, f, count);
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
    const float *floats = f.floats ? f.floats + row * f.width : 0;
    return (Factor){f.x + row * f.width, f.panels + panel_row * f.width, f.width, floats};
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

static void widen(const bf16 *from, float *to, long n) {
#pragma omp parallel for schedule(static) if (n > 1 << 16)
    for (long i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)from[i] << 16;
        memcpy(to + i, &bits, sizeof bits);
    }
}

/* Nanoseconds of 12 x 1000 products by either instruction, none waiting for another. */
#define TIMED(instruction)                                                                  \
    do {                                                                                    \
        __m512 a = _mm512_set1_ps(1e-30f), s[12] = {a, a, a, a, a, a, a, a, a, a, a, a};    \
        clock_gettime(CLOCK_MONOTONIC, &start);                                             \
        for (int k = 0; k < 1000; k++)                                                      \
            __asm__ volatile(                                                               \
                instruction " %12, %12, %0\n" instruction " %12, %12, %1\n"                 \
                instruction " %12, %12, %2\n" instruction " %12, %12, %3\n"                 \
                instruction " %12, %12, %4\n" instruction " %12, %12, %5\n"                 \
                instruction " %12, %12, %6\n" instruction " %12, %12, %7\n"                 \
                instruction " %12, %12, %8\n" instruction " %12, %12, %9\n"                 \
                instruction " %12, %12, %10\n" instruction " %12, %12, %11\n"               \
                : "+v"(s[0]), "+v"(s[1]), "+v"(s[2]), "+v"(s[3]), "+v"(s[4]), "+v"(s[5]),   \
                  "+v"(s[6]), "+v"(s[7]), "+v"(s[8]), "+v"(s[9]), "+v"(s[10]), "+v"(s[11])  \
                : "v"(a));                                                                  \
        clock_gettime(CLOCK_MONOTONIC, &end);                                               \
    } while (0)

static long timed(const int pairs) {
    struct timespec start, end;
    if (pairs)
        TIMED("vdpbf16ps");
    else
        TIMED("vfmadd231ps");
    return (end.tv_sec - start.tv_sec) * 1000000000L + end.tv_nsec - start.tv_nsec;
}

/* Whether products in float are faster here. A pair's instruction takes the time of 1, 2 or 4 in float;
 * from 2 on taking pairs apart costs more than it saves. The least of many times is the instruction's. */
long products_in_floats(void) {
    long with_pairs = timed(1), in_float = timed(0);
    for (int i = 0; i < 20; i++) {
        long t = timed(1), u = timed(0);
        if (t < with_pairs) with_pairs = t;
        if (u < in_float) in_float = u;
    }
    return with_pairs > 3 * in_float;
}

/* x (n, width) times packed w (rows, width), and z (n, rank) times packed u (rows, rank): y (n, rows).
 * width and rank are even; a rank of 0 is no low-rank term. `in_floats`: see products_in_floats. */
void multiply(const bf16 *x, const bf16 *w, const bf16 *z, const bf16 *u, const bf16 *bias,
              const bf16 *residual, bf16 *y, long n, long rows, long width, long rank,
              long in_floats) {
    float *floats = in_floats ? malloc(n * (width + rank) * sizeof(float)) : 0;
    Factor whole = {x, w, width, floats}, low = {z, u, rank, floats ? floats + n * width : 0};
    if (floats) {
        widen(x, floats, n * width);
        widen(z, floats + n * width, n * rank);
    }
    long count = (rows + PANEL - 1) / PANEL, blocks = (n + ROWS - 1) / ROWS;
    long tasks = blocks * count, height = (n + blocks - 1) / blocks;
#pragma omp parallel for schedule(static)
    for (long task = 0; task < tasks; task++) {
        long first = task / count * height, end = first + height < n ? first + height : n;
        strip(whole, low, bias, residual, y, first, end, task % count, rows);
    }
    free(floats);
}

#else

long products_available(void) { return 0; }
long products_in_floats(void) { return 0; }
void pack_matrix(const bf16 *w, bf16 *panels, long rows, long width, long down, long across) {}
void multiply(const bf16 *x, const bf16 *w, const bf16 *z, const bf16 *u, const bf16 *bias,
              const bf16 *residual, bf16 *y, long n, long rows, long width, long rank,
              long in_floats) {}

#endif
