/*
 * libFuzzer's target for configuration files. Runs in an endless search with
 *
 *   clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -Isrc -Itests/unit -o fuzz-conf
 * \ tests/fuzz/fuzz_conf.c tests/unit/conf_sample.c src/conf/[a-z]*.c src/base/[a-z]*.c -lyaml -lxxhash
 *   ./fuzz-conf -max_len=4096 tests/fuzz/corpus-conf
 *
 * and once over the seed files with `make check` (seeds.c).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "conf_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct conf_load l;
    struct text out = {0};
    int rc = conf_load_bytes(&l, "fuzz.yaml", (const char *)bytes, len, sample_sections);
    if ((rc == 0) != (l.report.errors == 0))
        __builtin_trap();
    conf_report_print(&l.report, CONF_ERROR, &out);
    conf_report_print(&l.report, CONF_WARNING, &out);
    for (uint32_t i = 0; i < l.report.count; i++)
        conf_message_print_line(&l.report.messages[i], &out);
    text_free(&out);
    conf_load_free(&l);
    return 0;
}
