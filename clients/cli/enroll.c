/* Binding this device: ask for a code by mail, then redeem it. */
#include "cli.h"

#include "schema/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int redeem(struct cli *cli, const char *code)
{
        struct enroll_redeem params = { .code = str_of(code) };
        struct enroll_redeem_result made;
        struct assist_identity me;
        struct assist_error error;
        int r;

        r = assist_call(cli->a, &schema_method_enroll_redeem, &params, &cli->arena, &made, &error);
        if (r == FAULT_NOT_FOUND)
                return fprintf(stderr, "assist: that is not the code; look at the newest mail (five tries, then ask for a new one)\n"), EXIT_NOT_FOUND;
        if (r == FAULT_EXPIRED)
                return fprintf(stderr, "assist: there is no code to redeem any more; ask for a new one: assist enroll YOUR@EMAIL\n"), EXIT_NOT_FOUND;
        if (!r)
                r = assist_bind(cli->a, (const uint8_t *)made.secret.p, &error);
        if (!r)
                r = assist_identify(cli->a, &me, &error);
        if (r)
                return cli_failed(cli, &error);
        if (cli->json)
                cli_print(cli, &schema_type_person, &(struct person){ .id = me.user, .name = str_of(me.name), .role = me.role, .active = true });
        else
                printf("This device is bound. Welcome, %s.\n", me.name);
        return 0;
}

int run_enroll(struct cli *cli, int argc, char **argv)
{
        const char *label = cli_take(&argc, argv, "--label"), *code = cli_take(&argc, argv, "--code");
        struct enroll_start params = { 0 };
        struct enroll_start_result started;
        char host[65] = "device", typed[64];
        int r;

        if (code)
                return argc ? cli_usage("enroll --code CODE takes no more") : redeem(cli, code);
        if (argc != 1)
                return cli_usage("enroll YOUR@EMAIL [--label LABEL], then enroll --code CODE");
        gethostname(host, sizeof(host) - 1);
        params.email = str_of(argv[0]);
        params.label = str_of(label ? label : host);
        if (params.label.n > 40)
                params.label.n = 40;
        r = cli_call(cli, &schema_method_enroll_start, &params, &started);
        if (r)
                return r;
        if (!isatty(STDIN_FILENO) || cli->json) {
                if (cli->json)
                        cli_print(cli, schema_method_enroll_start.result, &started);
                else
                        printf("If %s is known here, a code is on its way; it is good for 15 minutes.\n"
                               "Then: assist enroll --code CODE\n", argv[0]);
                return 0;
        }
        printf("If %s is known here, a code is on its way; it is good for 15 minutes.\nCode: ", argv[0]);
        fflush(stdout);
        if (!fgets(typed, sizeof(typed), stdin))
                return EXIT_FAILURE;
        typed[strcspn(typed, "\n")] = '\0';
        return redeem(cli, typed);
}

int run_whoami(struct cli *cli, int argc, char **argv)
{
        struct assist_identity me;
        struct assist_error error;
        char id[ULID_TEXT + 1];
        int r;

        (void)argv;
        if (argc)
                return cli_usage("whoami takes no arguments");
        r = assist_identify(cli->a, &me, &error);
        if (r)
                return cli_failed(cli, &error);
        ulid_text(me.user, id);
        if (cli->json) {
                struct buf out = { 0 };

                buf_text(&out, "{\"device\":");
                json_string(&out, str_of(me.device));
                buf_format(&out, ",\"bound\":%s", me.bound ? "true" : "false");
                if (me.bound) {
                        buf_format(&out, ",\"user\":\"%s\",\"role\":\"%s\",\"name\":", id, schema_enum_role.values[me.role]);
                        json_string(&out, str_of(me.name));
                }
                printf("%s}\n", buf_z(&out));
                buf_deinit(&out);
        } else if (me.bound) {
                printf("%s, %s at %s (%s)\n", me.name, schema_enum_role.values[me.role], cli->project, me.device);
        } else {
                printf("nobody yet at %s (%s); bind this device: assist enroll YOUR@EMAIL\n", cli->project, me.device);
        }
        return 0;
}
