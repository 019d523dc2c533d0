/* /etc/assist/assist.conf and assist.conf.d/x.conf: INI, read by libinih, checked against one table (settings.c), which is
 * also what `assistctl config` prints and docs/operations.md quotes. Later files and lines win. */
#pragma once
#include "arena.h"
#include "device.h"

struct settings {
        /* [project] */
        bool development;           /* one uid for all, the loopback driver, no systemd; never in production */
        /* [log] */
        int log_level;              /* enum log_level; error, warning, notice, info, debug */
        /* [overlay] */
        int driver;                 /* enum overlay_driver */
        struct str loopback_address; /* with the loopback driver: our own address, 127.0.0.1 */
        struct str overlay_jsonrpc, overlay_rest; /* where mycelium's daemon answers: 127.0.0.1:8990 */
        struct str overlay_admin;   /* where yggdrasil's does: an endpoint */
        bool overlay_start;         /* have a mycelium daemon started where none runs */
        struct str overlay_program, overlay_tun_name, overlay_peers; /* for one that we start ourselves */
        /* [gateway] */
        int64_t port;
        struct str hosts;           /* names that Host may have beside our address; separated by spaces */
        struct str embed_origins;   /* origins that may embed our page; separated by spaces */
        int64_t device_rate, user_rate;  /* requests a minute */
        int64_t admissions;         /* WebSockets that may begin in a second */
        /* [store] */
        int64_t blob_bytes_max;     /* of one attachment */
        /* [mail] */
        struct str smtp_url;        /* smtp://host:port, smtps://...; empty: mails go to the spool folder */
        struct str smtp_user;       /* its password is the credential smtp-password */
        struct str smtp_ca_file;    /* certificates to trust; empty: the system's */
        bool smtp_starttls;         /* refuse to send without TLS */
        struct str mail_from;       /* "Support <support@example.org>" */
        /* [metrics] */
        int64_t metrics_port;       /* on 127.0.0.1, where systemd passes no socket */
};

struct settings_error {
        char file[256];
        int line;             /* 0: the file as a whole */
        char key[96];         /* "mail.smtp_url" */
        char reason[160];     /* what is wrong, and what would be right */
};

/* Reads dir/assist.conf and dir/assist.conf.d in order; absent files are fine. 0, or -EINVAL with *error. Texts lie in arena. */
int settings_load(const char *dir, struct arena *arena, struct settings *ret, struct settings_error *error);

/* "[mail]\n# what it is\nsmtp_url = ...": every key, its doc, and the value given (NULL: the default). */
struct buf;
void settings_print(const struct settings *settings, struct buf *out);
