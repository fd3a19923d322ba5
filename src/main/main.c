/*
 * main.c: the command line.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "http/rule.h"
#include "main/explain.h"
#include "main/parts.h"
#include "process/process.h"

#define DEFAULT_CONFIG SYSCONFDIR "/noxy/noxy.yaml"

enum { EXIT_USAGE = 2, OPTION_REFERENCE = 256 };

static const char usage[] =
    "usage: noxy [-c FILE] [-t] [-d] [-v] [-h] [--config-reference]\n"
    "       noxy explain [-c FILE] METHOD URL [OPTIONS]\n"
    "  -c, --config FILE    the configuration; " DEFAULT_CONFIG " when absent\n"
    "  -t, --test           check the configuration and end: status 0 when it is valid\n"
    "  -d, --daemon         run in the background; ends when noxy serves\n"
    "  -v, --version        print the version\n"
    "  -h, --help           print this\n"
    "  --config-reference   print the manual of all keys, variables and functions, in Markdown\n"
    "noxy explain tells where a request would go, and why: noxy explain --help.\n";

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"test", no_argument, NULL, 't'},
    {"daemon", no_argument, NULL, 'd'},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"config-reference", no_argument, NULL, OPTION_REFERENCE},
    {0},
};

/* Prints to standard output; a full disk or a closed pipe is a failure like any other. */
static int print(const char *text)
{
    if (fputs(text, stdout) != EOF && fflush(stdout) == 0)
        return 0;
    fprintf(stderr, "noxy: cannot write: %s\n", strerrordesc_np(errno));
    return 1;
}

static int print_reference(void)
{
    struct text reference = {0};
    conf_reference_print(parts_sections, &reference);
    rule_reference_print(&reference);
    int status = print(text_str(&reference));
    text_free(&reference);
    return status;
}

int main(int argc, char **argv)
{
    struct process_options o = {
        .config_path = DEFAULT_CONFIG, .version = PACKAGE_VERSION, .sections = parts_sections};
    bool test = false;
    int option;
    if (argc > 1 && strcmp(argv[1], "explain") == 0)
        return explain_main(&o, argv + 2, (unsigned)argc - 2);
    while ((option = getopt_long(argc, argv, "c:tdvh", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            o.config_path = optarg;
            break;
        case 't':
            test = true;
            break;
        case 'd':
            o.daemon = true;
            break;
        case 'v':
            return print("noxy " PACKAGE_VERSION "\n");
        case 'h':
            return print(usage);
        case OPTION_REFERENCE:
            return print_reference();
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "noxy: what does \"%s\" mean?\n%s", argv[optind], usage);
        return EXIT_USAGE;
    }
    parts_register();
    return test ? process_test(&o) : process_run(&o);
}
