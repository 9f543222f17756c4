// Faults on purpose: see faults.rs.
#include <limits.h>
#include <stdlib.h>

int use_after_free(void) {
  volatile int *memory = malloc(sizeof(int));
  *memory = 1;
  free((void *) memory);
  return *memory;
}

int overflow(int add) {
  volatile int most = INT_MAX;
  return most + add;
}

static volatile int count;

void race(void) {
  for (int i = 0; i < 1000; i++) count++;
}
