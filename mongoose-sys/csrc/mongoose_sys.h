// What mongoose-sys adds to Mongoose's own API: access to what C keeps `static`, and fixed-format calls
// where the library offers only `printf`-like ones. Include mongoose.h first.

#ifndef MONGOOSE_SYS_H
#define MONGOOSE_SYS_H

#ifdef __cplusplus
extern "C" {
#endif

// The reason phrase that Mongoose writes for an HTTP status code; "" for a code it does not know.
const char *mg_sys_http_status_code_str(int status_code);

// mg_error() with `message` as text, never as a format.
void mg_sys_error(struct mg_connection *c, const char *message);

// What the MG_LOG macro does, with `message` as text: prints it if `level` is at or below mg_log_level.
void mg_sys_log(int level, const char *file, int line, const char *function, const char *message);

#ifdef __cplusplus
}
#endif

#endif  // MONGOOSE_SYS_H
