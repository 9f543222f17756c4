// System calls that fail, or do less than they are asked: a library to be preloaded. What is to happen stands in
// environment variables, each with a number n:
//
//   FAULT_INTERRUPT  one call of n on a socket, or wait, is interrupted before it did anything
//   FAULT_AGAIN      one read or write of n of a socket finds it not ready
//   FAULT_SHORT      a stream takes and gives n bytes at a time
//   FAULT_NO_BUFFERS one write of n to a socket finds the system short of memory
//   FAULT_ACCEPT     one accept of n fails, with one of several errors
//   FAULT_WATCH      one socket of n cannot be watched
//   FAULT_SOCKET     one socket of n cannot be made
//   FAULT_OPEN       one file of n below a folder cannot be opened, with one of several errors
//   FAULT_DISK       a disk has room for n bytes
//   FAULT_CLOCK      path of a file with eight bytes: by how many seconds the time of day is off

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

enum { INTERRUPT, AGAIN, SHORT, NO_BUFFERS, ACCEPT, WATCH, SOCKET, OPEN, DISK, COUNT };

static long settings[COUNT];
static atomic_long counts[COUNT];
static volatile int64_t *clock_offset;

__attribute__((constructor)) static void read_settings(void) {
  static const char *const names[COUNT] = {
      "FAULT_INTERRUPT", "FAULT_AGAIN",  "FAULT_SHORT", "FAULT_NO_BUFFERS", "FAULT_ACCEPT",
      "FAULT_WATCH",     "FAULT_SOCKET", "FAULT_OPEN",  "FAULT_DISK"};
  for (int i = 0; i < COUNT; i++) {
    const char *value = getenv(names[i]);
    settings[i] = value == NULL ? 0 : atol(value);
  }
  const char *path = getenv("FAULT_CLOCK");
  if (path != NULL) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *mapped = mmap(NULL, sizeof(*clock_offset), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED) abort();
    clock_offset = mapped;
  }
}

// Whether it is this call's turn: one of n, but not each nth, or calls that take turns would always meet the same one.
static int is_due(int fault) {
  if (settings[fault] == 0) return 0;
  uint64_t number = (uint64_t) atomic_fetch_add(&counts[fault], 1) + 1;
  number *= 0x9e3779b97f4a7c15u;
  return (number >> 32) % (uint64_t) settings[fault] == 0;
}

static int fails(int error) {
  errno = error;
  return -1;
}

// One of some errors.
static int next_of(int fault, const int *errors, int count) {
  return errors[atomic_load(&counts[fault]) % count];
}

static int is_stream(int fd) {
  int type = 0, saved = errno;
  socklen_t length = sizeof(type);
  int is = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
  errno = saved;
  return is;
}

static size_t shortened(int fd, size_t length) {
  size_t most = (size_t) settings[SHORT];
  return most > 0 && length > most && is_stream(fd) ? most : length;
}

// What comes before a read of a socket, and before a write.
static int may_read(void) {
  if (is_due(INTERRUPT)) return fails(EINTR);
  if (is_due(AGAIN)) return fails(EAGAIN);
  return 0;
}

static int may_write(void) {
  if (may_read() < 0) return -1;
  if (is_due(NO_BUFFERS)) return fails(ENOBUFS);
  return 0;
}

ssize_t recv(int fd, void *buffer, size_t length, int flags) {
  if (may_read() < 0) return -1;
  return NEXT(recv)(fd, buffer, shortened(fd, length), flags);
}

ssize_t recvfrom(int fd, void *buffer, size_t length, int flags, struct sockaddr *from, socklen_t *size) {
  if (may_read() < 0) return -1;
  return NEXT(recvfrom)(fd, buffer, shortened(fd, length), flags, from, size);
}

ssize_t send(int fd, const void *buffer, size_t length, int flags) {
  if (may_write() < 0) return -1;
  return NEXT(send)(fd, buffer, shortened(fd, length), flags);
}

ssize_t sendto(int fd, const void *buffer, size_t length, int flags, const struct sockaddr *to, socklen_t size) {
  if (may_write() < 0) return -1;
  return NEXT(sendto)(fd, buffer, shortened(fd, length), flags, to, size);
}

ssize_t writev(int fd, const struct iovec *slices, int count) {
  if (!is_stream(fd)) return NEXT(writev)(fd, slices, count);
  if (may_write() < 0) return -1;
  if (settings[SHORT] > 0 && count > 0) {
    struct iovec first = slices[0];
    first.iov_len = shortened(fd, first.iov_len);
    return NEXT(writev)(fd, &first, 1);
  }
  return NEXT(writev)(fd, slices, count);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t count) {
  if (may_write() < 0) return -1;
  return NEXT(sendfile)(out, in, offset, shortened(out, count));
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t count) {
  if (may_write() < 0) return -1;
  return NEXT(sendfile64)(out, in, offset, shortened(out, count));
}

// The disk: of what is written to files, so many bytes find room.
ssize_t write(int fd, const void *buffer, size_t length) {
  struct stat about;
  if (settings[DISK] > 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
    long room = settings[DISK] - atomic_load(&counts[DISK]);
    if (room <= 0) return fails(ENOSPC);
    if ((long) length > room) length = (size_t) room;
    atomic_fetch_add(&counts[DISK], (long) length);
  }
  return NEXT(write)(fd, buffer, length);
}

// What is removed makes room again.
int unlink(const char *path) {
  atomic_store(&counts[DISK], 0);
  return NEXT(unlink)(path);
}

int accept4(int fd, struct sockaddr *from, socklen_t *size, int flags) {
  static const int errors[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EPERM, EPROTO, EINTR};
  if (is_due(ACCEPT)) return fails(next_of(ACCEPT, errors, 8));
  return NEXT(accept4)(fd, from, size, flags);
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout) {
  if (is_due(INTERRUPT)) return fails(EINTR);
  return NEXT(epoll_wait)(fd, events, most, timeout);
}

int epoll_ctl(int set, int operation, int fd, struct epoll_event *event) {
  static const int errors[] = {ENOSPC, ENOMEM};
  if (operation == EPOLL_CTL_ADD && is_stream(fd) && is_due(WATCH)) return fails(next_of(WATCH, errors, 2));
  return NEXT(epoll_ctl)(set, operation, fd, event);
}

int socket(int domain, int type, int protocol) {
  static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
  if (is_due(SOCKET)) return fails(next_of(SOCKET, errors, 4));
  return NEXT(socket)(domain, type, protocol);
}

// Files that are served are opened by this, and hardly anything else is.
int openat(int folder, const char *path, int flags, ...) {
  static const int errors[] = {EMFILE, ENFILE, ENOMEM, EIO, EACCES, EINTR};
  if (is_due(OPEN)) return fails(next_of(OPEN, errors, 6));
  va_list arguments;
  va_start(arguments, flags);
  mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  return NEXT(openat)(folder, path, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = NEXT(clock_gettime)(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME && clock_offset != NULL) time->tv_sec += *clock_offset;
  return result;
}
