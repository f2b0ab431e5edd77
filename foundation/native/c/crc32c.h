/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), without knowledge of JavaScript.
 *
 * `crc` is the checksum of what came before, 0 at the start; the inversions at both ends are done inside, so that the
 * checksum of two parts is crc32c(crc32c(0, a), b). Call crc32c_prepare first; it may be called from any thread, often.
 */
#ifndef ORBITKV_CRC32C_H
#define ORBITKV_CRC32C_H

#include <stddef.h>
#include <stdint.h>

void crc32c_prepare(void);
extern uint32_t (*crc32c)(uint32_t crc, const uint8_t *data, size_t length);
/** Which way was chosen: `sse4.2`, `armv8` or `tables`. */
extern const char *crc32c_way;
/** The table way, kept reachable so that a test can hold the other ways against it. */
uint32_t crc32c_by_tables(uint32_t crc, const uint8_t *data, size_t length);

#endif
