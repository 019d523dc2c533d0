#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int attach_all(struct cli *cli, int *argc, char **argv, struct ulid uploads[ATTACHMENTS_MAX], size_t *ret_n)
{
        struct assist_error error;
        const char *path;

        *ret_n = 0;
        while ((path = cli_take(argc, argv, "--attach"))) {
                if (*ret_n == ATTACHMENTS_MAX)
                        return cli_usage("a comment takes %d files at most", ATTACHMENTS_MAX);
                if (assist_upload(cli->a, path, &cli->arena, &uploads[(*ret_n)++], &error))
                        return cli_failed(cli, &error);
        }
        return 0;
}

int run_attach(struct cli *cli, int argc, char **argv)
{
        char *args[2 + 2 * ATTACHMENTS_MAX], attach_flag[] = "--attach";
        const char *text = cli_take(&argc, argv, "--body");
        int n = 0;

        if (argc < 2 || argc > 1 + ATTACHMENTS_MAX)
                return cli_usage("attach NUMBER FILE... [--body TEXT]");
        args[n++] = argv[0];
        args[n++] = (char *)(uintptr_t)(text ? text : argc > 2 ? "See the files." : "See the file.");
        for (int i = 1; i < argc; i++) {
                args[n++] = attach_flag;
                args[n++] = argv[i];
        }
        return run_ticket_reply(cli, n, args);
}

int run_attachment_get(struct cli *cli, int argc, char **argv)
{
        const char *out = cli_take(&argc, argv, "-o");
        struct assist_error error;
        struct ulid id;
        int fd = STDOUT_FILENO, r;

        if (argc != 1 || ulid_parse(str_of(argv[0]), &id))
                return cli_usage("attachment get ID [-o FILE]");
        if (!out && isatty(STDOUT_FILENO))
                return cli_usage("say where to: -o FILE");
        if (out)
                fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return cli_usage("%s: %s", out, strerror(errno));
        r = assist_download(cli->a, id, fd, &error);
        if (out)
                close(fd);
        if (r && out)
                unlink(out);
        return r ? cli_failed(cli, &error) : 0;
}
