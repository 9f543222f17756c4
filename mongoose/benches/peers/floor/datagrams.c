// The floor under any server of datagrams on one thread with epoll: `peer-floor-datagrams PORT`. It sends back what
// comes, up to 64 at a time in each direction.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define LARGEST 65536

static char s_bytes[BATCH][LARGEST];
static struct sockaddr_in s_peers[BATCH];
static struct iovec s_pieces[BATCH];
static struct mmsghdr s_messages[BATCH];

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  struct epoll_event event = {.events = EPOLLIN};
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (argc < 2) return 2;
  address.sin_port = htons((uint16_t) atoi(argv[1]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr *) &address, sizeof(address)) != 0) return 1;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  for (;;) {
    if (epoll_wait(epoll, &event, 1, -1) != 1) continue;
    for (int i = 0; i < BATCH; i++) {
      s_pieces[i] = (struct iovec) {.iov_base = s_bytes[i], .iov_len = LARGEST};
      memset(&s_messages[i], 0, sizeof(s_messages[i]));
      s_messages[i].msg_hdr.msg_name = &s_peers[i];
      s_messages[i].msg_hdr.msg_namelen = sizeof(s_peers[i]);
      s_messages[i].msg_hdr.msg_iov = &s_pieces[i];
      s_messages[i].msg_hdr.msg_iovlen = 1;
    }
    int count = recvmmsg(fd, s_messages, BATCH, 0, NULL);
    if (count <= 0) continue;
    for (int i = 0; i < count; i++) s_pieces[i].iov_len = s_messages[i].msg_len;
    for (int sent = 0, n = 0; sent < count; sent += n) {
      n = sendmmsg(fd, s_messages + sent, (unsigned) (count - sent), 0);
      // What the system has no room for is lost, as datagrams are.
      if (n <= 0) break;
    }
  }
}
