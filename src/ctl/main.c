/*
 * noxyctl: the admin socket's command line. It knows the commands by their
 * table (admin/command.h) and nothing else of the server.
 */
#include "config.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "admin/command.h"
#include "ctl/arguments.h"
#include "ctl/client.h"
#include "ctl/print.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NOBODY = 3 };

struct options {
    const char *socket;
    bool json;
};

static const char default_socket[] = RUNSTATEDIR "/noxy/admin.sock";

static void print_usage(FILE *to)
{
    struct text list = {0};
    command_print_list(&list);
    fprintf(to,
            "usage: noxyctl [-s SOCKET] [--json] COMMAND [ARGS]\n\n"
            "  -s, --socket=SOCKET   noxy's admin socket; default: $NOXY_ADMIN_SOCKET,\n"
            "                        else %s\n"
            "      --json            answer with a JSON document\n"
            "  -h, --help            show this help\n"
            "  -V, --version         show the version\n\n"
            "commands:\n%s\n"
            "\"noxyctl help COMMAND\" tells more of one.\n",
            default_socket, text_str(&list));
    text_free(&list);
}

static int bad_usage(void)
{
    fputs("noxyctl: \"noxyctl --help\" shows how it is used\n", stderr);
    return EXIT_USAGE;
}

/* The whole of what was printed has arrived, or the reason on stderr. */
static int end_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    perror("noxyctl: cannot write to the standard output");
    return EXIT_REFUSED;
}

static const struct command *find_command(const char *name)
{
    const struct command *c = command_find(name);
    if (c)
        return c;
    const char *nearest = command_nearest(name);
    fputs("noxyctl: unknown command \"", stderr);
    print_lines(stderr, name);
    if (nearest)
        fprintf(stderr, "\", did you mean \"%s\"?\n", nearest);
    else
        fputs("\"\n", stderr);
    return NULL;
}

static int show_help(char *const *args, int count)
{
    struct text help = {0};
    if (count == 0) {
        print_usage(stdout);
        return end_output(EXIT_DONE);
    }
    const struct command *c = find_command(args[0]);
    if (!c)
        return bad_usage();
    command_print_help(c, &help);
    fputs(text_str(&help), stdout);
    text_free(&help);
    return end_output(EXIT_DONE);
}

/* An argument as a quoted word of the protocol. False: it cannot be one. */
static bool add_word(struct text *line, const char *arg)
{
    text_puts(line, " \"");
    for (; *arg; arg++) {
        if ((unsigned char)*arg < ' ' || *arg == 0x7f)
            return false;
        if (*arg == '"' || *arg == '\\')
            text_puts(line, "\\");
        text_add(line, arg, 1);
    }
    text_puts(line, "\"");
    return true;
}

static bool make_line(struct text *line, const struct command *c, char *const *args, int count, bool json)
{
    struct winsize size;
    text_puts(line, c->name);
    for (int i = 0; i < count; i++)
        if (!add_word(line, args[i]))
            return false;
    if (json)
        text_puts(line, " --json");
    else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) /* a terminal */
        text_printf(line, " --columns=%u", size.ws_col);
    return line->len <= COMMAND_LINE_MAX;
}

static int ask(const struct options *o, const struct command *c, const char *line)
{
    struct reply reply;
    struct error err = {""};
    int status = EXIT_DONE;
    if (client_ask(o->socket, line, c->patience_s, &reply, &err) < 0) {
        fputs("noxyctl: ", stderr);
        print_lines(stderr, err.text);
        fputs("\n", stderr);
        status = EXIT_NOBODY;
    } else if (reply.ok || o->json) {
        print_lines(stdout, reply.body);
    }
    if (status == EXIT_DONE && !reply.ok) {
        status = EXIT_REFUSED;
        fputs("noxyctl: ", stderr);
        print_lines(stderr, reply.reason);
        fputs("\n", stderr);
        print_lines(stderr, o->json ? "" : reply.body);
    }
    text_free(&reply.bytes);
    return end_output(status);
}

static int run(const struct options *o, const struct command *c, char *const *words, int count)
{
    if ((unsigned)count - 1 > c->arguments_max) {
        fprintf(stderr, "noxyctl: too many arguments: \"%s%s%s\" is all it takes\n", c->name,
                *c->arguments ? " " : "", c->arguments);
        return bad_usage();
    }
    if (c == &command_table[COMMAND_help] && !o->json)
        return show_help(words + 1, count - 1);
    struct text line = {0};
    int status = EXIT_USAGE;
    if (make_line(&line, c, words + 1, count - 1, o->json))
        status = ask(o, c, line.data);
    else
        fputs("noxyctl: an argument is too long or has control characters\n", stderr);
    text_free(&line);
    return status;
}

/*
 * Reads noxyctl's own options, up to the command or, permuting the words, behind it too. -1: go on; else the
 * exit status.
 */
static int read_options(struct options *o, int argc, char **argv, const char *letters)
{
    static const struct option known[] = {{"socket", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {NULL, 0, NULL, 0}};
    optind = 0; /* begin anew */
    for (int option; (option = getopt_long(argc, argv, letters, known, NULL)) != -1;) {
        switch (option) {
        case 's':
            o->socket = optarg;
            break;
        case 'j':
            o->json = true;
            break;
        case 'h':
            print_usage(stdout);
            return end_output(EXIT_DONE);
        case 'V':
            puts("noxyctl " PACKAGE_VERSION);
            return end_output(EXIT_DONE);
        default:
            return bad_usage();
        }
    }
    return -1;
}

/* The words behind `c`, which has options of its own. */
static int run_with_options(struct options *o, const struct command *c, char **words, int count)
{
    struct error err;
    int arguments = count - 1;
    if (arguments_prepare(words + 1, &arguments, &o->json, &err) == 0)
        return run(o, c, words, arguments + 1);
    fprintf(stderr, "noxyctl: %s\n", err.text);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *from_environment = getenv("NOXY_ADMIN_SOCKET");
    struct options o = {.socket = from_environment && *from_environment ? from_environment : default_socket};
    int status = read_options(&o, argc, argv, "+s:hV");
    if (status >= 0)
        return status;
    const struct command *own = optind < argc ? command_find(argv[optind]) : NULL;
    if (own && own->has_options)
        return run_with_options(&o, own, argv + optind, argc - optind);
    status = read_options(&o, argc, argv, "s:hV");
    if (status >= 0)
        return status;
    if (optind == argc) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    const struct command *c = find_command(argv[optind]);
    return c ? run(&o, c, argv + optind, argc - optind) : bad_usage();
}
