// The floor under any server on one thread with epoll: `peer-floor PORT`. It receives and sends, and looks at the
// first request of a connection alone: all others are taken to be as long and to want the same.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct reply {
  char *bytes;
  size_t length;
};

struct connection {
  const struct reply *reply;
  size_t request;  // Bytes of a request, 0 before the first
  size_t got;      // Bytes of requests that are not answered
  size_t left;     // Bytes of replies that the socket did not take
};

static struct connection s_connections[32768];
static char s_input[262144];
// Room for replies to 64 requests in one write.
static char s_output[64 * 256];

static const char *const s_paths[] = {"/hello", "/post", "/10k", "/100k", "/1m"};
static struct reply s_replies[5];

static void make_replies(void) {
  static const size_t sizes[] = {13, 13, 10 << 10, 100 << 10, 1 << 20};
  char date[64];
  struct tm tm;
  time_t now = time(NULL);
  strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
  for (int i = 0; i < 5; i++) {
    char head[256];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
                     "Content-Length: %zu\r\nDate: %s\r\n\r\n",
                     sizes[i], date);
    s_replies[i].length = (size_t) n + sizes[i];
    s_replies[i].bytes = malloc(s_replies[i].length);
    memcpy(s_replies[i].bytes, head, (size_t) n);
    memset(s_replies[i].bytes + n, 'x', sizes[i]);
    if (sizes[i] == 13) memcpy(s_replies[i].bytes + n, "Hello, World!", 13);
  }
}

// Learns from the first request. Its head comes in one piece from loopback clients.
static int learn(struct connection *c, size_t length) {
  char *end, *body;
  s_input[length] = 0;
  if ((end = strstr(s_input, "\r\n\r\n")) == NULL) return -1;
  c->request = (size_t) (end + 4 - s_input);
  if ((body = strcasestr(s_input, "\r\nContent-Length:")) != NULL && body < end) {
    c->request += strtoul(body + 17, NULL, 10);
  }
  for (int i = 0; i < 5; i++) {
    const char *path = strchr(s_input, ' ');
    size_t n = strlen(s_paths[i]);
    if (path != NULL && strncmp(path + 1, s_paths[i], n) == 0 && path[1 + n] == ' ') c->reply = &s_replies[i];
  }
  return c->reply == NULL ? -1 : 0;
}

// Sends what is left of large replies; interest in room to write is only there meanwhile.
static int flush_large(int epoll, int fd, struct connection *c, int waiting) {
  while (c->left > 0) {
    size_t part = c->left % c->reply->length == 0 ? c->reply->length : c->left % c->reply->length;
    ssize_t n = send(fd, c->reply->bytes + c->reply->length - part, part, MSG_NOSIGNAL);
    if (n < 0) {
      struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.fd = fd};
      if (errno != EAGAIN) return -1;
      return waiting ? 0 : epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
    }
    c->left -= (size_t) n;
  }
  if (waiting) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
  }
  return 0;
}

static int receive(int epoll, int fd, struct connection *c) {
  ssize_t n = recv(fd, s_input, sizeof(s_input) - 1, 0);
  if (n <= 0) return n < 0 && errno == EAGAIN ? 0 : -1;
  if (c->request == 0 && learn(c, (size_t) n) != 0) return -1;
  c->got += (size_t) n;
  size_t requests = c->got / c->request;
  c->got %= c->request;
  if (requests == 0) return 0;
  if (c->reply->length * requests > sizeof(s_output) || c->left > 0) {
    int waiting = c->left > 0;
    c->left += c->reply->length * requests;
    return flush_large(epoll, fd, c, waiting);
  }
  const char *bytes = c->reply->bytes;
  if (requests > 1) {
    for (size_t i = 0; i < requests; i++) memcpy(s_output + i * c->reply->length, bytes, c->reply->length);
    bytes = s_output;
  }
  size_t length = c->reply->length * requests;
  ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return -1;
  c->left = length - (sent < 0 ? 0 : (size_t) sent);
  return c->left > 0 ? flush_large(epoll, fd, c, 0) : 0;
}

static void accept_all(int epoll, int listener) {
  int fd, on = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    memset(&s_connections[fd], 0, sizeof(s_connections[fd]));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  struct epoll_event events[256], event = {.events = EPOLLIN};
  int on = 1, epoll = epoll_create1(EPOLL_CLOEXEC);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (argc != 2) return 2;
  make_replies();
  address.sin_port = htons((uint16_t) atoi(argv[1]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(listener, (struct sockaddr *) &address, sizeof(address)) != 0 || listen(listener, 1024) != 0) return 1;
  event.data.fd = listener;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int n = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        accept_all(epoll, listener);
        continue;
      }
      struct connection *c = &s_connections[fd];
      int result = 0;
      if (events[i].events & EPOLLOUT) result = flush_large(epoll, fd, c, 1);
      if (result == 0 && events[i].events & ~(unsigned) EPOLLOUT) result = receive(epoll, fd, c);
      if (result != 0) close(fd);
    }
  }
}
