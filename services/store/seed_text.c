#include "seed_text.h"

uint64_t seed_next(struct seed_random *random)
{
        random->state ^= random->state >> 12;
        random->state ^= random->state << 25;
        random->state ^= random->state >> 27;
        return random->state * UINT64_C(2685821657736338717);
}

size_t seed_below(struct seed_random *random, size_t n)
{
        return (size_t)((seed_next(random) >> 33) % n);
}

#define PICK(random, list) list[seed_below(random, sizeof(list) / sizeof(list[0]))]

static const char *const things[] = {
        "the printer on the second floor", "my mailbox", "the VPN", "the time sheet", "the invoice export", "the projector in room Zürich", "my password",
        "the login page", "the shared calendar", "the backup of last night", "the café's Wi-Fi", "the order form", "the mobile app", "the door badge",
        "the phone system", "the report for the board", "the customer import", "the search", "the video call", "the staging server", "my screen",
        "the newsletter", "the payment page", "the 会議室 display", "the scanner", "the build server", "the attachment preview", "the address book",
};
static const char *const faults[] = {
        "does not start", "is very slow", "shows an empty page", "asks for a password again and again", "lost what I had typed", "has been down since this morning",
        "sends everything twice", "can't be reached from home", "says \"access denied\"", "stops after a minute", "prints only half of the page",
        "shows somebody else's name", "is an hour off", "cuts off umlauts like ä, ö and ü", "forgets my settings", "crashes when I click on Save",
        "does not accept my card", "looks broken on my phone", "takes the wrong language", "keeps blinking",
};
static const char *const openings[] = {
        "Hello,", "Hi there,", "Good morning,", "Dear support,", "Bonjour,", "Hello again,", "Hey,", "To whom it may concern,",
};
static const char *const questions[] = {
        "Since yesterday %s %s.", "I noticed that %s %s.", "When I came in this morning, %s again: it %s.", "Could somebody look at %s? It %s.",
        "We have a problem with %s, which %s.", "For the third time this week %s %s.",
};
static const char *const details[] = {
        "I have tried it with another browser, and it is the same.", "A colleague next to me has no trouble at all.", "It worked until the update on Tuesday.",
        "I restarted everything twice, as always.", "There is a red light, and then nothing happens for about two minutes.",
        "It happens every time, not only now and then.", "I need this before the end of the week, since the audit begins on Monday.",
        "The picture that I have attached shows what I mean.", "If I wait long enough, it goes through, but nobody has that much patience.",
        "Other people on our floor have told me the same.", "I am not sure whether it has to do with the move to the new office.",
        "Please tell me what else you need to know; I am at my desk until five.", "On Linux it works, on my laptop it does not.",
        "I could not find anything about it in the handbook.", "My manager asks me about it twice a day.", "It is not urgent, but it is annoying.",
        "We are about forty people, and all of us wait for it.", "I did nothing special before it happened, as far as I remember.",
};
static const char *const answers[] = {
        "Thank you for telling us about this.", "I have had a look at it.", "I can see the same thing here.", "Which version does the window with the name of the program show?",
        "Could you try it again now, please?", "We have changed the setting, and it should work from now on.", "The cause was a certificate that had run out last night.",
        "I have passed this on to the people who look after the network.", "A restart of the service has helped for the moment; we are still looking for the reason.",
        "Please send us a picture of what you see, with the whole window in it.", "It will be part of the update on Thursday evening.",
        "You can work around it by choosing the second entry in the list.", "I have given you the missing right; please log out and in again.",
        "Sorry that it took so long.", "The part has been ordered and should be here within three working days.",
        "We could not reproduce it; does it still happen?", "I am closing this for now; just answer here if it comes back.",
        "Your colleague had the same question, and this is what helped them.", "Nothing of what you had typed is lost.",
};
static const char *const notes[] = {
        "Same as last month, see the other ticket.", "I would wait for the vendor here.", "Careful, this one has called twice already.",
        "Checked the logs, nothing before 08:14.", "Probably the proxy again.", "Can somebody from the network team have a look?",
        "They are on the old contract, so no on-site visit.", "I have a fix, but it needs a restart at night.", "Talked to them on the phone, all good now.",
};
static const char *const thanks[] = {
        "Thanks, that works.", "Great, thank you!", "Now it works again, many thanks.", "Merci beaucoup.", "It is better, but not quite there yet.",
        "Sorry, it is the same as before.", "I will try it tomorrow and tell you.", "ありがとうございます.",
};
static const char *const log_lines[] = {
        "08:14:02 connect: timed out after 30000 ms", "08:14:02 retry 1 of 3", "08:14:33 connect: connection refused", "ERROR 0x80070005 at step 7",
        "warning: certificate expires in 0 days", "GET /export?format=csv 504 30.002 s", "disk /dev/sdb1 97 % full", "user session ended by policy",
};
static const char *const tags[] = {
        "vpn", "mail", "printer", "hardware", "login", "billing", "network", "mobile", "export", "calendar", "urgent-call", "vendor", "training", "phone",
        "licence", "café", "backup", "security", "feature", "question",
};

