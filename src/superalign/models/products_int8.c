/* Products of bfloat16 rows with a fixed matrix in 8-bit integers, for processors with AVX512-VNNI:
 * y = x wᵀ (+ bias) (+ residual). Each group of 32 columns of a row of x is rounded to 255 steps of its
 * own size, each group of w was when it was packed (int8.py). A group's sum is an exact integer, and
 * groups are added in order: a row's result has the same bits at every batch size. Compiled with kernels.c
 * by native.py.
 *
 * The instruction multiplies bytes without a sign by bytes with one: w is stored with 128 added, and a
 * group's sum starts at -128 times the sum of x's group. w (rows, width) is packed into panels of 32
 * rows; in a panel, fours of columns follow one another, each 32 rows x 4 columns: two registers.
 */
#include <stdint.h>
#include <string.h>

typedef uint16_t bf16;

#define PANEL 32
#define GROUP 32
#define FOUR 4
#define TILE 6
#define ROWS 96 /* rows of x that stay in the second-level cache while panels pass */
#define LARGEST 127
#define OFFSET 128

#if defined(__AVX512VNNI__) && defined(__AVX512BF16__) && defined(__AVX512BW__)
#include <immintrin.h>

long int8_products_available(void) { return 1; }

static inline __m512 wide(__m256i x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}

/* Rows of x in 8-bit integers (n, width), and of each group its step and the start of its sums. */
typedef struct {
    int8_t *q;
    float *steps;
    int32_t *starts;
} Rows;

/* A matrix: panels, and the steps (panels, groups, 32 rows). width: a multiple of a group. */
typedef struct {
    const uint8_t *panels;
    const bf16 *steps;
    long rows, width;
} Matrix;

/* The largest size in a group; sizes of bfloat16 are ordered as their bits are. */
static inline float largest(__m512i x) {
    __m512i sizes = _mm512_and_si512(x, _mm512_set1_epi16(0x7fff));
    __m256i half =
        _mm256_max_epu16(_mm512_castsi512_si256(sizes), _mm512_extracti64x4_epi64(sizes, 1));
    __m128i quarter = _mm_max_epu16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
    __m128i least = _mm_minpos_epu16(_mm_xor_si128(quarter, _mm_set1_epi16(-1)));
    uint32_t bits = (uint32_t)(uint16_t)~_mm_extract_epi16(least, 0) << 16;
    float size;
    memcpy(&size, &bits, sizeof size);
    return size;
}

/* Row x (width), `groups` groups of it, into row r; what is missing of the last one is zero. */
static void quantise(const bf16 *x, Rows to, long r, long width, long groups) {
    for (long g = 0; g < groups; g++) {
        long left = width - g * GROUP, at = r * groups + g;
        __mmask32 mask = left < GROUP ? (1u << left) - 1 : 0xffffffffu;
        __m512i v = _mm512_maskz_loadu_epi16(mask, x + g * GROUP);
        float size = largest(v);
        __m512 scale = _mm512_set1_ps(size > 0 ? LARGEST / size : 0);
        __m512i low = _mm512_cvtps_epi32(_mm512_mul_ps(wide(_mm512_castsi512_si256(v)), scale));
        __m512i high = _mm512_cvtps_epi32(_mm512_mul_ps(wide(_mm512_extracti64x4_epi64(v, 1)), scale));
        int8_t *q = to.q + at * GROUP;
        _mm_storeu_si128((__m128i *)q, _mm512_cvtepi32_epi8(low));
        _mm_storeu_si128((__m128i *)q + 1, _mm512_cvtepi32_epi8(high));
        to.steps[at] = size / LARGEST;
        to.starts[at] = -OFFSET * _mm512_reduce_add_epi32(_mm512_add_epi32(low, high));
    }
}

/* `count` rows (count constant) from row `first` on, times the panel that `w` begins with. `ahead`: the panel
 * comes from a cache; meanwhile the next one is fetched from memory. */
