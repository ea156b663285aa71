-- +goose Up

-- How far each journal is packed. Not in journal_head, whose rows the appends lock: packing must not hold them.
CREATE TABLE packing (
    project_id bigint NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    packed_to bigint NOT NULL DEFAULT 0
);
INSERT INTO packing (project_id, packed_to) SELECT project_id, packed_to FROM journal_head WHERE packed_to > 0;
ALTER TABLE journal_head DROP COLUMN packed_to;

-- The edition of a project's names: it changes when a series goes or has another unit. An append names the edition that it
-- took the ids of its series from, and is refused when that is not the last one: whichever process changed it.
ALTER TABLE journal_head ADD COLUMN names bigint NOT NULL DEFAULT 1;

-- Packed readings, young: segments of neighbouring series of one UTC day. A run is the rows of one (project, day, block,
-- upto): sorted by series and time, distinct. Where runs hold the same reading, the one with the higher upto is right.
CREATE TABLE young (
    project_id bigint NOT NULL,
    day date NOT NULL,
    block bigint NOT NULL, -- series_id >> 10 of all its series, so that a series is found by equality
    first_series bigint NOT NULL,
    last_series bigint NOT NULL,
    upto bigint NOT NULL, -- the run holds readings of the entries behind since up to this offset
    part int NOT NULL, -- 1 … parts, in the run's order
    parts int NOT NULL,
    since bigint NOT NULL,
    tier smallint NOT NULL, -- 0: from the journal, 1: merged, 2: settled, which is in the rollups
    first_time bigint NOT NULL, -- µs since 1970
    last_time bigint NOT NULL,
    count int NOT NULL,
    payload bytea NOT NULL, -- reading.Compact
    PRIMARY KEY (project_id, day, block, first_series, last_series, upto, part) -- the segments that hold a series
) WITH (toast_tuple_target = 8160);
ALTER TABLE young ALTER COLUMN payload SET STORAGE EXTERNAL; -- compressed already
CREATE INDEX young_unsettled ON young (project_id, day, block) WHERE tier < 2; -- what is to be merged or settled

-- Packed readings, for good: about 1,000 readings of one series in a row. Rows of a series do not overlap in time, and
-- none crosses a month (UTC). Partitioned by month, so that what is not kept goes by dropping a partition.
CREATE SEQUENCE chunk_version;
CREATE TABLE chunk (
    project_id bigint NOT NULL,
    series_id bigint NOT NULL,
    first_time bigint NOT NULL, -- µs since 1970
    last_time bigint NOT NULL,
    version bigint NOT NULL DEFAULT nextval('chunk_version'), -- names these bytes: a row that is rewritten has another
    count int NOT NULL,
    payload bytea NOT NULL, -- reading.Compact
    PRIMARY KEY (project_id, series_id, first_time, last_time) -- the chunks of a series in a range of time
) PARTITION BY RANGE (first_time);

-- Statistics of a series in one UTC hour and one UTC day, exactly of what chunk and the settled rows of young hold. Every
-- settled day that has readings has its row; an hour only when it has so many that reading them takes longer.
CREATE TABLE rollup_hour (
    project_id bigint NOT NULL,
    series_id bigint NOT NULL,
    start timestamptz NOT NULL,
    count int NOT NULL,
    sum double precision NOT NULL,
    m2 double precision NOT NULL, -- sum of the squared distances to the mean: variance is m2 / (count - 1)
    min double precision NOT NULL,
    max double precision NOT NULL,
    first double precision NOT NULL,
    last double precision NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    sketch bytea NOT NULL, -- stats.Sketch; empty where the readings are few
    PRIMARY KEY (project_id, series_id, start)
) PARTITION BY RANGE (start); -- by month
CREATE TABLE rollup_day (LIKE rollup_hour INCLUDING ALL) PARTITION BY RANGE (start); -- by year

-- The newest reading of each series, a few seconds old at most; time and value are null when it has none left.
CREATE TABLE latest (
    project_id bigint NOT NULL,
    series_id bigint NOT NULL,
    "time" timestamptz,
    value double precision,
    "offset" bigint NOT NULL, -- of the journal when this was so: a row with a lower one is older news
    PRIMARY KEY (project_id, series_id)
) WITH (fillfactor = 70);

-- How long a project keeps what; 0 is for ever.
ALTER TABLE projects
    ADD COLUMN keep_readings_days bigint NOT NULL DEFAULT 0,
    ADD COLUMN keep_rollups_days bigint NOT NULL DEFAULT 0,
    ADD COLUMN resume_hours bigint NOT NULL DEFAULT 24;

-- +goose Down
ALTER TABLE projects DROP COLUMN keep_readings_days, DROP COLUMN keep_rollups_days, DROP COLUMN resume_hours;
DROP TABLE latest, rollup_day, rollup_hour, chunk, young;
DROP SEQUENCE chunk_version;
ALTER TABLE journal_head DROP COLUMN names;
ALTER TABLE journal_head ADD COLUMN packed_to bigint NOT NULL DEFAULT 0;
UPDATE journal_head h SET packed_to = p.packed_to FROM packing p WHERE p.project_id = h.project_id;
DROP TABLE packing;