static const char *const customer_ends[] = {
        "\n\nBest regards\n\n--\nAccounts Receivable, 3rd floor, extension 4711\nPlease think of the trees before you print this mail.",
        "\n\nThanks in advance!", "\n\nSent from my phone", "\n\nMit freundlichen Grüßen\nEinkauf · Bürogebäude West · Tel. +49 30 555 0142", "",
        "\n\nCordialement,\nService comptabilité, 12 rue de l'Église, 75020 Paris",
        "\n\nKind regards\nLogistics · Warehouse 7 · phone 555 0187\nThis message may be confidential. If it was not meant for you, please delete it.",
};
static const char *const agent_ends[] = {
        "\n\nKind regards,\nyour support team\n\nWe are here Monday to Friday from 8 to 18. You can follow all of your questions in the desk.",
        "\n\nBest,\nService desk, second line", "\n\nHave a nice day!", "\n\nRegards,\nIT operations · extension 1100 · urgent matters: call us",
};

const char *seed_tag(struct seed_random *random)
{
        return PICK(random, tags);
}

void seed_subject(struct seed_random *random, struct buf *out)
{
        size_t from = out->n;

        buf_text(out, PICK(random, things));
        buf_char(out, ' ');
        buf_text(out, PICK(random, faults));
        if (out->p[from] >= 'a' && out->p[from] <= 'z')
                out->p[from] = (char)(out->p[from] - 'a' + 'A');
}

static void sentences(struct seed_random *random, const char *const *list, size_t n_list, size_t n, struct buf *out)
{
        for (size_t i = 0; i < n; i++) {
                buf_text(out, i ? " " : "");
                buf_text(out, list[seed_below(random, n_list)]);
        }
}
#define SENTENCES(random, list, n, out) sentences(random, list, sizeof(list) / sizeof(list[0]), n, out)

/* "Since yesterday %s %s." */
static void question(struct seed_random *random, struct buf *out)
{
        const char *const parts[2] = { PICK(random, things), PICK(random, faults) };
        size_t part = 0;

        for (const char *p = PICK(random, questions); *p; p++) {
                if (*p == '%' && part < 2)
                        buf_text(out, parts[part++]);
                if (*p == '%')
                        p++;
                else
                        buf_char(out, *p);
        }
}

static void log_put(struct seed_random *random, struct buf *out)
{
        buf_text(out, "\n\n```\n");
        for (size_t i = 0, n = 2 + seed_below(random, 6); i < n; i++) {
                buf_text(out, PICK(random, log_lines));
                buf_char(out, '\n');
        }
        buf_text(out, "```");
}

void seed_question(struct seed_random *random, struct buf *out)
{
        buf_text(out, PICK(random, openings));
        buf_text(out, "\n\n");
        question(random, out);
        buf_char(out, ' ');
        SENTENCES(random, details, 4 + seed_below(random, 9), out);
        if (seed_below(random, 4) == 0)
                log_put(random, out);
        if (seed_below(random, 3) == 0) {
                buf_text(out, "\n\n");
                SENTENCES(random, details, 2 + seed_below(random, 8), out);
        }
        buf_text(out, PICK(random, customer_ends));
}

void seed_answer(struct seed_random *random, struct buf *out)
{
        buf_text(out, PICK(random, openings));
        buf_text(out, "\n\n");
        if (seed_below(random, 4) == 0) {
                buf_text(out, "> ");
                buf_text(out, PICK(random, details));
                buf_text(out, "\n\n");
        }
        SENTENCES(random, answers, 4 + seed_below(random, 9), out);
        if (seed_below(random, 6) == 0) {
                buf_text(out, "\n");
                for (size_t i = 0, n = 2 + seed_below(random, 4); i < n; i++) {
                        buf_text(out, "\n- ");
                        buf_text(out, PICK(random, answers));
                }
        }
        buf_text(out, PICK(random, agent_ends));
}

void seed_reaction(struct seed_random *random, struct buf *out)
{
        SENTENCES(random, thanks, 1, out);
        if (seed_below(random, 2)) {
                buf_char(out, ' ');
                SENTENCES(random, details, 1 + seed_below(random, 7), out);
        }
        if (seed_below(random, 3) == 0) { /* most mail programs do so */
                buf_text(out, "\n\nOn Tuesday, the support team wrote:\n> ");
                SENTENCES(random, answers, 2 + seed_below(random, 5), out);
        }
        buf_text(out, PICK(random, customer_ends));
}

void seed_note(struct seed_random *random, struct buf *out)
{
        SENTENCES(random, notes, 1 + seed_below(random, 3), out);
}
