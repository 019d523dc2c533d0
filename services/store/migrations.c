/* The tables of store.db. Each is folded from the log (compared by rebuild), derived from folded ones, or local (never
 * logged): the word stands beside it. Ids are 16 bytes; stamps 28, as stamp_pack has them. */
#include "store.h"

static const char *const steps[] = {
        /* the log itself. scope: enum schema_audience; audience: the ticket or user, NULL where it is about none. record: record.h.
         * request: of the command's hash, with its first effect. */
        "CREATE TABLE op ("
        "  seq INTEGER PRIMARY KEY, op_id BLOB NOT NULL, n INTEGER NOT NULL,"
        "  scope INTEGER NOT NULL, audience BLOB, request BLOB, record BLOB NOT NULL);"
        "CREATE UNIQUE INDEX op_by_id ON op(op_id, n);"
        "CREATE INDEX op_by_audience ON op(scope, audience);"
        "CREATE TABLE op_text ("
        "  op_id BLOB NOT NULL, n INTEGER NOT NULL, field INTEGER NOT NULL, salt BLOB NOT NULL, text BLOB NOT NULL,"
        "  PRIMARY KEY(op_id, n, field)) WITHOUT ROWID;"
        "CREATE TABLE chain ("
        "  origin BLOB PRIMARY KEY, seq INTEGER NOT NULL, head BLOB NOT NULL, hlc INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE checkpoint ("
        "  origin BLOB NOT NULL, seq INTEGER NOT NULL, head BLOB NOT NULL, at INTEGER NOT NULL, signature BLOB NOT NULL,"
        "  PRIMARY KEY(origin, seq)) WITHOUT ROWID;"

        /* folded; the columns from state on are derived from register, comment, note and the ops' times */
        "CREATE TABLE ticket ("
        "  id BLOB PRIMARY KEY, number INTEGER NOT NULL, requester BLOB, created INTEGER NOT NULL, hidden INTEGER NOT NULL,"
        "  state INTEGER NOT NULL, priority INTEGER NOT NULL, assignee BLOB, subject_op BLOB, subject_n INTEGER NOT NULL,"
        "  changed INTEGER NOT NULL, touched INTEGER NOT NULL, comments INTEGER NOT NULL, notes INTEGER NOT NULL,"
        "  newest_comment BLOB, newest_at INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX ticket_by_number ON ticket(number);"
        "CREATE INDEX ticket_by_requester ON ticket(requester);"
        "CREATE INDEX ticket_by_touched ON ticket(touched);"

        /* folded: every write of a register but the one that came with its entity */
        "CREATE TABLE register ("
        "  entity BLOB NOT NULL, field INTEGER NOT NULL, stamp BLOB NOT NULL,"
        "  written INTEGER NOT NULL, covered INTEGER NOT NULL, value, PRIMARY KEY(entity, field, stamp)) WITHOUT ROWID;"

        /* folded: tags, watchers and links, OR-sets */
        "CREATE TABLE member ("
        "  ticket BLOB NOT NULL, kind INTEGER NOT NULL, element BLOB NOT NULL, adder BLOB NOT NULL,"
        "  added INTEGER NOT NULL, removed INTEGER NOT NULL, PRIMARY KEY(ticket, kind, element, adder)) WITHOUT ROWID;"
        "CREATE INDEX member_by_element ON member(kind, element, ticket);"

        /* folded; body_op, body_n, edited are derived from register; redacted: the stamp up to which texts are gone */
#define COMMENTS(table)                                                                                                \
        "CREATE TABLE " table " ("                                                                                     \
        "  id BLOB PRIMARY KEY, ticket BLOB NOT NULL, author BLOB, created INTEGER NOT NULL, hidden INTEGER NOT NULL," \
        "  op_id BLOB, n INTEGER NOT NULL, deleted INTEGER NOT NULL, redacted BLOB, attachments INTEGER NOT NULL,"     \
        "  body_op BLOB, body_n INTEGER NOT NULL, edited INTEGER NOT NULL) WITHOUT ROWID;"                             \
        "CREATE INDEX " table "_by_ticket ON " table "(ticket, created, id);"
        COMMENTS("comment") COMMENTS("note")
#undef COMMENTS
        "CREATE TABLE attachment ("
        "  id BLOB PRIMARY KEY, ticket BLOB NOT NULL, comment BLOB NOT NULL, internal INTEGER NOT NULL,"
        "  op_id BLOB NOT NULL, n INTEGER NOT NULL, size INTEGER NOT NULL, type TEXT NOT NULL, blob BLOB) WITHOUT ROWID;"
        "CREATE INDEX attachment_by_comment ON attachment(comment, n);"
        "CREATE INDEX attachment_by_blob ON attachment(blob);"

        /* folded: one register each */
        "CREATE TABLE person ("
        "  id BLOB PRIMARY KEY, stamp BLOB NOT NULL, role INTEGER NOT NULL, active INTEGER NOT NULL,"
        "  name_op BLOB NOT NULL, name_n INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE project (one INTEGER PRIMARY KEY CHECK (one = 1), stamp BLOB NOT NULL, name TEXT NOT NULL);"

        /* local */
        "CREATE TABLE upload ("
        "  id BLOB PRIMARY KEY, user BLOB NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, started INTEGER NOT NULL,"
        "  blob BLOB, type TEXT, used INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX upload_by_user ON upload(user, used);"
        "CREATE INDEX upload_by_start ON upload(used, started);"
        "CREATE INDEX upload_by_blob ON upload(blob);"
        "CREATE TABLE position (name TEXT PRIMARY KEY, after INTEGER NOT NULL) WITHOUT ROWID;",

        /* local: what is a user's own. seq: of one count for both tables, by which fanout follows; a draft with an empty body was discarded. */
        "CREATE TABLE read_mark ("
        "  user BLOB NOT NULL, ticket BLOB NOT NULL, comment BLOB NOT NULL, created INTEGER NOT NULL, internal INTEGER NOT NULL,"
        "  version INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(user, ticket)) WITHOUT ROWID;"
        "CREATE INDEX read_mark_by_version ON read_mark(user, version);"
        "CREATE INDEX read_mark_by_seq ON read_mark(seq);"
        "CREATE TABLE draft ("
        "  user BLOB NOT NULL, ticket BLOB NOT NULL, note INTEGER NOT NULL, body TEXT NOT NULL,"
        "  version INTEGER NOT NULL, saved INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(user, ticket, note)) WITHOUT ROWID;"
        "CREATE INDEX draft_by_age ON draft(saved);"
        "CREATE INDEX draft_by_seq ON draft(seq);",

        /* derived, as far as position 'search' says: what is found by search. id: the position in the log of what made the entity, so the
         * newest is the greatest; source: enum search_source; entity: the comment or note, NULL for a subject; op_id, n, field: the text.
         * The index has no copy of the texts; ticket is a word of its own there, by which a customer's tickets are picked out. */
        "CREATE TABLE search_text ("
        "  id INTEGER PRIMARY KEY, source INTEGER NOT NULL, ticket BLOB NOT NULL, entity BLOB,"
        "  op_id BLOB NOT NULL, n INTEGER NOT NULL, field INTEGER NOT NULL);"
        "CREATE INDEX search_text_by_op ON search_text(op_id, n);"
        "CREATE INDEX search_text_subject ON search_text(id) WHERE source = 0;"
        "CREATE INDEX search_text_subject_of ON search_text(ticket) WHERE source = 0;"
        "CREATE VIEW search_content AS SELECT s.id AS id, CAST(t.text AS TEXT) AS text, hex(s.ticket) AS ticket"
        "  FROM search_text s JOIN op_text t ON t.op_id = s.op_id AND t.n = s.n AND t.field = s.field;"
#define INDEX(table)                                                                                                   \
        "CREATE VIRTUAL TABLE " table " USING fts5(text, ticket, content = 'search_content', content_rowid = 'id',"    \
        "  tokenize = 'unicode61 remove_diacritics 2');"                                                               \
        "CREATE VIRTUAL TABLE " table "_words USING fts5vocab(" table ", instance);"
        INDEX("search_public") INDEX("search_notes"),
#undef INDEX

        /* folded: what the project defines for itself, and where its newest write is; kind: the op's. type and team of a ticket: derived
         * from register. local: turn, who of a team had the last one */
        "CREATE TABLE definition ("
        "  kind TEXT NOT NULL, id BLOB NOT NULL, stamp BLOB NOT NULL, name TEXT NOT NULL COLLATE NOCASE, retired INTEGER NOT NULL,"
        "  op_id BLOB NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;"
        "CREATE INDEX definition_by_name ON definition(kind, name);"
        "CREATE TABLE turn (team BLOB PRIMARY KEY, member BLOB NOT NULL) WITHOUT ROWID;"
        "ALTER TABLE ticket ADD COLUMN type BLOB;"
        "ALTER TABLE ticket ADD COLUMN team BLOB;",

        /* derived from register and the ops: the custom fields of tickets that were ever given a value. value: NULL where it is a text, which
         * lies with the op, or where there is none */
        "CREATE TABLE field_value ("
        "  ticket BLOB NOT NULL, field BLOB NOT NULL, internal INTEGER NOT NULL, value TEXT, op_id BLOB NOT NULL, n INTEGER NOT NULL,"
        "  PRIMARY KEY(ticket, field)) WITHOUT ROWID;",

        /* wake, label: derived from register. due: what is to happen by itself, and when; derived for the kinds that enum due_kind says so of, else
         * local. target: the ticket, for some kinds with more behind it. */
        "ALTER TABLE ticket ADD COLUMN wake INTEGER;"
        "ALTER TABLE ticket ADD COLUMN label BLOB;"
        "CREATE TABLE due (kind INTEGER NOT NULL, target BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(kind, target)) WITHOUT ROWID;"
        "CREATE INDEX due_by_time ON due(at, kind, target);",

        /* owner: whose own a definition is. ticket_count: derived, how many tickets there are of each kind that there is; indexes by which
         * listings find tickets: those not yet answered, the oldest, the most urgent, somebody's */
        "ALTER TABLE definition ADD COLUMN owner BLOB;"
        "DROP INDEX definition_by_name;"
        "CREATE INDEX definition_by_name ON definition(kind, owner, name);"
        "CREATE INDEX ticket_active ON ticket(state, assignee) WHERE state IN (0, 1, 2);"
        "CREATE INDEX ticket_by_created ON ticket(created);"
        "CREATE INDEX ticket_by_urgency ON ticket(((3 - priority) * 288230376151711744 + created));"
        "CREATE INDEX ticket_by_assignee ON ticket(assignee);"
        "CREATE TABLE ticket_count ("
        "  state INTEGER NOT NULL, priority INTEGER NOT NULL, assignee BLOB, type BLOB, team BLOB, n INTEGER NOT NULL);"
        "CREATE INDEX ticket_count_by_all ON ticket_count(state, priority, assignee, type, team);"
        "INSERT INTO ticket_count SELECT state, priority, assignee, type, team, count(*) FROM ticket WHERE NOT hidden GROUP BY 1, 2, 3, 4, 5;"
#define SAME(row)                                                                                                      \
        "state = " row ".state AND priority = " row ".priority AND assignee IS " row ".assignee AND type IS " row ".type"    \
        " AND team IS " row ".team"
        "CREATE TRIGGER ticket_counted AFTER UPDATE OF state, priority, assignee, type, team, hidden ON ticket BEGIN"
        "  UPDATE ticket_count SET n = n - 1 WHERE NOT OLD.hidden AND " SAME("OLD") ";"
        "  INSERT INTO ticket_count SELECT NEW.state, NEW.priority, NEW.assignee, NEW.type, NEW.team, 0"
        "    WHERE NOT NEW.hidden AND NOT EXISTS (SELECT 1 FROM ticket_count WHERE " SAME("NEW") ");"
        "  UPDATE ticket_count SET n = n + 1 WHERE NOT NEW.hidden AND " SAME("NEW") ";"
        "  DELETE FROM ticket_count WHERE NOT OLD.hidden AND n = 0 AND " SAME("OLD") ";"
        "END;",

        /* local, as read_mark. active: 0 for a while after it ended. until: NULL where no time ends it */
        "CREATE TABLE snooze ("
        "  user BLOB NOT NULL, ticket BLOB NOT NULL, active INTEGER NOT NULL, until INTEGER,"
        "  version INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(user, ticket)) WITHOUT ROWID;"
        "CREATE INDEX snooze_by_seq ON snooze(seq);"
        "CREATE INDEX snooze_by_ticket ON snooze(ticket) WHERE active;"
        "CREATE INDEX snooze_by_age ON snooze(version) WHERE NOT active;",

        /* folded: who was named where; at: the hlc of who was told first. An index of those who may be named by anybody. */
        "CREATE TABLE mention ("
        "  user BLOB NOT NULL, comment BLOB NOT NULL, ticket BLOB NOT NULL, note INTEGER NOT NULL, at INTEGER NOT NULL,"
        "  PRIMARY KEY(user, comment)) WITHOUT ROWID;"
        "CREATE INDEX mention_by_time ON mention(user, at, comment);"
        "CREATE INDEX person_staff ON person(role) WHERE role > 0;",
        /* What agents alone are told of a ticket is found by it, too: its record has the note or ticket behind its kind. */
        "UPDATE op SET audience = (SELECT coalesce(n.ticket, t.id) FROM (SELECT substr(record, instr(record, k.mark) + length(k.mark), 16) AS id FROM"
        "    (SELECT CAST(column1 || x'c410' AS BLOB) AS mark FROM (VALUES ('note.add'), ('note.edit'), ('note.delete'), ('note.redact'),"
        "      ('link.add'), ('link.remove'))) k WHERE instr(record, k.mark) LIMIT 1) target"
        "  LEFT JOIN note n ON n.id = target.id LEFT JOIN ticket t ON t.id = target.id)"
        "  WHERE scope = 1 AND audience IS NULL;"
        "UPDATE op SET audience = (SELECT a.ticket FROM attachment a WHERE a.op_id = op.op_id AND a.n = op.n)"
        "  WHERE scope = 1 AND audience IS NULL;",
        /* merged_into, moved: derived from register. branched: a merge or a split was ever about it */
        "ALTER TABLE ticket ADD COLUMN merged_into BLOB;"
        "ALTER TABLE ticket ADD COLUMN branched INTEGER NOT NULL DEFAULT 0;"
        "DROP TRIGGER ticket_counted;"
        "CREATE TRIGGER ticket_counted AFTER UPDATE OF state, priority, assignee, type, team, hidden, merged_into ON ticket BEGIN"
        "  UPDATE ticket_count SET n = n - 1 WHERE NOT OLD.hidden AND OLD.merged_into IS NULL AND " SAME("OLD") ";"
        "  INSERT INTO ticket_count SELECT NEW.state, NEW.priority, NEW.assignee, NEW.type, NEW.team, 0"
        "    WHERE NOT NEW.hidden AND NEW.merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM ticket_count WHERE " SAME("NEW") ");"
        "  UPDATE ticket_count SET n = n + 1 WHERE NOT NEW.hidden AND NEW.merged_into IS NULL AND " SAME("NEW") ";"
        "  DELETE FROM ticket_count WHERE NOT OLD.hidden AND OLD.merged_into IS NULL AND n = 0 AND " SAME("OLD") ";"
        "END;"
        "CREATE INDEX ticket_by_merged ON ticket(merged_into) WHERE merged_into IS NOT NULL;"
        "ALTER TABLE comment ADD COLUMN moved BLOB;"
        "ALTER TABLE note ADD COLUMN moved BLOB;"
        "CREATE INDEX comment_by_moved ON comment(moved) WHERE moved IS NOT NULL;"
        "CREATE INDEX note_by_moved ON note(moved) WHERE moved IS NOT NULL;",
#undef SAME

        /* local: whose command was the last one that can be undone. seq: of its last op */
        "CREATE TABLE recent (actor BLOB NOT NULL, seq INTEGER NOT NULL, op_id BLOB NOT NULL, PRIMARY KEY(actor, seq)) WITHOUT ROWID;"
        "CREATE INDEX recent_by_op ON recent(op_id);"
        /* local: which write the one of an undo put back; NULL: what the register was created with */
        "CREATE TABLE restored (op_id BLOB NOT NULL, n INTEGER NOT NULL, stamp BLOB, PRIMARY KEY(op_id, n)) WITHOUT ROWID;",

        /* custom fields that are found by their words */
        "CREATE INDEX search_text_field ON search_text(ticket, entity) WHERE source > 2;",
        /* local: views of tickets and refusals; ticket: zero for none. kind: enum access_kind */
        "CREATE TABLE access_audit ("
        "  id INTEGER PRIMARY KEY, hour INTEGER NOT NULL, user BLOB NOT NULL, ticket BLOB NOT NULL, kind INTEGER NOT NULL, method TEXT NOT NULL,"
        "  device TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, n INTEGER NOT NULL, UNIQUE(hour, user, ticket, kind, method));"
        "CREATE INDEX access_audit_by_user ON access_audit(user);"
        "CREATE INDEX access_audit_by_ticket ON access_audit(ticket);",

        /* pointers, by where they lead to: merged_into and moved */
        "CREATE INDEX register_pointer ON register(value) WHERE field IN (9, 10);",

        /* SQLite makes a table of its own for each IN of three, and for each INSERT that reads what it writes: both were most of the cost of a ticket's change */
        "DROP INDEX ticket_active;"
        "CREATE INDEX ticket_active ON ticket(state, assignee) WHERE state < 3;"
        "DROP TRIGGER ticket_counted;"
#define SAME(row)                                                                                                      \
        "state = " row ".state AND priority = " row ".priority AND assignee IS " row ".assignee AND type IS " row ".type"    \
        " AND team IS " row ".team"
#define SHOWN(row) "NOT " row ".hidden AND " row ".merged_into IS NULL"
#define COUNT_NEW                                                                                                      \
        "UPDATE ticket_count SET n = n + 1 WHERE " SHOWN("NEW") " AND " SAME("NEW") ";"                                \
        "INSERT INTO ticket_count SELECT NEW.state, NEW.priority, NEW.assignee, NEW.type, NEW.team, 1 WHERE changes() = 0 AND " SHOWN("NEW") ";"
        "CREATE TRIGGER ticket_counted_first AFTER INSERT ON ticket WHEN " SHOWN("NEW") " BEGIN " COUNT_NEW " END;"
        "CREATE TRIGGER ticket_counted AFTER UPDATE OF state, priority, assignee, type, team, hidden, merged_into ON ticket BEGIN "
        COUNT_NEW
        "UPDATE ticket_count SET n = n - 1 WHERE " SHOWN("OLD") " AND " SAME("OLD") ";"
        "DELETE FROM ticket_count WHERE n = 0 AND " SAME("OLD") ";"
        "END;",
#undef COUNT_NEW
#undef SHOWN
#undef SAME

        /* A text's id is its op's position and the field, as LOG_TEXT_ID has them: so it lies beside those that were written with it, fills its page, and
         * needs no key of its own. search_text: text: the text's id; field: of a custom field's value. What made the entity is the op at id. */
        "CREATE TABLE text (id INTEGER PRIMARY KEY, salt BLOB NOT NULL, text BLOB NOT NULL);"
        "INSERT INTO text SELECT o.seq << 6 | t.field, t.salt, t.text FROM op o CROSS JOIN op_text t ON t.op_id = o.op_id AND t.n = o.n;"
        "CREATE TABLE searched (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, ticket BLOB NOT NULL, field BLOB, text INTEGER NOT NULL);"
        "INSERT INTO searched SELECT s.id, s.source, s.ticket, CASE WHEN s.source > 2 THEN s.entity END, o.seq << 6 | s.field"
        "  FROM search_text s CROSS JOIN op o ON o.op_id = s.op_id AND o.n = s.n;"
        "DROP VIEW search_content;"
        "DROP TABLE op_text;"
        "DROP TABLE search_text;"
        "ALTER TABLE text RENAME TO op_text;"
        "ALTER TABLE searched RENAME TO search_text;"
        "CREATE INDEX search_text_edited ON search_text(text >> 6) WHERE text >> 6 <> id;"
        "CREATE INDEX search_text_subject ON search_text(id) WHERE source = 0;"
        "CREATE INDEX search_text_subject_of ON search_text(ticket) WHERE source = 0;"
        "CREATE INDEX search_text_field ON search_text(ticket, field) WHERE field IS NOT NULL;"
        "CREATE VIEW search_content AS SELECT s.id AS id, CAST(t.text AS TEXT) AS text, hex(s.ticket) AS ticket"
        "  FROM search_text s JOIN op_text t ON t.id = s.text;",

        /* For rebuild: how many texts have a word in a column, and how often. */
        "DROP TABLE search_public_words; DROP TABLE search_notes_words;"
        "CREATE VIRTUAL TABLE search_public_words USING fts5vocab(search_public, col);"
        "CREATE VIRTUAL TABLE search_notes_words USING fts5vocab(search_notes, col);",

        /* FTS5 merges eight segments of a size into one, not four: a search looks into a few more, a text is written anew less often. */
        "INSERT INTO search_public(search_public, rank) VALUES('automerge', 8);"
        "INSERT INTO search_notes(search_notes, rank) VALUES('automerge', 8);",

        /* local: who wrote this log, in order: the instance that it began with, and one for each time that it was restored from a backup since */
        "CREATE TABLE instance (n INTEGER PRIMARY KEY, origin BLOB NOT NULL UNIQUE, public_key BLOB NOT NULL);",

        /* local: the last backup that was kept */
        "CREATE TABLE backup (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL, bytes INTEGER NOT NULL);",

        /* local: what records of the log repeat: names.h, record.h */
        "CREATE TABLE op_name (number INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);",

        /* The index of texts is made anew, in steps behind the start, without the places of words, which took three quarters of it, and so without columns:
         * the word for a ticket begins with SEARCH_TICKET_MARK. How many words a text has is counted when it is asked for. */
        "DROP TABLE search_public_words; DROP TABLE search_notes_words; DROP TABLE search_public; DROP TABLE search_notes; DROP VIEW search_content;"
        "DELETE FROM search_text;"
        "DELETE FROM position WHERE name = 'search' OR name LIKE 'scrub %';"
        "CREATE VIEW search_content AS SELECT s.id AS id, CAST(t.text AS TEXT) AS text, char(0xe000) || hex(s.ticket) AS ticket"
        "  FROM search_text s JOIN op_text t ON t.id = s.text;"
#define INDEX(table)                                                                                                   \
        "CREATE VIRTUAL TABLE " table " USING fts5(text, ticket, content = 'search_content', content_rowid = 'id', detail = 'none',"    \
        "  columnsize = 0, tokenize = 'unicode61 remove_diacritics 2');"                                               \
        "INSERT INTO " table "(" table ", rank) VALUES('automerge', 8);"                                               \
        "CREATE VIRTUAL TABLE " table "_words USING fts5vocab(" table ", row);"
        INDEX("search_public") INDEX("search_notes"),
#undef INDEX

        /* A comment names the place of its op in the log, not its id. */
#define BY_SEQ(table)                                                                                                  \
        "CREATE TABLE " table "_new ("                                                                                 \
        "  id BLOB PRIMARY KEY, ticket BLOB NOT NULL, author BLOB, created INTEGER NOT NULL, hidden INTEGER NOT NULL," \
        "  seq INTEGER NOT NULL, deleted INTEGER NOT NULL, redacted BLOB, attachments INTEGER NOT NULL,"               \
        "  body_op BLOB, body_n INTEGER NOT NULL, edited INTEGER NOT NULL, moved BLOB) WITHOUT ROWID;"                 \
        "INSERT INTO " table "_new SELECT c.id, c.ticket, c.author, c.created, c.hidden, coalesce(o.seq, 0), c.deleted, c.redacted, c.attachments,"  \
        "  c.body_op, c.body_n, c.edited, c.moved FROM " table " c LEFT JOIN op o ON o.op_id = c.op_id AND o.n = c.n ORDER BY c.id;"                \
        "DROP TABLE " table "; ALTER TABLE " table "_new RENAME TO " table ";"                                         \
        "CREATE INDEX " table "_by_ticket ON " table "(ticket, created, id);"                                          \
        "CREATE INDEX " table "_by_moved ON " table "(moved) WHERE moved IS NOT NULL;"
        BY_SEQ("comment") BY_SEQ("note"),
#undef BY_SEQ
};

const struct db_migrations store_migrations = { steps, sizeof(steps) / sizeof(steps[0]) };
