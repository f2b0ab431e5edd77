/*
 * Two things that the bench cannot ask of the disk through Node: `disk drop FILE...` takes files out of the page cache, and
 * `disk read COUNT SEED FILE` times random reads of 4 KiB past it, in nanoseconds, as `median p99`.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES 4096

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* How many pages of a file are in memory. */
static size_t resident_pages(int file, size_t bytes) {
  size_t pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES, resident = 0;
  unsigned char *flags = malloc(pages);
  void *data = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
  if (flags == NULL || data == MAP_FAILED || mincore(data, bytes, flags) != 0) return pages;
  for (size_t i = 0; i < pages; i++) resident += flags[i] & 1;
  munmap(data, bytes);
  free(flags);
  return resident;
}

/* The pages of a process that has just ended are let go a little later, so one try may come too early. */
static int drop_file(const char *path) {
  const struct timespec pause = {0, 100 * 1000 * 1000};
  struct stat facts;
  int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &facts) != 0 || fdatasync(file) != 0) {
    perror(path);
    return 1;
  }
  for (int tries = 0; tries < 100 && facts.st_size > 0; tries++) {
    if (posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0) break;
    if (resident_pages(file, (size_t)facts.st_size) == 0) {
      close(file);
      return 0;
    }
    nanosleep(&pause, NULL);
  }
  close(file);
  if (facts.st_size == 0) return 0;
  fprintf(stderr, "%s stays in memory\n", path);
  return 1;
}

static int drop(int count, char **paths) {
  for (int i = 0; i < count; i++) {
    if (drop_file(paths[i]) != 0) return 1;
  }
  return 0;
}

static int read_randomly(size_t count, uint64_t seed, const char *path) {
  struct stat facts;
  void *page;
  int file = open(path, O_RDONLY | O_DIRECT);
  if (file < 0 || fstat(file, &facts) != 0 || posix_memalign(&page, PAGE_BYTES, PAGE_BYTES) != 0) {
    perror(path);
    return 1;
  }
  uint64_t pages = (uint64_t)facts.st_size / PAGE_BYTES;
  double *took = malloc(count * sizeof *took);
  if (pages == 0 || took == NULL) return 1;
  for (size_t i = 0; i < count; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    off_t offset = (off_t)((seed >> 20) % pages * PAGE_BYTES);
    double start = now_ns();
    if (pread(file, page, PAGE_BYTES, offset) != PAGE_BYTES) {
      perror(path);
      return 1;
    }
    took[i] = now_ns() - start;
  }
  qsort(took, count, sizeof *took, ascending);
  printf("%.0f %.0f\n", took[count / 2], took[count * 99 / 100]);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[1], "drop") == 0) return drop(argc - 2, argv + 2);
  if (argc == 5 && strcmp(argv[1], "read") == 0) {
    return read_randomly(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), argv[4]);
  }
  fprintf(stderr, "usage: disk drop FILE... | disk read COUNT SEED FILE\n");
  return 2;
}
