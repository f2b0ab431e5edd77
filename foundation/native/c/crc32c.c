/**
 * CRC-32C by the processor's instruction where there is one (SSE4.2, asked of the processor at run time; ARMv8 CRC,
 * when compiled for it), by eight tables otherwise.
 *
 * The instruction answers after three cycles but can start every cycle, so that a long input goes through it as three
 * streams at once. The streams are joined by "append n zero bytes", a linear map of the checksum, kept for the two
 * stream lengths as four tables of 256 words.
 */

#include "crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u

/** Bytes in one of the three streams: long ones cost one joining in 12 KiB, short ones still pay from 768 bytes on. */
#define LONG_STREAM_BYTES 4096
#define SHORT_STREAM_BYTES 256

typedef uint32_t shift_tables[4][256];

static uint32_t tables[8][256];
static shift_tables long_shift;
static shift_tables short_shift;

uint32_t (*crc32c)(uint32_t crc, const uint8_t *data, size_t length) = crc32c_by_tables;
const char *crc32c_way = "tables";

static inline uint64_t load64(const uint8_t *data) {
  uint64_t word;
  memcpy(&word, data, sizeof word);
  return word;
}

uint32_t crc32c_by_tables(uint32_t crc, const uint8_t *data, size_t length) {
  uint32_t state = ~crc;
  for (; length >= 8; data += 8, length -= 8) {
    uint64_t word = load64(data) ^ state;
    state = tables[7][word & 255] ^ tables[6][word >> 8 & 255] ^ tables[5][word >> 16 & 255] ^
            tables[4][word >> 24 & 255] ^ tables[3][word >> 32 & 255] ^ tables[2][word >> 40 & 255] ^
            tables[1][word >> 48 & 255] ^ tables[0][word >> 56];
  }
  for (; length > 0; data++, length--) state = state >> 8 ^ tables[0][(state ^ *data) & 255];
  return ~state;
}

#if defined(__x86_64__)

#include <nmmintrin.h>
#define HARDWARE __attribute__((target("sse4.2")))
#define STEP64(state, word) _mm_crc32_u64(state, word)
#define STEP8(state, byte) _mm_crc32_u8((uint32_t)(state), byte)
#define HARDWARE_WAY "sse4.2"
static bool hardware_present(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2");
}

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>
#define HARDWARE
#define STEP64(state, word) __crc32cd((uint32_t)(state), word)
#define STEP8(state, byte) __crc32cb((uint32_t)(state), byte)
#define HARDWARE_WAY "armv8"
static bool hardware_present(void) { return true; }

#endif

#ifdef HARDWARE_WAY

static inline uint64_t shift(const shift_tables by, uint64_t state) {
  return by[0][state & 255] ^ by[1][state >> 8 & 255] ^ by[2][state >> 16 & 255] ^ by[3][state >> 24 & 255];
}

HARDWARE static inline uint64_t three_streams(uint64_t state, const uint8_t *data, size_t stream_bytes,
                                              const shift_tables by) {
  uint64_t second = 0;
  uint64_t third = 0;
  for (size_t i = 0; i < stream_bytes; i += 8) {
    state = STEP64(state, load64(data + i));
    second = STEP64(second, load64(data + stream_bytes + i));
    third = STEP64(third, load64(data + 2 * stream_bytes + i));
  }
  return shift(by, shift(by, state) ^ second) ^ third;
}

HARDWARE static uint32_t crc32c_by_hardware(uint32_t crc, const uint8_t *data, size_t length) {
  uint64_t state = (uint32_t)~crc;
  for (; length >= 3 * LONG_STREAM_BYTES; data += 3 * LONG_STREAM_BYTES, length -= 3 * LONG_STREAM_BYTES) {
    state = three_streams(state, data, LONG_STREAM_BYTES, long_shift);
  }
  for (; length >= 3 * SHORT_STREAM_BYTES; data += 3 * SHORT_STREAM_BYTES, length -= 3 * SHORT_STREAM_BYTES) {
    state = three_streams(state, data, SHORT_STREAM_BYTES, short_shift);
  }
  for (; length >= 8; data += 8, length -= 8) state = STEP64(state, load64(data));
  for (; length > 0; data++, length--) state = STEP8(state, *data);
  return ~(uint32_t)state;
}

#endif

static uint32_t append_zeros(uint32_t state, size_t count) {
  for (size_t i = 0; i < count; i++) state = state >> 8 ^ tables[0][state & 255];
  return state;
}

/** The map is linear: 32 single bits say all, and a byte's entry is the sum of its bits'. */
static void make_shift(shift_tables out, size_t count) {
  for (int table = 0; table < 4; table++) {
    out[table][0] = 0;
    for (uint32_t bit = 0; bit < 8; bit++) {
      uint32_t shifted = append_zeros(1u << (8 * table + bit), count);
      for (uint32_t low = 0; low < 1u << bit; low++) out[table][1u << bit | low] = shifted ^ out[table][low];
    }
  }
}

static void prepare(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t state = byte;
    for (int bit = 0; bit < 8; bit++) state = state >> 1 ^ (state & 1 ? POLYNOMIAL : 0);
    tables[0][byte] = state;
  }
  for (int table = 1; table < 8; table++) {
    for (uint32_t byte = 0; byte < 256; byte++) tables[table][byte] = append_zeros(tables[table - 1][byte], 1);
  }
  make_shift(long_shift, LONG_STREAM_BYTES);
  make_shift(short_shift, SHORT_STREAM_BYTES);
#ifdef HARDWARE_WAY
  if (hardware_present()) {
    crc32c = crc32c_by_hardware;
    crc32c_way = HARDWARE_WAY;
  }
#endif
}

void crc32c_prepare(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare);
}
