#include "test_conf.h"

#include <string.h>

static struct text manual;

static void print_manual(void)
{
    conf_reference_print(sample_sections, &manual);
}

static void free_manual(void)
{
    text_free(&manual);
}

static void expect(const char *chapter)
{
    ck_assert_msg(strstr(text_str(&manual), chapter), "the manual lacks:\n%s\nin\n%s", chapter,
                  text_str(&manual));
}

START_TEST(each_section_is_a_chapter)
{
    expect("\n## `global`\n\nWhat belongs to noxy as a whole.\n\nOne map; may be left out.\n\n");
    expect("\n## `frontend`\n\nFrontends.\n\nA list of maps; required. What is not written here may stand in "
           "`defaults`.\n\n");
    expect(
        "\n## `defaults`\n\nWhat frontends and backends share.\n\nOne map; may be left out.\n\n"
        "For each `frontend`: `mode`, `maxconn`, `timeout_client`, `access_log`, `timeout_http_request`.\n\n"
        "For each `backend`: `mode`, `timeout_connect`, `timeout_server`, `health_check`.\n\n");
}
END_TEST

START_TEST(each_key_is_described_whole)
{
    expect("\n### `global.threads`\n\nWorker processes.\n\n- Type: number, 1 to 256\n- Default: `1`\n"
           "- Other name: `workers`\n\n");
    expect("\n### `frontend.timeout_client`\n\nSilence of a client.\n\n- Type: time, 1ms to 1d\n- Default: "
           "`30s`\n"
           "- May stand in: `frontend`, `defaults`\n\n");
    expect("\n### `frontend.mode`\n\nThe protocol.\n\n- Type: choice\n  - `tcp`: Bytes are passed on.\n"
           "  - `http`: Requests are passed on.\n- Default: `http`\n");
    expect("\n### `frontend.use_backend`\n\nWhere requests go.\n\n- Type: the name of a `backend`\n"
           "- Default: none\n\n");
    expect(
        "\n### `frontend.name`\n\nThe frontend's name.\n\n- Type: text\n- Required\n- Example: `name: web`\n"
        "- A name: 1 to 64 letters, digits and `_ . : - /`\n\n");
    expect("\n### `global.buffer`\n\nBytes of a buffer.\n\n- Type: size, 1k to 1m\n- Default: `16k`\n\n");
}
END_TEST

START_TEST(nested_maps_are_chapters_below)
{
    expect("\n### `backend.health_check`\n\nChecks of the servers.\n\n- Type: map\n"
           "- A single value stands for its `interval`\n- `true` or `false` alone stands for its `enabled`\n"
           "- Default: none\n- May stand in: `backend`, `defaults`\n\nHealth checks.\n\n"
           "#### `backend.health_check.enabled`\n\n");
    expect("\n#### `backend.health_check.interval`\n\nBetween two checks.\n\n- Type: time, at least 10ms\n");
    expect("\n#### `backend.servers.weight`\n\nIts share.\n\n- Type: number, at most 256\n");
    expect("\n##### `frontend.bind.ssl.cert`\n\n");
}
END_TEST

TCase *conf_reference_tests(void)
{
    TCase *tests = tcase_create("reference");
    tcase_add_checked_fixture(tests, print_manual, free_manual);
    tcase_add_test(tests, each_section_is_a_chapter);
    tcase_add_test(tests, each_key_is_described_whole);
    tcase_add_test(tests, nested_maps_are_chapters_below);
    return tests;
}
