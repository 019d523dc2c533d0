#include "proof.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void prove(uint8_t ret_proof[PROOF_BYTES], uint8_t first_of_secret, const char *server, const char *device, struct str nonce)
{
        uint8_t secret[PROOF_SECRET_BYTES], project[PROOF_PROJECT_BYTES];

        for (size_t i = 0; i < 32; i++) {
                secret[i] = (uint8_t)i;
                project[i] = (uint8_t)(0x80 + i);
        }
        secret[0] = first_of_secret;
        session_proof(secret, project, str_of(server), str_of(device), nonce, ret_proof);
}

static void the_document_has_this_very_proof(void **state)
{
        uint8_t proof[PROOF_BYTES];
        struct buf line = { 0 };
        char text[256];
        bool found = false;
        FILE *f = fopen("docs/protocol.md", "re");

        (void)state;
        assert_non_null(f);
        prove(proof, 0, "127.0.0.1", "loopback:127.0.0.2", STR("nonce nonce nonce nonce"));
        buf_text(&line, "proof = ");
        buf_hex(&line, proof, sizeof(proof));
        buf_char(&line, '\n');
        while (!found && fgets(text, sizeof(text), f))
                found = strcmp(text, buf_z(&line)) == 0;
        fclose(f);
        if (!found)
                print_error("docs/protocol.md lacks %s", buf_z(&line));
        buf_deinit(&line);
        assert_true(found);
}

static void every_part_matters_and_none_runs_into_the_next(void **state)
{
        uint8_t a[PROOF_BYTES], b[PROOF_BYTES];

        (void)state;
        prove(a, 0, "127.0.0.1", "loopback:127.0.0.2", STR("n"));
        prove(b, 1, "127.0.0.1", "loopback:127.0.0.2", STR("n"));
        assert_memory_not_equal(a, b, PROOF_BYTES);
        prove(b, 0, "127.0.0.", "1loopback:127.0.0.2", STR("n"));
        assert_memory_not_equal(a, b, PROOF_BYTES);
        prove(b, 0, "127.0.0.1", "loopback:127.0.0.", STR("2n"));
        assert_memory_not_equal(a, b, PROOF_BYTES);
        prove(b, 0, "127.0.0.1", "loopback:127.0.0.2", STR("m"));
        assert_memory_not_equal(a, b, PROOF_BYTES);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_document_has_this_very_proof),
                cmocka_unit_test(every_part_matters_and_none_runs_into_the_next),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
