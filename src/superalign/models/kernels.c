/* What inference and training do besides matrix products: norms, rotary embedding, attention over the
 * slot cache, gated activation, softmax over the vocabulary. Plain C, once for float and once for bfloat16; all arithmetic is in
 * float and each result is rounded once. Built on first use by native.py, which also has the types.
 */
#ifndef REAL

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint16_t bf16;

static inline float widen(bf16 x) {
    uint32_t bits = (uint32_t)x << 16;
    float out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

static inline bf16 narrow(float x) { /* to the nearest, ties to even; all NaN to one */
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : (bf16)rounded;
}

#define PARALLEL 8192 /* fewer elements than this are not worth a second thread */

#define BLOCK 128

#define REAL float
#define NAME(f) f##_float32
#define LOAD(x) (x)
#define STORE(x) (x)
#include __FILE__
#undef REAL
#undef NAME
#undef LOAD
#undef STORE
#define REAL bf16
#define NAME(f) f##_bfloat16
#define LOAD(x) widen(x)
#define STORE(x) narrow(x)
#include __FILE__

#else

/* y = x / sqrt(mean(x^2) + eps) * weight, rows of d. */
void NAME(rms_norm)(const REAL *x, const REAL *weight, REAL *y, long n, long d, float eps) {
#pragma omp parallel for schedule(static) if (n * d > PARALLEL)
    for (long row = 0; row < n; row++) {
        const REAL *from = x + row * d;
        REAL *to = y + row * d;
        float square = 0;
        for (long i = 0; i < d; i++) square += LOAD(from[i]) * LOAD(from[i]);
        float scale = 1 / sqrtf(square / d + eps);
        for (long i = 0; i < d; i++) to[i] = STORE(LOAD(from[i]) * scale * LOAD(weight[i]));
    }
}

/* dx of rms_norm, given dy; the scale is computed again rather than kept. */
void NAME(rms_norm_backward)(const REAL *x, const REAL *weight, const REAL *dy, REAL *dx, long n,
                             long d, float eps) {
#pragma omp parallel for schedule(static) if (n * d > PARALLEL)
    for (long row = 0; row < n; row++) {
        const REAL *from = x + row * d, *g = dy + row * d;
        REAL *to = dx + row * d;
        float square = 0, dot = 0;
        for (long i = 0; i < d; i++) {
            square += LOAD(from[i]) * LOAD(from[i]);
            dot += LOAD(g[i]) * LOAD(weight[i]) * LOAD(from[i]);
        }
        float mean = square / d + eps, scale = 1 / sqrtf(mean), pull = dot / (d * mean);
        for (long i = 0; i < d; i++)
            to[i] = STORE(scale * (LOAD(g[i]) * LOAD(weight[i]) - LOAD(from[i]) * pull));
    }
}

/* y = silu(gate) * up, where a row of h holds gate (width) and then up (width). */
void NAME(gated_silu)(const REAL *h, REAL *y, long n, long width) {
#pragma omp parallel for schedule(static) if (n * width > PARALLEL)
    for (long row = 0; row < n; row++) {
        const REAL *gate = h + 2 * row * width, *up = gate + width;
        REAL *to = y + row * width;
        for (long i = 0; i < width; i++) {
            float g = LOAD(gate[i]);
            float e = expf(g > -80 ? -g : 80); /* no infinity: the reciprocal would be NaN */
            to[i] = STORE(g / (1 + e) * LOAD(up[i]));
        }
    }
}

/* dh of gated_silu, given dy (n, width); the activation is computed again rather than kept. */
void NAME(gated_silu_backward)(const REAL *h, const REAL *dy, REAL *dh, long n, long width) {
#pragma omp parallel for schedule(static) if (n * width > PARALLEL)
    for (long row = 0; row < n; row++) {
        const REAL *gate = h + 2 * row * width, *up = gate + width, *g = dy + row * width;
        REAL *dgate = dh + 2 * row * width, *dup = dgate + width;
        for (long i = 0; i < width; i++) {
            float x = LOAD(gate[i]), e = expf(x > -80 ? -x : 80), sigmoid = 1 / (1 + e);
            dgate[i] = STORE(LOAD(g[i]) * LOAD(up[i]) * sigmoid * (1 + x * (1 - sigmoid)));
            dup[i] = STORE(LOAD(g[i]) * x * sigmoid);
        }
    }
}

/* to[t] is the sum of the rows cells[starts[t]] ... cells[starts[t + 1] - 1] of x (.., width). */
void NAME(gather_sum)(const REAL *x, const long *cells, const long *starts, REAL *to, long n,
                      long width) {
#pragma omp parallel if (n * width > PARALLEL)
    {
        float *sum = malloc(width * sizeof(float));
#pragma omp for schedule(static)
        for (long t = 0; t < n; t++) {
            if (starts[t + 1] - starts[t] == 1) {
                memcpy(to + t * width, x + cells[starts[t]] * width, width * sizeof(REAL));
                continue;
            }
            memset(sum, 0, width * sizeof(float));
            for (long c = starts[t]; c < starts[t + 1]; c++)
                for (long i = 0; i < width; i++) sum[i] += LOAD(x[cells[c] * width + i]);
            for (long i = 0; i < width; i++) to[t * width + i] = STORE(sum[i]);
        }
        free(sum);
    }
}

/* Norm (unless weight is NULL), then turn one head's vector (d <= 512) by its position's angles. */
static inline void NAME(turn)(const REAL *x, const REAL *weight, float eps, const REAL *cos,
                              const REAL *sin, float *y, long d) {
    float v[512];
    for (long i = 0; i < d; i++) v[i] = LOAD(x[i]);
    if (weight) {
        float square = 0;
        for (long i = 0; i < d; i++) square += v[i] * v[i];
        float scale = 1 / sqrtf(square / d + eps);
        for (long i = 0; i < d; i++) v[i] = LOAD(STORE(v[i] * scale * LOAD(weight[i])));
    }
    long half = d / 2;
    for (long i = 0; i < half; i++) {
        y[i] = v[i] * LOAD(cos[i]) - v[i + half] * LOAD(sin[i]);
        y[i + half] = v[i + half] * LOAD(cos[i + half]) + v[i] * LOAD(sin[i + half]);
    }
}

/* Queries and keys of packed tokens: fused (n, heads + 2 kv_heads, d) in place. */
void NAME(rotate)(REAL *fused, const REAL *cos, const REAL *sin, const long *positions,
                  const REAL *query_norm, const REAL *key_norm, float eps, long n, long heads,
                  long kv_heads, long d) {
#pragma omp parallel for schedule(static) if (n * heads * d > PARALLEL)
    for (long t = 0; t < n; t++) {
        const REAL *c = cos + positions[t] * d, *s = sin + positions[t] * d;
        for (long h = 0; h < heads + kv_heads; h++) {
            REAL *x = fused + (t * (heads + 2 * kv_heads) + h) * d;
            float y[512];
            NAME(turn)(x, h < heads ? query_norm : key_norm, eps, c, s, y, d);
            for (long i = 0; i < d; i++) x[i] = STORE(y[i]);
        }
    }
}

/* Attention of one key/value head's queries q (group, d) to its first `length` tokens. Meanwhile its
 * values, and then the next head's keys, are on their way from memory. */
static inline __attribute__((always_inline)) void NAME(attend)(
    const float *restrict q, const REAL *restrict k, const REAL *restrict v,
    const REAL *next, REAL *restrict out, float *restrict scores, float *restrict sums, long length, long group, long d) {
    for (long t = 0; t < length; t++) {
        float x[512];
        for (long i = 0; i < d; i += 64 / sizeof(REAL)) __builtin_prefetch(v + t * d + i);
        for (long i = 0; i < d; i++) x[i] = LOAD(k[t * d + i]);
        for (long g = 0; g < group; g++) {
            float sum = 0;
            for (long i = 0; i < d; i++) sum += q[g * d + i] * x[i];
            scores[g * length + t] = sum;
        }
    }
    for (long g = 0; g < group; g++) {
        float *w = scores + g * length, top = w[0], sum = 0;
        for (long t = 1; t < length; t++) top = w[t] > top ? w[t] : top;
        for (long t = 0; t < length; t++) w[t] = expf(w[t] - top);
        for (long t = 0; t < length; t++) sum += w[t];
        for (long t = 0; t < length; t++) w[t] /= sum;
    }
    memset(sums, 0, group * d * sizeof(float));
    for (long t = 0; t < length; t++) {
        float x[512];
        for (long i = 0; i < d; i += 64 / sizeof(REAL)) __builtin_prefetch(next + t * d + i);
        for (long i = 0; i < d; i++) x[i] = LOAD(v[t * d + i]);
        for (long g = 0; g < group; g++)
            for (long i = 0; i < d; i++) sums[g * d + i] += scores[g * length + t] * x[i];
    }
    for (long i = 0; i < group * d; i++) out[i] = STORE(sums[i]);
}

/* One new token in each of n slots. fused (n, heads + 2 kv_heads, d) holds its query, key and value
 * before rotation; keys and values (n, kv_heads, capacity, d) take them at lengths[slot] - 1; then
 * every query attends to its slot's first lengths[slot] tokens. out (n, heads, d).
 */
void NAME(decode)(const REAL *fused, const REAL *cos, const REAL *sin, const long *lengths,
                  const REAL *query_norm, const REAL *key_norm, float eps, REAL *keys,
                  REAL *values, REAL *out, long n, long heads, long kv_heads, long d,
                  long capacity, float scale) {
    long group = heads / kv_heads;
#pragma omp parallel
    {
        float *q = malloc(group * (capacity + 2 * d) * sizeof(float));
        float *sums = q + group * d, *scores = sums + group * d;
#pragma omp for schedule(static)
        for (long task = 0; task < n * kv_heads; task++) {
            long slot = task / kv_heads, kv = task % kv_heads, length = lengths[slot];
            const REAL *row = fused + slot * (heads + 2 * kv_heads) * d;
            const REAL *c = cos + (length - 1) * d, *s = sin + (length - 1) * d;
            REAL *k = keys + task * capacity * d, *v = values + task * capacity * d;
            const REAL *next = k + capacity * d;
            REAL *to = out + (slot * heads + kv * group) * d;
            float x[512];
            for (long g = 0; g < group; g++) {
                NAME(turn)(row + (kv * group + g) * d, query_norm, eps, c, s, q + g * d, d);
                for (long i = 0; i < d; i++) q[g * d + i] = scale * LOAD(STORE(q[g * d + i]));
            }
            NAME(turn)(row + (heads + kv) * d, key_norm, eps, c, s, x, d);
            for (long i = 0; i < d; i++) k[(length - 1) * d + i] = STORE(x[i]);
            memcpy(v + (length - 1) * d, row + (heads + kv_heads + kv) * d, d * sizeof(REAL));
            /* Constants let the compiler keep a head's vectors in registers. */
            if (d == 64 && group == 3) NAME(attend)(q, k, v, next, to, scores, sums, length, 3, 64);
            else if (d == 64) NAME(attend)(q, k, v, next, to, scores, sums, length, group, 64);
            else if (d == 128) NAME(attend)(q, k, v, next, to, scores, sums, length, group, 128);
            else NAME(attend)(q, k, v, next, to, scores, sums, length, group, d);
        }
        free(q);
    }
}

/* log(sum(exp(x))) of x (size). */
static inline float NAME(log_sum)(const REAL *x, long size) {
    float top = LOAD(x[0]);
    for (long i = 1; i < size; i++) top = LOAD(x[i]) > top ? LOAD(x[i]) : top;
    double total = 0;
    for (long from = 0; from < size; from += BLOCK) {
        long end = from + BLOCK < size ? from + BLOCK : size;
        float sum = 0;
        for (long i = from; i < end; i++) sum += expf(LOAD(x[i]) - top);
        total += sum;
    }
    return top + (float)log(total);
}

/* Log-probability of targets[row] under softmax(logits[row]) for logits (n, size), which become the
 * probabilities where `keep` is set.
 */
void NAME(log_softmax_at)(REAL *logits, const long *targets, float *logprobs, long n, long size,
                          long keep) {
#pragma omp parallel for schedule(static) if (n > 1)
    for (long row = 0; row < n; row++) {
        REAL *x = logits + row * size;
        float whole = NAME(log_sum)(x, size);
        logprobs[row] = LOAD(x[targets[row]]) - whole;
        if (keep)
            for (long i = 0; i < size; i++) x[i] = STORE(expf(LOAD(x[i]) - whole));
    }
}

/* KL(softmax(p) || softmax(q)) of each row of logits (n, size); q becomes softmax(q) - softmax(p). */
void NAME(divergence)(REAL *logits_q, const REAL *logits_p, float *divergences, long n, long size) {
#pragma omp parallel for schedule(static) if (n > 1)
    for (long row = 0; row < n; row++) {
        REAL *q = logits_q + row * size;
        const REAL *p = logits_p + row * size;
        float whole_q = NAME(log_sum)(q, size), whole_p = NAME(log_sum)(p, size);
        double total = 0;
        for (long from = 0; from < size; from += BLOCK) {
            long end = from + BLOCK < size ? from + BLOCK : size;
            float sum = 0;
            for (long i = from; i < end; i++) {
                float log_p = LOAD(p[i]) - whole_p, log_q = LOAD(q[i]) - whole_q;
                float share = expf(log_p);
                sum += share * (log_p - log_q);
                q[i] = STORE(expf(log_q) - share);
            }
            total += sum;
        }
        divergences[row] = (float)total;
    }
}

/* One token per row of logits (n, size) and its log-probability under softmax(logits): the first
 * maximum where uniforms is NULL, else the inverse CDF of softmax(logits * sharpness) at uniforms[row]
 * in [0, 1). Block sums find the block, a running sum within it the token.
 */
void NAME(sample)(const REAL *logits, const float *uniforms, long *tokens, float *logprobs, long n,
                  long size, float sharpness) {
    long blocks = (size + BLOCK - 1) / BLOCK;
#pragma omp parallel if (n > 1)
    {
        float *sums = malloc(blocks * sizeof(float));
#pragma omp for schedule(static)
        for (long row = 0; row < n; row++) {
            const REAL *x = logits + row * size;
            float top = LOAD(x[0]);
            for (long i = 1; i < size; i++) top = LOAD(x[i]) > top ? LOAD(x[i]) : top;
            double plain = 0, total = 0;
            for (long b = 0; b < blocks; b++) {
                long end = (b + 1) * BLOCK < size ? (b + 1) * BLOCK : size;
                float sum = 0, sharp = 0;
                for (long i = b * BLOCK; i < end; i++) sum += expf(LOAD(x[i]) - top);
                plain += sum;
                if (sharpness == 1) sharp = sum;
                else if (uniforms)
                    for (long i = b * BLOCK; i < end; i++)
                        sharp += expf((LOAD(x[i]) - top) * sharpness);
                total += sums[b] = sharp;
            }
            long token = 0;
            if (uniforms) {
                double rest = uniforms[row] * total;
                long b = 0; /* the last block of any weight, should rounding leave a rest */
                for (long i = 0; i < blocks; i++) {
                    if (sums[i] > 0) b = i;
                    if (rest < sums[i]) break;
                    rest -= sums[i];
                }
                long end = (b + 1) * BLOCK < size ? (b + 1) * BLOCK : size;
                for (long i = b * BLOCK; i < end; i++) {
                    float weight = expf((LOAD(x[i]) - top) * sharpness);
                    if (weight > 0) token = i;
                    if ((rest -= weight) < 0 && weight > 0) break;
                }
            } else {
                while (token < size - 1 && LOAD(x[token]) < top) token++;
            }
            tokens[row] = token;
            logprobs[row] = LOAD(x[token]) - top - (float)log(plain);
        }
        free(sums);
    }
}

#endif
