/* Max-pooling of bfloat16 maps, channels last: torch's values and gradients to the bit, in about half of its time.

   torch keeps an int64 index for each pooled value and fills the gradient with zeros before it scatters; here
   an index is one byte, and the gradient is written once. Sixteen channels are taken at a time; the last
   sixteen may overlap those before. Maps of fewer channels, and other types, are left to torch. */

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_ANY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_ANY_PROCESSOR
#endif

enum { LANES = 16 };
typedef uint8_t Bytes __attribute__((vector_size(LANES)));
typedef uint16_t Words __attribute__((vector_size(2 * LANES)));
typedef int16_t Signed __attribute__((vector_size(2 * LANES)));
typedef uint32_t Wide __attribute__((vector_size(4 * LANES)));
typedef float Floats __attribute__((vector_size(4 * LANES)));

#define LOAD(type, from) ({ type loaded; memcpy(&loaded, from, sizeof loaded); loaded; })
#define STORE(to, value) ({ __typeof__(value) stored = value; memcpy(to, &stored, sizeof stored); })
#define ALL(number) ((Words){0} + (uint16_t)(number))
#define FLOATS(words) ((Floats)(__builtin_convertvector(words, Wide) << 16))
#define BLOCK(channel, channels) ((channel) + LANES <= (channels) ? (channel) : (channels) - LANES)

/* maps [n, h, w, c] to pooled and place [n, h / size, w / size, c]: the largest, or the last NaN, of each window
   of size x size, and where in it the first such value stands, row by row. */
FOR_ANY_PROCESSOR void pool(const uint16_t *restrict maps, uint16_t *restrict pooled, uint8_t *restrict place,
                            int64_t n, int64_t h, int64_t w, int64_t c, int64_t size) {
    for (int64_t image = 0; image < n; image++)
        for (int64_t row = 0; row < h / size; row++)
            for (int64_t column = 0; column < w / size; column++, pooled += c, place += c) {
                const uint16_t *window = maps + ((image * h + row * size) * w + column * size) * c;
                for (int64_t channel = 0; channel < c; channel += LANES) {
                    int64_t first = BLOCK(channel, c);
                    Words best = LOAD(Words, window + first), at = ALL(0);
                    for (int64_t number = 1; number < size * size; number++) {
                        int64_t pixel = number / size * w + number % size;
                        Words value = LOAD(Words, window + pixel * c + first);
                        Words is_nan = (Words)((value & ALL(0x7fff)) > ALL(0x7f80));
                        Words better = (Words)__builtin_convertvector(FLOATS(value) > FLOATS(best), Signed) | is_nan;
                        best = (value & better) | (best & ~better);
                        at = (ALL(number) & better) | (at & ~better);
                    }
                    STORE(pooled + first, best);
                    STORE(place + first, __builtin_convertvector(at, Bytes));
                }
            }
}

/* gradient and place [n, h / size, w / size, c] to maps [n, h, w, c]: the gradient where its value stood, else 0. */
FOR_ANY_PROCESSOR void pool_backward(const uint16_t *restrict gradient, const uint8_t *restrict place,
                                     uint16_t *restrict maps, int64_t n, int64_t h, int64_t w, int64_t c,
                                     int64_t size) {
    int64_t rows = h / size, columns = w / size;
    for (int64_t image = 0; image < n; image++)
        for (int64_t row = 0; row < h; row++, maps += w * c) {
            if (row >= rows * size) {
                memset(maps, 0, w * c * sizeof *maps);
                continue;
            }
            int64_t line = (image * rows + row / size) * columns * c;
            for (int64_t pixel = 0; pixel < columns * size; pixel++) {
                Words here = ALL(row % size * size + pixel % size);
                for (int64_t channel = 0; channel < c; channel += LANES) {
                    int64_t first = BLOCK(channel, c), window = line + pixel / size * c + first;
                    Words at = __builtin_convertvector(LOAD(Bytes, place + window), Words);
                    STORE(maps + pixel * c + first, LOAD(Words, gradient + window) & (Words)(at == here));
                }
            }
            memset(maps + columns * size * c, 0, (w - columns * size) * c * sizeof *maps);
        }
}
