// The one C file that mongoose-sys compiles: Mongoose itself, and the few functions that need to see its
// inside. mongoose.c comes first, because its header sets feature macros that the system's headers read.

#include "mongoose_config.h"

#include "mongoose.c"

#include "mongoose_sys.h"
#include "random.h"

const char *mg_sys_http_status_code_str(int status_code) {
  return mg_http_status_code_str(status_code);
}

void mg_sys_error(struct mg_connection *c, const char *message) {
  mg_error(c, "%s", message);
}

void mg_sys_log(int level, const char *file, int line, const char *function, const char *message) {
  if (level > mg_log_level) return;
  mg_log_prefix(level, file, line, function);
  mg_log("%s", message);
}
