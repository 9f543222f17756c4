// The C library on its own loop, as a peer of the bench: `peer-c PORT`, or `peer-c messages THREADS POSTS`.

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mongoose.h"

#define KIND "Content-Type: text/plain; charset=utf-8\r\n"

static char *s_large;  // 1 MB of x

// The Date header, made anew each second as the other peers do.
static const char *headers(void) {
  static char text[128];
  static time_t made;
  time_t now = time(NULL);
  if (now != made) {
    char date[64];
    struct tm tm;
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    snprintf(text, sizeof(text), KIND "Date: %s\r\n", date);
    made = now;
  }
  return text;
}

// Large bodies go past the formatter, which takes a byte at a time.
static void reply_large(struct mg_connection *c, size_t size) {
  mg_printf(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %lu\r\n\r\n", headers(), (unsigned long) size);
  mg_send(c, s_large, size);
  c->is_resp = 0;
}

// Members of the room have an `r` in their data.
static void message(struct mg_connection *c, struct mg_ws_message *m) {
  if (c->data[0] == 'p') {
    for (struct mg_connection *to = c->mgr->conns; to != NULL; to = to->next) {
      if (to->data[0] == 'r') mg_ws_send(to, m->data.buf, m->data.len, WEBSOCKET_OP_BINARY);
    }
  } else {
    mg_ws_send(c, m->data.buf, m->data.len, m->flags & 15);
  }
}

static void serve(struct mg_connection *c, int event, void *data) {
  if (event == MG_EV_WS_MSG) message(c, (struct mg_ws_message *) data);
  if (event != MG_EV_HTTP_MSG) return;
  struct mg_http_message *request = (struct mg_http_message *) data;
  if (mg_match(request->uri, mg_str("/hello"), NULL) || mg_match(request->uri, mg_str("/post"), NULL)) {
    mg_http_reply(c, 200, headers(), "Hello, World!");
  } else if (mg_match(request->uri, mg_str("/10k"), NULL)) {
    reply_large(c, 10 << 10);
  } else if (mg_match(request->uri, mg_str("/100k"), NULL)) {
    reply_large(c, 100 << 10);
  } else if (mg_match(request->uri, mg_str("/1m"), NULL)) {
    reply_large(c, 1 << 20);
  } else if (mg_http_get_header(request, "Sec-WebSocket-Key") != NULL) {
    c->data[0] = request->uri.buf[1];  // Of /echo, /room and /publish.
    mg_ws_upgrade(c, request, NULL);
  } else {
    mg_http_reply(c, 404, headers(), "not found");
  }
}

static struct mg_mgr s_manager;
static unsigned long s_listener, s_posts, s_arrived;
static atomic_ulong s_finished;

static void count(struct mg_connection *c, int event, void *data) {
  (void) c, (void) data;
  if (event == MG_EV_WAKEUP) s_arrived++;
}

static void *post(void *argument) {
  for (unsigned long i = 0; i < s_posts; i++) mg_wakeup(&s_manager, s_listener, "x", 1);
  atomic_fetch_add(&s_finished, 1);
  return argument;
}

// Prints `sent N arrived N seconds S`. mg_wakeup() says true whether or not the message was lost.
static int messages(unsigned long threads, unsigned long posts) {
  struct timespec begin, end;
  s_posts = posts;
  mg_wakeup_init(&s_manager);
  s_listener = mg_listen(&s_manager, "tcp://127.0.0.1:0", count, NULL)->id;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (unsigned long i = 0; i < threads; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, post, NULL) != 0) return 1;
  }
  while (atomic_load(&s_finished) < threads) mg_mgr_poll(&s_manager, 1);
  clock_gettime(CLOCK_MONOTONIC, &end);
  // What still lies in the socket.
  for (unsigned long before = ~0UL; before != s_arrived;) {
    before = s_arrived;
    for (int i = 0; i < 1000; i++) mg_mgr_poll(&s_manager, 0);
  }
  printf("sent %lu arrived %lu seconds %.6f\n", threads * posts, s_arrived,
         (double) (end.tv_sec - begin.tv_sec) + (double) (end.tv_nsec - begin.tv_nsec) / 1e9);
  return 0;
}

int main(int argc, char **argv) {
  char url[64];
  mg_log_set(MG_LL_NONE);
  mg_mgr_init(&s_manager);
  if (argc == 4 && strcmp(argv[1], "messages") == 0) {
    return messages(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
  }
  if (argc != 2) return 2;
  s_large = (char *) malloc(1 << 20);
  memset(s_large, 'x', 1 << 20);
  snprintf(url, sizeof(url), "http://127.0.0.1:%s", argv[1]);
  if (mg_http_listen(&s_manager, url, serve, NULL) == NULL) return 1;
  for (;;) mg_mgr_poll(&s_manager, 1000);
}
