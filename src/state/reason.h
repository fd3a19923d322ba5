/*
 * reason.h: why something ended or was refused. One enum and one table: the
 * same word stands in the access log, the counters, the metrics and the CLI.
 *
 * Each row: identifier, word (stable, for logs and metrics), who ended it,
 * a sentence for people. New rows go at the end of their group. An arena that
 * was made with another set or order of words is not adopted (state_adopt).
 */
#ifndef NOXY_STATE_REASON_H
#define NOXY_STATE_REASON_H

enum reason_side { SIDE_NONE, SIDE_CLIENT, SIDE_SERVER, SIDE_NOXY };

#define REASON_TABLE(X)                                                                                      \
    X(NONE, "ok", SIDE_NONE, "ended normally")                                                               \
    /* the client's doing */                                                                                 \
    X(CLIENT_CLOSED, "client_closed", SIDE_CLIENT, "the client closed the connection early")                 \
    X(CLIENT_RESET, "client_reset", SIDE_CLIENT, "the client's connection broke")                            \
    X(CLIENT_TIMEOUT, "client_timeout", SIDE_CLIENT, "no bytes from the client within timeout_client")       \
    X(CLIENT_HEAD_TIMEOUT, "client_head_timeout", SIDE_CLIENT,                                               \
      "the request's head was not complete within timeout_http_request")                                     \
    X(CLIENT_KEEPALIVE, "client_keepalive", SIDE_CLIENT, "idle for timeout_keepalive")                       \
    X(CLIENT_BAD_REQUEST, "client_bad_request", SIDE_CLIENT, "the request was malformed or ambiguous")       \
    X(CLIENT_SLOW, "client_slow", SIDE_CLIENT,                                                               \
      "the client sent its body or took the response more slowly than min_body_rate")                        \
    X(CLIENT_TOO_LARGE, "client_too_large", SIDE_CLIENT, "the request was larger than the limits allow")     \
    X(CLIENT_TLS, "client_tls", SIDE_CLIENT, "the TLS handshake with the client failed")                     \
    X(CLIENT_TLS_TIMEOUT, "client_tls_timeout", SIDE_CLIENT,                                                 \
      "the client did not end its TLS handshake in time")                                                    \
    X(CLIENT_CERTIFICATE, "client_certificate", SIDE_CLIENT,                                                 \
      "the client's certificate is missing or not valid")                                                    \
    X(CLIENT_NOT_TLS, "client_not_tls", SIDE_CLIENT, "the client did not speak TLS where that is spoken")    \
    X(CLIENT_NO_PROXY, "client_no_proxy", SIDE_CLIENT, "no well-formed PROXY header came first")             \
    X(CLIENT_PROXY_TIMEOUT, "client_proxy_timeout", SIDE_CLIENT,                                             \
      "the PROXY header was not complete within timeout_http_request")                                       \
    X(CLIENT_CANCELLED, "client_cancelled", SIDE_CLIENT, "the client took its request back")                 \
    X(H2_PROTOCOL_ERROR, "h2_protocol_error", SIDE_CLIENT, "the client broke the rules of HTTP/2")           \
    X(H2_RESET_FLOOD, "h2_reset_flood", SIDE_CLIENT, "too many streams were opened and reset")               \
    X(H2_SETTINGS_FLOOD, "h2_settings_flood", SIDE_CLIENT, "too many SETTINGS frames")                       \
    X(H2_PING_FLOOD, "h2_ping_flood", SIDE_CLIENT, "too many PING frames")                                   \
    X(H2_EMPTY_FLOOD, "h2_empty_flood", SIDE_CLIENT, "too many DATA frames without data")                    \
    X(H2_PRIORITY_FLOOD, "h2_priority_flood", SIDE_CLIENT, "too many PRIORITY frames")                       \
    X(H2_WINDOW_FLOOD, "h2_window_flood", SIDE_CLIENT, "too many WINDOW_UPDATE frames")                      \
    X(H2_STREAM_FLOOD, "h2_stream_flood", SIDE_CLIENT, "too many streams at once")                           \
    X(H2_CONTINUATION_FLOOD, "h2_continuation_flood", SIDE_CLIENT, "a head in too many CONTINUATION frames") \
    X(H2_HEAD_FLOOD, "h2_head_flood", SIDE_CLIENT, "a head far beyond max_header or max_headers")            \
    X(H2_OTHER_FLOOD, "h2_other_flood", SIDE_CLIENT, "too many frames that mean nothing")                    \
    /* the server's doing */                                                                                 \
    X(SERVER_REFUSED, "server_refused", SIDE_SERVER, "the server refused the connection")                    \
    X(SERVER_UNREACHABLE, "server_unreachable", SIDE_SERVER, "the server cannot be reached")                 \
    X(SERVER_CONNECT_TIMEOUT, "server_connect_timeout", SIDE_SERVER,                                         \
      "no connection to the server within timeout_connect")                                                  \
    X(SERVER_UNRESOLVED, "server_unresolved", SIDE_SERVER, "the server's name does not resolve")             \
    X(SERVER_CLOSED, "server_closed", SIDE_SERVER, "the server closed the connection early")                 \
    X(SERVER_RESET, "server_reset", SIDE_SERVER, "the server's connection broke")                            \
    X(SERVER_TIMEOUT, "server_timeout", SIDE_SERVER, "no bytes from the server within timeout_server")       \
    X(SERVER_BAD_RESPONSE, "server_bad_response", SIDE_SERVER, "the response was malformed")                 \
    X(SERVER_TLS, "server_tls", SIDE_SERVER, "the TLS handshake with the server failed")                     \
    X(SERVER_CERTIFICATE, "server_certificate", SIDE_SERVER, "the server's certificate is not valid")        \
    /* noxy's decision */                                                                                    \
    X(NO_SERVER, "no_server", SIDE_NOXY, "no server is eligible")                                            \
    X(NO_BACKEND, "no_backend", SIDE_NOXY, "no condition and no use_backend chose a backend")                \
    X(MAXCONN, "maxconn", SIDE_NOXY, "maxconn is reached")                                                   \
    X(DRAIN, "drain", SIDE_NOXY, "the worker drains")                                                        \
    X(DRAIN_TIMEOUT, "drain_timeout", SIDE_NOXY, "still busy at the end of drain_timeout")                   \
    X(RESPONDED, "responded", SIDE_NOXY, "answered by a rule")                                               \
    X(TUNNEL_TIMEOUT, "tunnel_timeout", SIDE_NOXY, "no bytes either way within timeout_tunnel")              \
    X(RESOURCES, "resources", SIDE_NOXY, "out of descriptors or memory")                                     \
    X(QUEUE_TIMEOUT, "queue_timeout", SIDE_NOXY, "no server had a free place within timeout_queue")          \
    X(REDIRECTED, "redirected", SIDE_NOXY, "redirected by a rule")                                           \
    X(DENIED, "denied", SIDE_NOXY, "denied by a rule")                                                       \
    X(REJECTED, "rejected", SIDE_NOXY, "the connection was rejected by a rule")                              \
    X(RULE_FAILED, "rule_failed", SIDE_NOXY, "a rule failed, or its result can't be used")                   \
    X(UNKNOWN_BACKEND, "unknown_backend", SIDE_NOXY, "a rule gave a name that no backend has")

enum reason {
#define X(id, word, side, sentence) REASON_##id,
    REASON_TABLE(X)
#undef X
        REASON_COUNT
};

const char *reason_word(enum reason r);
const char *reason_sentence(enum reason r);
enum reason_side reason_side(enum reason r);
/* "none", "client", "server", "noxy". */
const char *reason_side_word(enum reason_side side);

#endif
