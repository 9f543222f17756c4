// What the C library does to memory, by the hazard's number in ARCHITECTURE.md. No test calls these: each ends the process.
#include "mongoose_config.h"

#include "mongoose.c"

#include "random.h"

static void ignore(struct mg_connection *c, int ev, void *ev_data) {
  (void) c, (void) ev, (void) ev_data;
}

static void fail_again(struct mg_connection *c, int ev, void *ev_data) {
  if (ev == MG_EV_ERROR) mg_error(c, "again");
  (void) ev_data;
}

static void close_at_once(struct mg_connection *c, int ev, void *ev_data) {
  if (ev == MG_EV_POLL) mg_close_conn(c);
  (void) ev_data;
}

void hazard(int number) {
  struct mg_mgr mgr;
  mg_log_set(MG_LL_NONE);
  mg_mgr_init(&mgr);
  if (number == 4) {
    struct mg_mqtt_prop property = {.id = MQTT_PROP_SUBSCRIPTION_IDENTIFIER, .iv = 1u << 28};
    struct mg_mqtt_opts opts = {.version = 5, .topic = mg_str("t"), .props = &property, .num_props = 1};
    struct mg_connection *c = mg_listen(&mgr, "tcp://127.0.0.1:0", ignore, NULL);
    c->is_mqtt5 = true;
    mg_mqtt_pub(c, &opts);
  } else if (number == 10) {
    // Room for one capture where the pattern has three.
    struct mg_str *captures = (struct mg_str *) malloc(sizeof(*captures));
    mg_match(mg_str("a/b/c"), mg_str("*/*/*"), captures);
    free(captures);
  } else if (number == 11) {
    size_t size = 16 << 20;
    mg_wakeup_init(&mgr);
    mg_wakeup(&mgr, 1, calloc(1, size), size);
  } else if (number == 12) {
    mg_error(mg_listen(&mgr, "tcp://127.0.0.1:0", fail_again, NULL), "first");
  } else if (number == 14) {
    mg_listen(&mgr, "tcp://127.0.0.1:0", close_at_once, NULL);
    mg_mgr_poll(&mgr, 0);
  }
  mg_mgr_free(&mgr);
}
