// The schema of the embedded store, as it came about.

/** Each entry brings the schema from its index to the next number. Entries that have shipped never change. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE revision (
     revision INTEGER PRIMARY KEY,
     record   TEXT NOT NULL,
     intent   TEXT NOT NULL
   ) STRICT;
   CREATE TABLE token (
     name        TEXT PRIMARY KEY,
     role        TEXT NOT NULL,
     cluster     TEXT,
     secret_hash TEXT NOT NULL,
     created_at  TEXT NOT NULL,
     expires_at  TEXT
   ) STRICT;
   CREATE TABLE applied_config (
     only      INTEGER PRIMARY KEY CHECK (only = 1),
     text      TEXT NOT NULL,
     at        TEXT NOT NULL,
     file_hash TEXT NOT NULL
   ) STRICT;
   CREATE TABLE value (
     key   TEXT PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT;`,
  `CREATE TABLE conflict (
     hash     TEXT PRIMARY KEY,
     revision INTEGER NOT NULL,
     record   TEXT NOT NULL
   ) STRICT;`,
  `ALTER TABLE token ADD COLUMN owner TEXT;`,
  `CREATE TABLE quota (
     quota TEXT NOT NULL,
     key   TEXT NOT NULL,
     start INTEGER NOT NULL,
     until INTEGER NOT NULL,
     used  INTEGER NOT NULL,
     PRIMARY KEY (quota, key)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX quota_until ON quota (until);`,
  `CREATE TABLE session_mark (
     key   TEXT PRIMARY KEY,
     at    INTEGER NOT NULL,
     until INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX session_mark_until ON session_mark (until);`,
  `CREATE TABLE one_time_use (
     until INTEGER NOT NULL,
     key   TEXT NOT NULL
   ) STRICT;
   CREATE INDEX one_time_use_until ON one_time_use (until);`,
];
