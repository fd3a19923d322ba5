#include "http/status.h"

#include <stdbool.h>

const char *status_phrase(uint16_t status)
{
    static const char *const phrases[600] = {
        [200] = "OK",
        [201] = "Created",
        [202] = "Accepted",
        [204] = "No Content",
        [206] = "Partial Content",
        [301] = "Moved Permanently",
        [302] = "Found",
        [303] = "See Other",
        [304] = "Not Modified",
        [307] = "Temporary Redirect",
        [308] = "Permanent Redirect",
        [400] = "Bad Request",
        [401] = "Unauthorized",
        [403] = "Forbidden",
        [404] = "Not Found",
        [405] = "Method Not Allowed",
        [408] = "Request Timeout",
        [410] = "Gone",
        [413] = "Content Too Large",
        [414] = "URI Too Long",
        [417] = "Expectation Failed",
        [418] = "I'm a teapot",
        [421] = "Misdirected Request",
        [425] = "Too Early",
        [429] = "Too Many Requests",
        [431] = "Request Header Fields Too Large",
        [451] = "Unavailable For Legal Reasons",
        [500] = "Internal Server Error",
        [501] = "Not Implemented",
        [502] = "Bad Gateway",
        [503] = "Service Unavailable",
        [504] = "Gateway Timeout",
        [505] = "HTTP Version Not Supported",
    };
    return status < 600 && phrases[status] ? phrases[status] : "Unknown";
}

uint16_t status_of_reason(enum reason why)
{
    switch (why) {
    case REASON_CLIENT_TIMEOUT:
    case REASON_CLIENT_HEAD_TIMEOUT:
    case REASON_CLIENT_SLOW:
        return 408;
    case REASON_CLIENT_BAD_REQUEST:
        return 400;
    case REASON_CLIENT_TOO_LARGE:
        return 413;
    case REASON_SERVER_CONNECT_TIMEOUT:
    case REASON_SERVER_TIMEOUT:
        return 504;
    case REASON_NO_SERVER:
    case REASON_QUEUE_TIMEOUT:
    case REASON_NO_BACKEND:
    case REASON_UNKNOWN_BACKEND:
    case REASON_RESOURCES:
        return 503;
    case REASON_RULE_FAILED:
        return 500;
    default:
        return reason_side(why) == SIDE_SERVER ? 502 : 0;
    }
}

enum reason reason_of_refusal(uint16_t status)
{
    if (status == 408)
        return REASON_CLIENT_HEAD_TIMEOUT;
    bool large = status == 413 || status == 414 || status == 431;
    return large ? REASON_CLIENT_TOO_LARGE : REASON_CLIENT_BAD_REQUEST;
}
