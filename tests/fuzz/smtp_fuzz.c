/* Any bytes as all that a mail server ever says. libcurl does the talking; what is ours is what it means: one outcome for each mail, sent
 * only where the server took it, failed only where it refused for good. */
#include <curl/curl.h>
static CURL *handle_to_the_server(void);
#undef curl_easy_init
#define curl_easy_init handle_to_the_server
#include "services/courier/smtp.c"
#undef curl_easy_init
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int server_fd[2];
static int outcomes;
static struct str said;

static void expect(bool truth)
{
        if (!truth)
                abort();
}

static curl_socket_t on_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
        int fd = server_fd[0];

        (void)data;
        (void)purpose;
        (void)address;
        server_fd[0] = -1;
        return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int on_option(void *data, curl_socket_t fd, curlsocktype purpose)
{
        (void)data;
        (void)fd;
        (void)purpose;
        return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static CURL *handle_to_the_server(void)
{
        CURL *e = curl_easy_init();

        curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
        curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_option);
        return e;
}

static bool has(const char *text)
{
        return said.n > 0 && memmem(said.p, said.n, text, strlen(text));
}

static void on_done(void *data, struct ulid mail, enum mail_outcome outcome, int status)
{
        (void)mail;
        outcomes++;
        expect(status > -200 && status < 1000);
        expect(outcome != MAIL_OUTCOME_SENT || has("250"));
        expect(outcome != MAIL_OUTCOME_FAILED || (status >= 500 && status <= 599 && has("5")));
        loop_stop(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct loop *loop = loop_new(&clock_system);
        const struct smtp_server server = { .url = STR("smtp://127.0.0.1:25"), .user = size && data[0] & 1 ? STR("desk") : STR(""),
                                            .password = STR("secret"), .starttls = size && data[0] & 2 };
        const struct smtp_mail mail = { .from = STR("desk@example.org"), .to = STR("ada@example.org"), .message = STR("Subject: x\r\n\r\n.\r\nHello\r\n") };
        struct smtp *smtp;

        if (size == 0 || size > 100000) {
                loop_free(loop);
                return 0;
        }
        said = (struct str){ (const char *)data + 1, size - 1 };
        outcomes = 0;
        expect(loop && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, server_fd) == 0);
        expect(write(server_fd[1], said.p, said.n) == (ssize_t)said.n && shutdown(server_fd[1], SHUT_WR) == 0);
        expect(smtp_new(loop, on_done, loop, &smtp) == 0 && smtp_send(smtp, &server, &mail) == 0);
        expect(loop_run(loop) == 0 && outcomes == 1 && smtp_busy(smtp) == 0);
        smtp_free(smtp);
        if (server_fd[0] >= 0)
                close(server_fd[0]);
        close(server_fd[1]);
        loop_free(loop);
        return 0;
}