static inline __attribute__((always_inline)) void tile(
    Rows x, long first, Matrix w, const bf16 *bias, const bf16 *residual, bf16 *y, __mmask32 mask,
    int ahead, const int count) {
    __m512 sum[TILE][2];
    long groups = w.width / GROUP;
    for (int r = 0; r < count; r++) sum[r][0] = sum[r][1] = _mm512_setzero_ps();
    for (long g = 0; g < groups; g++) {
        const uint8_t *panel = w.panels + g * GROUP * PANEL;
        const int8_t *q = x.q + first * w.width + g * GROUP;
        __m512i exact[TILE][2];
        for (int r = 0; r < count; r++)
            exact[r][0] = exact[r][1] = _mm512_set1_epi32(x.starts[(first + r) * groups + g]);
#pragma GCC unroll 8
        for (int j = 0; j < GROUP / FOUR; j++) {
            const uint8_t *columns = panel + j * FOUR * PANEL;
            __m512i low = _mm512_loadu_si512(columns);
            __m512i high = _mm512_loadu_si512(columns + 2 * PANEL);
            if (ahead) {
                _mm_prefetch((const char *)columns + w.width * PANEL, _MM_HINT_T1);
                _mm_prefetch((const char *)columns + w.width * PANEL + 64, _MM_HINT_T1);
            }
#pragma GCC unroll 6
            for (int r = 0; r < count; r++) {
                int32_t four;
                memcpy(&four, q + r * w.width + j * FOUR, sizeof four);
                __m512i all = _mm512_set1_epi32(four);
                exact[r][0] = _mm512_dpbusd_epi32(exact[r][0], low, all);
                exact[r][1] = _mm512_dpbusd_epi32(exact[r][1], high, all);
            }
        }
        __m512i steps = _mm512_loadu_si512(w.steps + g * PANEL);
        __m512 low = wide(_mm512_castsi512_si256(steps));
        __m512 high = wide(_mm512_extracti64x4_epi64(steps, 1));
        for (int r = 0; r < count; r++) {
            __m512 step = _mm512_set1_ps(x.steps[(first + r) * groups + g]);
            __m512 by[2] = {_mm512_mul_ps(step, low), _mm512_mul_ps(step, high)};
            for (int h = 0; h < 2; h++)
                sum[r][h] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(exact[r][h]), by[h], sum[r][h]);
        }
    }
    for (int r = 0; r < count; r++) {
        const bf16 *terms[2] = {bias, residual ? residual + r * w.rows : 0};
        for (int k = 0; k < 2; k++) {
            if (!terms[k]) continue;
            __m512i term = _mm512_maskz_loadu_epi16(mask, terms[k]);
            sum[r][0] = _mm512_add_ps(sum[r][0], wide(_mm512_castsi512_si256(term)));
            sum[r][1] = _mm512_add_ps(sum[r][1], wide(_mm512_extracti64x4_epi64(term, 1)));
        }
        __m512i out = (__m512i)_mm512_cvtne2ps_pbh(sum[r][1], sum[r][0]);
        _mm512_mask_storeu_epi16(y + r * w.rows, mask, out);
    }
}

/* Rows [first, end) of x times panel p. */
static void strip(Rows x, Matrix w, const bf16 *bias, const bf16 *residual, bf16 *y, long first,
                  long end, long p) {
    long at = p * PANEL, left = w.rows - at;
    __mmask32 mask = left < PANEL ? (1u << left) - 1 : 0xffffffffu;
    Matrix from = {w.panels + at * w.width, w.steps + at * (w.width / GROUP), w.rows, w.width};
    const bf16 *b = bias ? bias + at : 0;
    int several = end - first > TILE;
    while (first < end) {
        long size = (end - first + TILE - 1) / TILE; /* tiles left, alike in height */
        size = (end - first + size - 1) / size;
        const bf16 *add = residual ? residual + first * w.rows + at : 0;
        bf16 *to = y + first * w.rows + at;
        int ahead = several && first + size == end;
        switch (size) {
#define CASE(k) case k: tile(x, first, from, b, add, to, mask, ahead, k); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
        }
        first += size;
    }
}

/* x (n, width) times a packed matrix: y (n, rows). scratch: n groups of 32 + 8 bytes. */
void multiply_int8(const bf16 *x, const uint8_t *panels, const bf16 *steps, const bf16 *bias,
                   const bf16 *residual, int8_t *scratch, bf16 *y, long n, long rows, long width) {
    long groups = (width + GROUP - 1) / GROUP;
    Matrix w = {panels, steps, rows, groups * GROUP};
    float *x_steps = (float *)(scratch + n * w.width);
    Rows from = {scratch, x_steps, (int32_t *)(x_steps + n * groups)};
    long count = (rows + PANEL - 1) / PANEL, blocks = (n + ROWS - 1) / ROWS;
    long tasks = blocks * count, height = (n + blocks - 1) / blocks;
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (long r = 0; r < n; r++) quantise(x + r * width, from, r, width, groups);
#pragma omp for schedule(static)
        for (long task = 0; task < tasks; task++) {
            long first = task / count * height, end = first + height < n ? first + height : n;
            strip(from, w, bias, residual, y, first, end, task % count);
        }
    }
}

#else

long int8_products_available(void) { return 0; }
void multiply_int8(const bf16 *x, const uint8_t *panels, const bf16 *steps, const bf16 *bias,
                   const bf16 *residual, int8_t *scratch, bf16 *y, long n, long rows, long width) {}

#endif
