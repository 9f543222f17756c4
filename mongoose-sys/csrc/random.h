// mg_random() from the operating system's generator, or not at all.
//
// Mongoose's own falls back to rand() and most of its callers ignore what it returns, so that WebSocket
// masks, DNS ids, nonces and TLS keys could become guessable without a sign. Here a failure ends the process.

#if MG_ARCH == MG_ARCH_WIN32

#include <bcrypt.h>

bool mg_random(void *buf, size_t len) {
  unsigned char *p = (unsigned char *) buf;
  while (len > 0) {
    ULONG n = len > 0x40000000UL ? 0x40000000UL : (ULONG) len;
    if (BCryptGenRandom(NULL, p, n, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0) abort();
    p += n;
    len -= n;
  }
  return true;
}

#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || \
    defined(__DragonFly__)

// arc4random_buf() is fed by the kernel on these systems, and cannot fail.
bool mg_random(void *buf, size_t len) {
  arc4random_buf(buf, len);
  return true;
}

#else

#include <sys/random.h>

// getrandom() may be interrupted, and gives at most 33,554,431 bytes a call.
bool mg_random(void *buf, size_t len) {
  unsigned char *p = (unsigned char *) buf;
  while (len > 0) {
    ssize_t n = getrandom(p, len, 0);
    if (n > 0) {
      p += n;
      len -= (size_t) n;
    } else if (n == 0 || errno != EINTR) {
      abort();
    }
  }
  return true;
}

#endif
